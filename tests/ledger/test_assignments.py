from __future__ import annotations

import hashlib
from datetime import timedelta

import pyarrow as pa
import pytest
from tests.ledger.records import NOON, acknowledge, changed, start

from audiences.ledger import assignments

pytestmark = pytest.mark.integration


def assign(ledger, campaign, run, **arms):
    table = pa.table({"user_id": list(arms), "arm": list(arms.values())})
    assignments.record(ledger, campaign=campaign, run=run, assigned=table.to_reader())


def users(table):
    return {row["user_id"] for row in table.to_pylist()}


def test_a_day_begins_with_the_run_at_its_first_instant_and_ends_before_that_of_the_next(ledger, campaign, audience):
    hour = timedelta(hours=1)
    for name, at in {"before": NOON - hour, "first": NOON, "last": NOON + 23 * hour, "next": NOON + 24 * hour}.items():
        acknowledge(ledger, start(ledger, campaign, name, at=at), audience.id, changed((campaign, name, b"x", True)))
    found = assignments.added_between(ledger, campaign, NOON, NOON + 24 * hour)
    assert users(found) == {"first", "last"}


def test_whom_other_campaigns_added_on_the_day_does_not_count(ledger, campaign, other, audience):
    acknowledge(ledger, start(ledger, other), audience.id, changed((other, "1", b"x", True)))
    day = timedelta(days=1)
    assert users(assignments.added_between(ledger, campaign, NOON - day, NOON + day)) == set()
    assert users(assignments.added_between(ledger, other, NOON - day, NOON + day)) == {"1"}


def test_only_targets_of_the_campaign_itself_were_ever_targeted(ledger, campaign, other):
    assign(ledger, campaign, start(ledger, campaign), a="target", b="system", c="custom", d="campaign")
    assign(ledger, other, start(ledger, other), e="target")
    assert users(assignments.ever_targeted(ledger, campaign)) == {"a"}


def test_a_users_assignment_is_that_of_the_campaign_with_its_run(ledger, campaign, other):
    run = start(ledger, campaign, terms="10 %")
    assign(ledger, campaign, run, a="custom")
    assign(ledger, other, start(ledger, other), a="target")
    assert assignments.of_user(ledger, campaign, "a") == assignments.Assignment(
        arm="custom", run_id=run, assigned_at=NOON, control_terms="10 %"
    )
    assert assignments.of_user(ledger, campaign, "nobody") is None


def test_groups_come_back_by_the_numbers_of_the_formula(ledger, campaign):
    assign(ledger, campaign, start(ledger, campaign, terms="old"), a="target", b="system", c="custom", d="campaign")
    for later in ("new", "pew"):  # both sides of it in the order of the index
        found = assignments.not_by_formula(ledger, campaign, later).to_pylist()
        assert {row["user_id"]: row["arm"] for row in found} == {"a": 0, "b": 1, "c": 2, "d": 3}
    assert assignments.not_by_formula(ledger, campaign, "old").num_rows == 0


def test_terms_may_be_longer_than_an_index_takes(ledger, campaign):
    """A salt has no limit of length, and a run whose terms could not be put on record could not begin."""
    salt = "".join(hashlib.sha256(bytes([number])).hexdigest() for number in range(200))
    assign(ledger, campaign, start(ledger, campaign, terms=f"campaign {salt}: 10 %"), a="campaign")
    assert assignments.not_by_formula(ledger, campaign, f"campaign {salt}: 20 %").num_rows == 1
    assert assignments.not_by_formula(ledger, campaign, f"campaign {salt}: 10 %").num_rows == 0


def test_a_user_who_is_assigned_again_keeps_the_first_arm_and_run(ledger, campaign):
    first = start(ledger, campaign, "first")
    assign(ledger, campaign, first, a="target")
    assign(ledger, campaign, start(ledger, campaign, "second"), a="system", b="custom")
    kept = assignments.of_user(ledger, campaign, "a")
    assert kept is not None
    assert (kept.arm, kept.run_id) == ("target", first)
    assert users(assignments.ever_targeted(ledger, campaign)) == {"a"}
