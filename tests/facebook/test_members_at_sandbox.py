"""Uploads against the sandbox, over real HTTP, with its faults."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from tests.facebook.rows import SCHEMA, USERS, rows_of

from audiences.campaign.mark import Mark
from audiences.errors import FacebookAccessError, RefusedError, ThrottledError
from audiences.facebook import audience_members, custom_audiences
from audiences.facebook.audience_members import BatchStep
from audiences.facebook.graph_errors import (
    AudienceBusyError,
    AudienceTooSmallError,
    ReplaceBrokenError,
    RowsRefusedError,
)
from audiences.facebook.status import Reaction
from audiences.sandbox import AUDIENCE, TOKEN, SandboxServer

if TYPE_CHECKING:
    from tests.facebook.scripted import FakeTime

    from audiences.facebook.session import GraphSession

pytestmark = pytest.mark.integration


def _size(sandbox: SandboxServer, audience: str = AUDIENCE) -> int:
    return len(sandbox.admin.members(audience))


def test_added_rows_are_members_and_removed_ones_are_not(sandbox: SandboxServer, sandboxed: GraphSession) -> None:
    rows = rows_of(5)
    receipt = audience_members.add(sandboxed, AUDIENCE, SCHEMA, rows)
    assert (receipt.received, receipt.invalid) == (5, 0)
    audience_members.remove(sandboxed, AUDIENCE, SCHEMA, rows[:2])
    expected = [dict(zip(SCHEMA, row, strict=True)) for row in rows[2:]]
    assert sandbox.admin.diff(AUDIENCE, expected)["equal"]
    assert sandbox.admin.state()["pii"]["clean"]


def test_ten_thousand_removals_travel_in_the_body(
    sandbox: SandboxServer, sandboxed: GraphSession, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    rows = rows_of(10_000)
    audience_members.add(sandboxed, AUDIENCE, SCHEMA, rows)
    audience_members.remove(sandboxed, AUDIENCE, SCHEMA, rows)
    counters = sandbox.admin.state(members=False)["counters"]
    assert _size(sandbox) == 0
    assert counters["peak_rows"] == 10_000
    assert counters["max_url_length"] < 2000
    assert counters["token_in_url"] == 0
    assert TOKEN not in caplog.text
    assert rows[0][0] not in caplog.text


def test_malformed_cells_are_counted_by_facebook(sandbox: SandboxServer, sandboxed: GraphSession) -> None:
    receipt = audience_members.add(sandboxed, AUDIENCE, SCHEMA, [*rows_of(3), ("not-a-hash", "")])
    assert (receipt.received, receipt.invalid, receipt.samples) == (4, 1, 1)


def test_ragged_rows_are_refused_asrows_of(sandboxed: GraphSession) -> None:
    with pytest.raises(RowsRefusedError):
        audience_members.add(sandboxed, AUDIENCE, SCHEMA, [("a" * 64,)])


def test_rows_that_facebook_cannot_process_are_refused_asrows_of(
    sandbox: SandboxServer, sandboxed: GraphSession
) -> None:
    rows = rows_of(4)
    sandbox.admin.add_fault("refuse_rows", values=[rows[2][0]])
    with pytest.raises(RowsRefusedError):
        audience_members.add(sandboxed, AUDIENCE, SCHEMA, rows)
    assert audience_members.add(sandboxed, AUDIENCE, SCHEMA, rows[:2]).received == 2


def test_counts_within_a_session_are_cumulative(sandboxed: GraphSession) -> None:
    received = [
        audience_members.add(
            sandboxed, AUDIENCE, SCHEMA, rows_of(3, 3 * n), step=BatchStep(77, n, last=n == 3)
        ).received
        for n in (1, 2, 3)
    ]
    assert received == [3, 6, 9]
    (session,) = audience_members.upload_sessions(sandboxed, AUDIENCE, 77)
    assert (session.session_id, session.received, session.stage) == (77, 9, "finished")


def test_an_erased_person_leaves_every_audience(sandbox: SandboxServer, sandboxed: GraphSession) -> None:
    other = custom_audiences.create(sandboxed, name="Other", description="", mark=Mark("other", "0123456789ab"))
    rows = rows_of(3)
    audience_members.add(sandboxed, AUDIENCE, SCHEMA, rows)
    audience_members.add(sandboxed, other, SCHEMA, rows)
    assert audience_members.remove_from_all(sandboxed, SCHEMA, rows[:1]).received == 1
    assert (_size(sandbox), _size(sandbox, other)) == (2, 2)


@pytest.mark.parametrize("kind", ["html_500", "json_500", "transient_1", "transient_2", "truncated_json"])
def test_a_passing_fault_ends_in_the_right_members(sandbox: SandboxServer, sandboxed: GraphSession, kind: str) -> None:
    sandbox.admin.add_fault(kind, path=USERS, times=2)
    assert audience_members.add(sandboxed, AUDIENCE, SCHEMA, rows_of(5)).received == 5
    assert _size(sandbox) == 5


@pytest.mark.parametrize("kind", ["reset_before", "reset_after"])
def test_a_broken_connection_ends_in_the_right_members(
    sandbox: SandboxServer, sandboxed: GraphSession, kind: str
) -> None:
    audience_members.add(sandboxed, AUDIENCE, SCHEMA, rows_of(5))
    sandbox.admin.add_fault(kind, path=USERS, method="DELETE")
    audience_members.remove(sandboxed, AUDIENCE, SCHEMA, rows_of(2))
    assert _size(sandbox) == 3


def test_a_hanging_request_times_out_and_is_tried_again(sandbox: SandboxServer, sandboxed: GraphSession) -> None:
    sandbox.admin.add_fault("hang", path=USERS, seconds=4)
    assert audience_members.add(sandboxed, AUDIENCE, SCHEMA, rows_of(1)).received == 1


def test_error_data_as_text_is_no_trouble(sandbox: SandboxServer, sandboxed: GraphSession) -> None:
    sandbox.admin.add_fault("error_data_string", path=USERS)
    with pytest.raises(RefusedError):
        audience_members.add(sandboxed, AUDIENCE, SCHEMA, rows_of(1))


def test_missing_usage_headers_are_no_trouble(sandbox: SandboxServer, sandboxed: GraphSession) -> None:
    sandbox.admin.add_fault("no_usage_headers", path=USERS)
    assert audience_members.add(sandboxed, AUDIENCE, SCHEMA, rows_of(1)).received == 1


def test_a_blocked_account_is_left_alone_for_the_stated_minutes(
    sandbox: SandboxServer, sandboxed: GraphSession, time: FakeTime
) -> None:
    sandbox.admin.add_fault("throttle", minutes=2, block=True, path=USERS)
    with pytest.raises(ThrottledError) as caught:
        audience_members.add(sandboxed, AUDIENCE, SCHEMA, rows_of(1))
    assert caught.value.seconds == 120
    with pytest.raises(ThrottledError):
        custom_audiences.read(sandboxed, AUDIENCE)
    account = sandbox.admin.state(members=False)["accounts"][0]
    assert account["usage"]["calls_while_blocked"] == 0
    sandbox.admin.advance(121)
    time.now += 121
    assert audience_members.add(sandboxed, AUDIENCE, SCHEMA, rows_of(1)).received == 1


@pytest.mark.parametrize("kind", ["throttle_account", "throttle_app", "throttle_rate"])
def test_every_throttle_waits(sandbox: SandboxServer, sandboxed: GraphSession, kind: str) -> None:
    sandbox.admin.add_fault(kind, path=USERS)
    with pytest.raises(ThrottledError):
        audience_members.add(sandboxed, AUDIENCE, SCHEMA, rows_of(1))


@pytest.mark.parametrize(
    "kind",
    [
        "expired_token",
        "checkpoint",
        "app_removed",
        "no_permission",
        "permission",
        "policy_block",
        "flagged",
        "tos_not_accepted",
        "tos_business",
        "tos_2663",
        "tos_2664",
        "not_in_business",
        "disabled",
        "not_shared",
        "deleted",
    ],
)
def test_what_a_person_must_fix_fails_at_once_with_a_remedy(
    sandbox: SandboxServer, sandboxed: GraphSession, kind: str
) -> None:
    sandbox.admin.add_fault(kind, path=USERS, times=None)
    with pytest.raises(FacebookAccessError) as caught:
        audience_members.add(sandboxed, AUDIENCE, SCHEMA, rows_of(1))
    assert caught.value.remedy
    assert len(sandbox.admin.requests()) == 1


def test_a_removal_refused_as_too_low_keeps_the_members(sandbox: SandboxServer, sandboxed: GraphSession) -> None:
    audience_members.add(sandboxed, AUDIENCE, SCHEMA, rows_of(3))
    sandbox.admin.add_fault("too_low", method="DELETE")
    with pytest.raises(AudienceTooSmallError):
        audience_members.remove(sandboxed, AUDIENCE, SCHEMA, rows_of(3))
    assert _size(sandbox) == 3


def test_uploads_from_several_threads_all_arrive(sandbox: SandboxServer, sandboxed: GraphSession) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: audience_members.add(sandboxed, AUDIENCE, SCHEMA, rows_of(100, 100 * n)), range(24)))
    assert _size(sandbox) == 2400
    assert len(sandbox.admin.requests()) == 24


def test_a_replace_puts_the_new_members_in_place_of_the_old(sandbox: SandboxServer, sandboxed: GraphSession) -> None:
    audience_members.add(sandboxed, AUDIENCE, SCHEMA, rows_of(5))
    audience_members.replace(sandboxed, AUDIENCE, SCHEMA, rows_of(2, 100), step=BatchStep(9, 1, last=False))
    with pytest.raises(AudienceBusyError):
        audience_members.add(sandboxed, AUDIENCE, SCHEMA, rows_of(1))
    assert custom_audiences.read(sandboxed, AUDIENCE).reaction is Reaction.WAIT
    audience_members.replace(sandboxed, AUDIENCE, SCHEMA, rows_of(2, 102), step=BatchStep(9, 2, last=True))
    assert sandbox.admin.diff(AUDIENCE, [dict(zip(SCHEMA, row, strict=True)) for row in rows_of(4, 100)])["equal"]


def test_a_replace_that_timed_out_is_recognised(sandbox: SandboxServer, sandboxed: GraphSession) -> None:
    audience_members.replace(sandboxed, AUDIENCE, SCHEMA, rows_of(2), step=BatchStep(9, 1, last=False))
    sandbox.admin.advance(91 * 60)
    with pytest.raises(ReplaceBrokenError) as caught:
        audience_members.replace(sandboxed, AUDIENCE, SCHEMA, rows_of(2, 2), step=BatchStep(9, 2, last=True))
    assert caught.value.truncated


def test_a_replace_without_its_first_batch_is_broken(sandboxed: GraphSession) -> None:
    with pytest.raises(ReplaceBrokenError):
        audience_members.replace(sandboxed, AUDIENCE, SCHEMA, rows_of(2), step=BatchStep(9, 2, last=True))
