"""Which audience is a campaign's, who may change one at the moment, and what becomes of one that is gone."""

from __future__ import annotations

import pytest
from tests.ledger.records import NOON, acknowledge, changed, request, start

from audiences.ledger import chunks, content, expiry, known_audiences, member_history, members
from audiences.ledger.known_audiences import AudienceTakenError

pytestmark = pytest.mark.integration


def record(ledger, campaign, facebook_id, name="Carts", account="act_1"):
    return known_audiences.record(ledger, ad_account=account, facebook_id=facebook_id, name=name, created_for=campaign)


def held(ledger, audience):
    with members.held(ledger, audience) as rows:
        return sorted((row["campaign_id"], row["user_id"], row["present"]) for row in rows.read_all().to_pylist())


def test_of_several_audiences_the_one_of_that_name_is_found_and_else_the_newest(ledger, campaign, audience):
    newest = record(ledger, campaign, "24", "Hats")

    def found(name, account="act_1"):
        known = known_audiences.created_for(ledger, campaign=campaign, ad_account=account, name=name)
        return known and known.facebook_id

    assert (found("Carts"), found("Hats"), found("Shoes"), found("Carts", "act_2")) == ("23", "24", "24", None)
    known_audiences.deleted(ledger, newest.id, run=start(ledger, campaign), at=NOON)
    assert (found("Hats"), found("Shoes")) == ("23", "23")


def test_a_look_leaves_an_audience_whose_it_is_and_its_mark(ledger, campaign, audience):
    known_audiences.note_mark(ledger, audience.id, "[mark]")
    again = record(ledger, None, "23", "Carts, renamed")
    assert (again.id, again.created, again.mark, again.name) == (audience.id, True, "[mark]", "Carts, renamed")


def test_one_campaign_at_a_time_changes_an_audience(ledger, campaign, other, audience):
    known_audiences.claim(ledger, audience.id, campaign)
    known_audiences.claim(ledger, audience.id, campaign)
    with pytest.raises(AudienceTakenError, match="`abandoned_cart`"):
        known_audiences.claim(ledger, audience.id, other)
    known_audiences.release(ledger, audience.id, other)
    with pytest.raises(AudienceTakenError):
        known_audiences.claim(ledger, audience.id, other)
    known_audiences.release(ledger, audience.id, campaign)
    known_audiences.claim(ledger, audience.id, other)


@pytest.mark.parametrize(("after", "taken"), [(-601, False), (-540, True), (0, True)])
def test_a_claim_that_was_not_renewed_ends_by_itself(ledger, campaign, other, audience, after, taken):
    known_audiences.claim(ledger, audience.id, campaign)
    known_audiences.renew(ledger, audience.id, after=after)
    if taken:
        with pytest.raises(AudienceTakenError):
            known_audiences.claim(ledger, audience.id, other)
    else:
        known_audiences.claim(ledger, audience.id, other)


def test_one_campaign_lets_go_of_its_own_audience_alone(ledger, campaign, other, audience):
    second = record(ledger, campaign, "24")
    known_audiences.claim(ledger, audience.id, campaign)
    known_audiences.claim(ledger, second.id, campaign)
    known_audiences.release(ledger, audience.id, campaign)
    with pytest.raises(AudienceTakenError):
        known_audiences.claim(ledger, second.id, other)


def test_a_deleted_audience_holds_nobody_any_more_and_what_had_ended_before_stays_so(ledger, campaign, other, audience):
    first, last = start(ledger, campaign), start(ledger, other, "r2")
    acknowledge(ledger, first, audience.id, changed((campaign, "1", b"a", True), (other, "2", b"b", True)))
    acknowledge(ledger, first, audience.id, changed((campaign, "1", b"a", False)))
    planned = request(ledger, last, audience.id)
    known_audiences.deleted(ledger, audience.id, run=last, at=NOON)
    assert held(ledger, audience.id) == []
    assert [one.removed_run for user in "12" for one in member_history.history(ledger, audience.id, user)] == [
        first,
        last,
    ]
    assert [chunk.state for chunk in chunks.of_run(ledger, planned.run)] == ["dropped"]


def test_in_place_of_a_deleted_audience_one_campaigns_members_go_on_with_their_time(ledger, campaign, other, audience):
    first = start(ledger, campaign)
    acknowledge(ledger, first, audience.id, changed((campaign, "1", b"a", True), (other, "2", b"b", True)))
    acknowledge(ledger, first, audience.id, changed((campaign, "3", b"c", True), present=False))
    new = record(ledger, campaign, "24")
    later = start(ledger, campaign, "r2")
    known_audiences.replaced(ledger, audience.id, by=new.id, run=later, at=NOON, carried_by=campaign)
    assert (held(ledger, audience.id), held(ledger, new.id)) == ([], [(campaign, "1", True)])
    assert expiry.expiring(ledger, audience=new.id, campaign=campaign, since=NOON).num_rows == 1
    assert "made in place" in content.why_in_doubt(ledger, new.id)
    assert content.why_in_doubt(ledger, audience.id) is None


def test_members_left_behind_are_told_while_their_audience_is_there(ledger, campaign, other, audience):
    run = start(ledger, campaign)
    old = record(ledger, campaign, "22", "Old")
    acknowledge(
        ledger, run, old.id, changed((campaign, "1", b"a", True), (campaign, "2", b"b", True), (other, "3", b"c", True))
    )
    acknowledge(ledger, run, old.id, changed((campaign, "2", b"b", False)))
    acknowledge(ledger, run, audience.id, changed((campaign, "1", b"a", True)))

    def told():
        return [
            (one.facebook_id, one.members)
            for one in known_audiences.left_behind(ledger, campaign=campaign, audience=audience.id)
        ]

    assert told() == [("22", 1)]
    known_audiences.deleted(ledger, old.id, run=run, at=NOON)
    assert told() == []


def test_an_adopted_audience_is_the_campaigns_and_in_doubt_and_its_former_campaign_holds_nobody_in_it(
    ledger, campaign, other, audience
):
    acknowledge(
        ledger, start(ledger, campaign), audience.id, changed((campaign, "1", b"a", True), (other, "2", b"b", True))
    )
    known_audiences.note_mark(ledger, audience.id, "[mark]")
    known = known_audiences.adopted(
        ledger, ad_account="act_1", facebook_id="23", name="Carts", campaign=other, reason="it was adopted"
    )
    assert (known.id, known.created) == (audience.id, True)
    assert known_audiences.find(ledger, "23").mark is None
    assert known_audiences.created_for(ledger, campaign=other, ad_account="act_1", name="Carts").id == audience.id
    assert held(ledger, audience.id) == [(other, "2", True)]
    assert content.why_in_doubt(ledger, audience.id) == "it was adopted"
    known_audiences.claim(ledger, audience.id, campaign)  # it was let go of
