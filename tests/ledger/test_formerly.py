"""A campaign that goes on under another name."""

from __future__ import annotations

import pytest
from tests.ledger.records import acknowledge, changed, one, start

from audiences.ledger import campaigns, ended_campaigns, formerly, known_audiences, member_history, runs
from audiences.ledger.campaigns import RenamedCampaignError
from audiences.ledger.formerly import CannotTakeOverError

pytestmark = pytest.mark.integration


@pytest.fixture
def has_run(ledger, campaign, audience):
    """The campaign `abandoned_cart` with a member and a run that has ended."""
    run = start(ledger, campaign)
    acknowledge(ledger, run, audience.id, changed((campaign, "1", b"a", True)))
    runs.end(ledger, run, state="success", outcomes={"kept": 1})
    return campaign


def work(ledger, name, *formerly_called):
    with formerly.working_on(ledger, name, formerly_called) as known:
        return known


def test_a_campaign_keeps_its_number_and_its_salt_through_any_number_of_names(ledger, has_run):
    assert work(ledger, "abandoned_cart").salt == "abandoned_cart"
    for names in (("carts", "abandoned_cart"), ("carts", "abandoned_cart"), ("baskets", "carts")):
        known = work(ledger, *names)
        assert (known.id, known.name, known.salt) == (has_run, names[0], "abandoned_cart")
    assert formerly.names(ledger) == ["baskets"]


def test_a_look_finds_it_under_the_new_name_before_it_was_taken_over_and_changes_nothing(ledger, has_run):
    assert formerly.find(ledger, "carts", ["abandoned_cart"]).id == has_run
    assert formerly.names(ledger) == ["abandoned_cart"]
    assert formerly.find(ledger, "strangers") is None


def test_an_id_that_was_given_up_is_refused_until_it_says_whom_it_takes_over(ledger, has_run):
    work(ledger, "carts", "abandoned_cart")
    for call in (formerly.find, work, campaigns.number):
        with pytest.raises(RenamedCampaignError, match="formerly: carts"):
            call(ledger, "abandoned_cart")
    known = work(ledger, "abandoned_cart", "carts")
    assert (known.id, known.name, known.salt) == (has_run, "abandoned_cart", "abandoned_cart")
    assert campaigns.successor_of(ledger, "abandoned_cart") is None


def test_what_another_campaign_has_taken_over_already_cannot_be_taken_over_again(ledger, has_run):
    work(ledger, "carts", "abandoned_cart")
    with pytest.raises(CannotTakeOverError, match="formerly: carts"):
        work(ledger, "baskets", "abandoned_cart")
    assert work(ledger, "carts", "abandoned_cart").id == has_run


def test_only_one_history_can_be_kept(ledger, has_run, other, audience):
    with pytest.raises(CannotTakeOverError, match="only one"):
        work(ledger, "carts", "abandoned_cart", "other")
    acknowledge(ledger, start(ledger, other, "r2"), audience.id, changed((other, "2", b"b", True)))
    known_audiences.record(ledger, ad_account="act_1", facebook_id="77", name="Other", created_for=other)
    with pytest.raises(CannotTakeOverError, match="history of its own"):
        work(ledger, "other", "abandoned_cart")
    assert formerly.names(ledger) == ["abandoned_cart", "other"]


def test_a_few_failed_runs_under_the_new_name_become_the_campaigns(ledger, has_run):
    new = campaigns.number(ledger, "carts")
    runs.end(ledger, start(ledger, new, "failed"), state="failed")
    assert work(ledger, "carts", "abandoned_cart").id == has_run
    assert one(ledger, "select count(*) as n from audiences.run where campaign_id = %(id)s", {"id": has_run}).n == 2
    assert formerly.names(ledger) == ["carts"]


def test_a_campaign_taken_over_is_no_longer_missing_and_its_members_are_its_own(ledger, has_run, audience):
    ledger.sql.execute(
        "update audiences.campaign set missing_since = now() - interval '9 days' where id = %s", (has_run,)
    )
    work(ledger, "carts", "abandoned_cart")
    row = one(ledger, "select missing_since from audiences.campaign where id = %(id)s", {"id": has_run})
    assert row.missing_since is None
    assert [one.campaign for one in member_history.history(ledger, audience.id, "1")] == ["carts"]
    assert ended_campaigns.last_config(ledger, "carts") == {"name": "x"}


def test_a_take_over_is_told_by_the_first_run_after_it_and_not_again(ledger, has_run):
    assert formerly.taken_over_since_last_run(ledger, has_run) == []
    work(ledger, "carts", "abandoned_cart")
    assert formerly.taken_over_since_last_run(ledger, has_run) == ["abandoned_cart"]
    start(ledger, has_run, "r2")
    assert formerly.taken_over_since_last_run(ledger, has_run) == []


def test_which_campaigns_have_still_to_be_taken_over_or_lost_their_id_is_asked_at_once(ledger, has_run):
    assert formerly.to_be_taken_over(ledger, {"carts": ["abandoned_cart"], "hats": ["caps"]}) == ["carts"]
    work(ledger, "carts", "abandoned_cart")
    assert formerly.to_be_taken_over(ledger, {"carts": ["abandoned_cart"]}) == []
    assert formerly.to_be_taken_over(ledger, {"abandoned_cart": [], "hats": []}) == ["abandoned_cart"]


def test_a_former_id_that_nobody_has_heard_of_is_told(ledger, has_run):
    assert formerly.all_unknown(ledger, ["carts", "caps"])
    assert not formerly.all_unknown(ledger, ["caps", "abandoned_cart"])
    assert not formerly.all_unknown(ledger, [])
    work(ledger, "carts", "abandoned_cart")
    assert not formerly.all_unknown(ledger, ["abandoned_cart"])
