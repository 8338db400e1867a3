"""Control groups: the formula, the order, what is on record."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.who import world
from tests.who.conftest import a_spec

from audiences.who.control import Arm, assign, held_out

TARGET, SYSTEM, CUSTOM, CAMPAIGN = Arm
IDS = [*world.user_ids(20), "", "é", "e\u0301", "\U0001f600", *(str(number) for number in range(20_000))]


def formula(salt: str, user: str, percent: str) -> bool:
    bucket = int(hashlib.sha256(f"{salt}:{user}".encode()).hexdigest()[:15], 16)
    return Decimal(bucket) / Decimal(16**15) < Decimal(percent) / 100


def spec(who: dict[str, Any] | None = None, **groups: Any) -> Any:
    return a_spec({"did": {"event": "Charged"}, **(who or {})}, control_groups=groups)


@pytest.mark.parametrize("percent", ["0", "0.01", "2", "10", "33.3333", "50", "99"])
def test_held_out_is_whom_the_published_formula_names(percent: str) -> None:
    found = held_out(pa.array(IDS), "salt; 'ü", Decimal(percent)).to_pylist()
    assert found == [formula("salt; 'ü", user, percent) for user in IDS]


@given(bucket=st.integers(0, 16**15 - 1), percent=st.decimals(0, 99, places=6))
def test_the_edge_of_a_group_is_exact(bucket: int, percent: Decimal) -> None:
    from audiences.who.control import _bound

    assert (bucket < _bound(percent)) == (Decimal(bucket) * 100 < percent * 16**15)


def test_ten_percent_of_a_hundred_thousand_users_are_ten_percent() -> None:
    share = held_out(pa.array([str(number) for number in range(100_000)]), "campaign", Decimal(10))
    assert share.true_count / 100_000 == pytest.approx(0.10, abs=0.003)


def test_the_first_group_that_holds_a_user_wins() -> None:
    groups = {"system": {"percent": 30}, "custom": {"holiday": {"percent": 30}}}
    given = spec({"control_group": {"percent": 30, "custom": "holiday"}}, **groups)
    held = {salt: [formula(salt, user, "30") for user in IDS] for salt in ("system", "holiday", "campaign")}
    wanted = [
        SYSTEM if system else CUSTOM if custom else CAMPAIGN if campaign else TARGET
        for system, custom, campaign in zip(*held.values(), strict=True)
    ]
    assert assign(pa.array(IDS), given).to_pylist() == wanted
    assert set(wanted) == set(Arm)


def test_each_group_has_the_percentage_that_is_written_for_it() -> None:
    groups = {"system": {"percent": 5}, "custom": {"holiday": {"percent": 40}}}
    given = spec({"control_group": {"percent": 20, "custom": "holiday"}}, **groups)
    percents = {"system": "5", "holiday": "40", "campaign": "20"}
    held = {salt: [formula(salt, user, percent) for user in IDS] for salt, percent in percents.items()}
    wanted = [
        SYSTEM if system else CUSTOM if custom else CAMPAIGN if campaign else TARGET
        for system, custom, campaign in zip(*held.values(), strict=True)
    ]
    assert assign(pa.array(IDS), given).to_pylist() == wanted


def test_a_campaign_may_leave_the_system_group_and_choose_its_salt() -> None:
    given = spec({"control_group": {"percent": 30, "system": False, "salt": "own"}}, system={"percent": 30})
    wanted = [CAMPAIGN if formula("own", user, "30") else TARGET for user in IDS]
    assert assign(pa.array(IDS), given).to_pylist() == wanted


def test_what_is_on_record_wins_over_the_formula_and_testers_are_always_targets() -> None:
    given = spec({"control_group": 50, "never_hold_out": ["5", 6]})
    ids = [str(number) for number in range(100)]
    by_formula = {user: CAMPAIGN if formula("campaign", user, "50") else TARGET for user in ids}
    recorded = {"1": SYSTEM, "2": TARGET, "5": CUSTOM, "stranger": SYSTEM, **{"3": TARGET, "4": CAMPAIGN}}
    table = pa.table({"user_id": list(recorded), "arm": pa.array(list(recorded.values()), pa.int8())})
    wanted = (
        by_formula
        | {user: group for user, group in recorded.items() if user in by_formula}
        | {"5": TARGET, "6": TARGET}
    )
    assert (
        dict(
            zip(
                ids,
                assign(pa.array(ids), given, table, spared=pa.array([user in ("5", "6") for user in ids])).to_pylist(),
                strict=True,
            )
        )
        == wanted
    )


def test_the_control_group_is_stable_when_the_audience_grows_and_whatever_the_container() -> None:
    given = spec({"control_group": 20})
    whole = assign(pa.array(IDS), given).to_pylist()
    assert assign(pa.array(IDS[:500]), given).to_pylist() == whole[:500]
    assert assign(pa.chunked_array([IDS[:7], [], IDS[7:]]), given).to_pylist() == whole
    assert assign(pd.Series(IDS, dtype=pd.ArrowDtype(pa.large_string())), given).to_pylist() == whole
    assert assign(pa.array([], pa.string()), given).to_pylist() == []


def test_a_larger_percentage_keeps_everybody_who_was_held_out() -> None:
    small, large = (held_out(pa.array(IDS), "s", Decimal(percent)).to_pylist() for percent in (10, 20))
    assert all(after for before, after in zip(small, large, strict=True) if before)


def test_groups_name_the_outcomes_of_a_run() -> None:
    assert [arm.outcome for arm in Arm] == ["targeted", "control_system", "control_custom", "control_campaign"]
