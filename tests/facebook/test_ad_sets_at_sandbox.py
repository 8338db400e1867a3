"""Ad sets and their schedules against the sandbox, over real HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from audiences.errors import FacebookAccessError
from audiences.facebook import ad_set_hours, ad_set_targeting
from audiences.facebook.ad_set_hours import AdSetSchedule, DayPart
from audiences.sandbox import ACCOUNT, AD_SETS, AUDIENCE, SandboxServer

if TYPE_CHECKING:
    from audiences.facebook.session import GraphSession

pytestmark = pytest.mark.integration


def _ad_set(sandbox: SandboxServer, ad_set: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in sandbox.admin.state(members=False)["ad_sets"] if one["id"] == ad_set)
    return found


def test_linking_and_unlinking_leave_the_rest_of_the_targeting(sandbox: SandboxServer, sandboxed: GraphSession) -> None:
    before = _ad_set(sandbox, AD_SETS[0])
    assert ad_set_targeting.put(sandboxed, AD_SETS[0], AUDIENCE, ad_set_targeting.TargetingList.INCLUDED).changed
    linked = _ad_set(sandbox, AD_SETS[0])["targeting"]
    assert [one["id"] for one in linked.pop("custom_audiences")] == [AUDIENCE]
    assert linked == before["targeting"]
    assert not ad_set_targeting.put(sandboxed, AD_SETS[0], AUDIENCE, ad_set_targeting.TargetingList.INCLUDED).changed
    assert ad_set_targeting.put(sandboxed, AD_SETS[0], AUDIENCE, ad_set_targeting.TargetingList.NOWHERE).changed
    after = _ad_set(sandbox, AD_SETS[0])
    assert {key: value for key, value in after["targeting"].items() if value != []} == before["targeting"]
    assert after["writes"] == before["writes"] + 2


def test_moving_from_excluded_to_included_reports_advantage_audience(
    sandbox: SandboxServer, sandboxed: GraphSession
) -> None:
    change = ad_set_targeting.put(sandboxed, AD_SETS[1], AUDIENCE, ad_set_targeting.TargetingList.INCLUDED)
    targeting = _ad_set(sandbox, AD_SETS[1])["targeting"]
    assert [one["id"] for one in targeting["custom_audiences"]] == [AUDIENCE]
    assert targeting["excluded_custom_audiences"] == []
    assert any("Advantage+" in warning for warning in change.warnings)


def test_a_dry_run_writes_nothing_and_finds_what_is_wrong(sandbox: SandboxServer, sandboxed: GraphSession) -> None:
    assert ad_set_targeting.put(
        sandboxed, AD_SETS[0], AUDIENCE, ad_set_targeting.TargetingList.INCLUDED, dry_run=True
    ).changed
    sandbox.admin.put_audience(id=AUDIENCE, deleted=True)
    with pytest.raises(FacebookAccessError):
        ad_set_targeting.put(sandboxed, AD_SETS[0], AUDIENCE, ad_set_targeting.TargetingList.INCLUDED, dry_run=True)
    assert _ad_set(sandbox, AD_SETS[0])["writes"] == 0


def test_an_ad_set_with_a_flagged_audience_in_it_may_take_no_change(
    sandbox: SandboxServer, sandboxed: GraphSession
) -> None:
    other = sandbox.admin.put_audience(account=ACCOUNT, name="Loans")["id"]
    sandbox.admin.put_ad_set(id=AD_SETS[0], targeting={"custom_audiences": [{"id": other}]})
    sandbox.admin.put_audience(id=other, operation_status=471)
    for dry_run in (True, False):
        with pytest.raises(FacebookAccessError) as caught:
            ad_set_targeting.put(
                sandboxed, AD_SETS[0], AUDIENCE, ad_set_targeting.TargetingList.INCLUDED, dry_run=dry_run
            )
        assert (caught.value.code, caught.value.subcode) == (100, 1713230)
        assert f"ad set {AD_SETS[0]} was not changed" in caught.value.what
        assert other in caught.value.what
        assert "take it out of the ad set" in caught.value.remedy
    assert _ad_set(sandbox, AD_SETS[0])["writes"] == 0


def test_or_it_takes_the_change_and_has_issues_which_are_told(sandbox: SandboxServer, sandboxed: GraphSession) -> None:
    sandbox.admin.settings(flagged_in_ad_sets="allowed")
    other = sandbox.admin.put_audience(account=ACCOUNT, name="Loans")["id"]
    sandbox.admin.put_ad_set(id=AD_SETS[0], targeting={"custom_audiences": [{"id": other}]})
    sandbox.admin.put_audience(id=other, operation_status=471)
    for changed in (True, False):
        change = ad_set_targeting.put(sandboxed, AD_SETS[0], AUDIENCE, ad_set_targeting.TargetingList.INCLUDED)
        assert change.changed is changed
        (warning,) = change.warnings
        assert "has issues and may not deliver" in warning
        assert other in warning


def test_an_audience_that_is_flagged_by_the_link_itself_is_told(
    sandbox: SandboxServer, sandboxed: GraphSession
) -> None:
    sandbox.admin.settings(flagged_in_ad_sets="allowed")
    sandbox.admin.put_audience(id=AUDIENCE, operation_status=471)
    (warning,) = ad_set_targeting.put(sandboxed, AD_SETS[0], AUDIENCE, ad_set_targeting.TargetingList.INCLUDED).warnings
    assert AUDIENCE in warning


def test_a_lost_answer_to_a_link_is_no_trouble(sandbox: SandboxServer, sandboxed: GraphSession) -> None:
    sandbox.admin.add_fault("reset_after", method="POST", path=f"/{AD_SETS[0]}")
    assert ad_set_targeting.put(sandboxed, AD_SETS[0], AUDIENCE, ad_set_targeting.TargetingList.INCLUDED).changed


def test_hours_go_onto_an_ad_set_with_a_lifetime_budget(sandbox: SandboxServer, sandboxed: GraphSession) -> None:
    now = datetime.now(UTC)
    end = (now + timedelta(days=60)).replace(microsecond=0)
    wanted = AdSetSchedule(end=end, parts=(DayPart((1, 2, 3, 4, 5), 540, 1080),))
    assert ad_set_hours.push(sandboxed, AD_SETS[1], wanted, now=now).changed
    assert not ad_set_hours.push(sandboxed, AD_SETS[1], wanted, now=now).changed
    found = _ad_set(sandbox, AD_SETS[1])
    assert (found["writes"], found["pacing_type"], found["end_time"]) == (1, ["day_parting"], end.timestamp())
    assert ad_set_hours.push(sandboxed, AD_SETS[1], AdSetSchedule(end=end), now=now).changed
    assert _ad_set(sandbox, AD_SETS[1])["pacing_type"] == ["standard"]


def test_hours_on_a_daily_budget_are_explained(sandbox: SandboxServer, sandboxed: GraphSession) -> None:
    wanted = AdSetSchedule(end=datetime(2030, 1, 1, tzinfo=UTC), parts=(DayPart((1,), 540, 1080),))
    with pytest.raises(FacebookAccessError, match="lifetime budget"):
        ad_set_hours.push(sandboxed, AD_SETS[0], wanted, now=datetime.now(UTC))
    assert _ad_set(sandbox, AD_SETS[0])["writes"] == 0
