from __future__ import annotations

import pytest
from tests.ledger.records import NOON, acknowledge, changed, start

from audiences.ledger import audience_revisions, known_audiences, member_changes, members, trails
from audiences.ledger.audience_revisions import Holding
from audiences.ledger.trails import Trail

pytestmark = pytest.mark.integration
TWO = Holding(memberships=2, rows=1)


def counted_at_its_newest(ledger, audience, holding=TWO):
    audience_revisions.count(ledger, audience.id, at=audience_revisions.newest(ledger, audience.id), holding=holding)
    assert audience_revisions.counted(ledger, audience.id) == holding


def test_what_an_audience_holds_is_known_until_somebody_changes_it(ledger, campaign, audience):
    assert audience_revisions.counted(ledger, audience.id) is None
    counted_at_its_newest(ledger, audience)
    acknowledge(ledger, start(ledger, campaign), audience.id, changed((campaign, "1", b"a", True)))
    assert audience_revisions.counted(ledger, audience.id) is None
    counted_at_its_newest(ledger, audience)


def test_a_receipt_that_changes_no_membership_leaves_what_is_known(ledger, campaign, audience):
    counted_at_its_newest(ledger, audience)
    acknowledge(ledger, start(ledger, campaign), audience.id, changed())
    assert audience_revisions.counted(ledger, audience.id) == TWO


def test_what_was_counted_before_others_changed_it_is_not_put_on_record(ledger, campaign, audience):
    before = audience_revisions.newest(ledger, audience.id)
    acknowledge(ledger, start(ledger, campaign), audience.id, changed((campaign, "1", b"a", True)))
    audience_revisions.count(ledger, audience.id, at=before, holding=TWO)
    assert audience_revisions.counted(ledger, audience.id) is None


def test_memberships_that_are_known_are_counted_on_as_they_begin_and_end(ledger, campaign, audience):
    run = start(ledger, campaign)

    def record(*changes):
        acknowledge(ledger, run, audience.id, changed(*changes))
        return audience_revisions.memberships(ledger, audience.id), members.memberships(ledger, audience.id)

    assert record((campaign, "0", b"z", True)) == (None, 1), "nobody has counted"
    counted_at_its_newest(ledger, audience, Holding(memberships=1, rows=1))
    assert record((campaign, "1", b"a", True), (campaign, "2", b"b", True)) == (3, 3)
    assert record((campaign, "1", b"a", False), (campaign, "3", b"c", True)) == (3, 3)
    assert record((campaign, "1", b"a", False), (campaign, "2", b"other", False)) == (3, 3), "there is none of these"
    assert record((campaign, "2", b"b", False)) == (2, 2)
    assert audience_revisions.counted(ledger, audience.id) is None, (
        "how many different rows there are is another matter"
    )
    audience_revisions.changed_by_no_run(ledger, audience.id)
    assert record((campaign, "4", b"d", True)) == (None, 3)


def test_who_was_taken_out_counts_for_nobody(ledger, campaign, audience):
    counted_at_its_newest(ledger, audience, Holding(memberships=0, rows=0))
    run = start(ledger, campaign)
    acknowledge(
        ledger, run, audience.id, changed((campaign, "1", b"a", True), (campaign, "2", b"b", True), present=False)
    )
    acknowledge(ledger, run, audience.id, changed((campaign, "1", b"a", False), present=False))
    assert audience_revisions.memberships(ledger, audience.id) == members.memberships(ledger, audience.id) == 0


def test_a_run_knows_whether_others_have_changed_the_audience_since_it_planned(ledger, campaign, audience):
    ours, theirs = start(ledger, campaign, "ours"), start(ledger, campaign, "theirs")

    def change(run, user):
        acknowledge(ledger, run, audience.id, changed((campaign, user, user.encode(), True)))

    def only_by_us(since):
        return audience_revisions.only_by(ledger, audience.id, run=ours, since=since)

    change(theirs, "1")
    planned = audience_revisions.newest(ledger, audience.id)
    assert only_by_us(planned) == planned
    change(ours, "2")
    change(ours, "3")
    assert only_by_us(planned) == planned + 2
    change(theirs, "4")
    change(ours, "5")
    assert only_by_us(planned) is None
    # After a breakdown of the server its unlogged tables are empty.
    planned = audience_revisions.newest(ledger, audience.id)
    ledger.sql.execute("truncate audiences.audience_revision")
    change(ours, "6")
    assert only_by_us(planned) is None


def _deleted(ledger, audience, campaign):
    known_audiences.deleted(ledger, audience.id, run=start(ledger, campaign), at=NOON)


def _left(ledger, audience, campaign):
    member_changes.end_of_campaign(ledger, audience=audience.id, campaign=campaign)


def _erased(ledger, audience, campaign):  # as the others
    trails.remove(ledger, Trail("1"))


@pytest.mark.parametrize("change", [_deleted, _left, _erased])
def test_whatever_else_changes_memberships_makes_it_unknown(ledger, campaign, audience, change):
    counted_at_its_newest(ledger, audience)
    change(ledger, audience, campaign)
    assert audience_revisions.counted(ledger, audience.id) is None
