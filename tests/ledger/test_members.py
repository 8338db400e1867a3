from __future__ import annotations

import pytest
from tests.ledger.records import acknowledge, changed, start

from audiences.ledger import member_history, members, other_campaigns

pytestmark = pytest.mark.integration


def now(ledger, audience):
    with members.held(ledger, audience.id) as rows:
        return {
            (row["campaign_id"], row["user_id"], row["identifiers"], row["present"])
            for row in rows.read_all().to_pylist()
        }


def test_a_membership_that_ends_leaves_the_entry_in_the_list_of_those_taken_out(ledger, campaign, audience):
    first, second = start(ledger, campaign), start(ledger, campaign, "r2")
    row = (campaign, "1", b"a", True)
    acknowledge(ledger, first, audience.id, changed(row))
    acknowledge(ledger, first, audience.id, changed(row, present=False))
    acknowledge(ledger, second, audience.id, changed((campaign, "1", b"a", False)))
    assert now(ledger, audience) == {(campaign, "1", b"a", False)}


def test_a_membership_that_ends_leaves_those_of_other_users_campaigns_and_rows(ledger, campaign, other, audience):
    rows = [(campaign, "1", b"a"), (campaign, "1", b"b"), (campaign, "2", b"a"), (other, "1", b"a")]
    acknowledge(ledger, start(ledger, campaign), audience.id, changed(*((*row, True) for row in rows)))
    acknowledge(ledger, start(ledger, campaign, "r2"), audience.id, changed((*rows[0], False)))
    assert now(ledger, audience) == {(*row, True) for row in rows[1:]}


def test_rows_are_counted_once_and_those_taken_out_not_at_all(ledger, campaign, other, audience):
    run = start(ledger, campaign)
    acknowledge(ledger, run, audience.id, changed((campaign, "1", b"a", True), (other, "2", b"a", True)))
    acknowledge(ledger, run, audience.id, changed((campaign, "3", b"c", True), present=False))
    assert (members.count(ledger, audience.id), members.memberships(ledger, audience.id)) == (1, 2)


def test_a_member_with_new_identifiers_is_rekeyed_and_a_newcomer_is_not(ledger, campaign, audience):
    first, second = start(ledger, campaign), start(ledger, campaign, "r2")
    acknowledge(ledger, first, audience.id, changed((campaign, "1", b"a", True), (campaign, "2", b"b", True)))
    acknowledge(
        ledger, second, audience.id,
        changed((campaign, "1", b"a", False), (campaign, "1", b"aa", True), (campaign, "3", b"c", True)),
    )  # fmt: skip
    assert members.rekeyed(ledger, audience.id, campaign, second) == 1
    assert members.rekeyed(ledger, audience.id, campaign, first) == 0


def test_everybody_who_ever_had_a_cell_is_found_by_it(ledger, campaign, audience):
    acknowledge(ledger, start(ledger, campaign), audience.id, changed((campaign, "1", b"xay", True)))
    acknowledge(ledger, start(ledger, campaign, "r2"), audience.id, changed((campaign, "1", b"xay", False)))
    assert [(row.user_id, bytes(row.identifiers)) for row in member_history.with_bytes(ledger, [b"a"])] == [
        ("1", b"xay")
    ]
    assert member_history.with_bytes(ledger, [b"b"]) == []


def test_neighbours_of_an_audience_are_those_who_hold_somebody_in_it_now(ledger, campaign, other, audience):
    acknowledge(ledger, start(ledger, other), audience.id, changed((other, "1", b"a", True)))
    assert [row.name for row in other_campaigns.holding(ledger, audience=audience.id, campaign=campaign)] == ["other"]
    assert other_campaigns.holding(ledger, audience=audience.id, campaign=other) == []
    assert other_campaigns.members_of(ledger, audience=audience.id, campaign=other) == 1
    acknowledge(ledger, start(ledger, other, "r2"), audience.id, changed((other, "1", b"a", False)))
    assert other_campaigns.holding(ledger, audience=audience.id, campaign=campaign) == []
    assert other_campaigns.members_of(ledger, audience=audience.id, campaign=other) == 0
