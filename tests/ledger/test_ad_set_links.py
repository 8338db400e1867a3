from __future__ import annotations

import pytest
from tests.ledger.records import NOON, start

from audiences.ledger import ad_set_links

pytestmark = pytest.mark.integration


@pytest.fixture
def links(ledger, campaign, other, audience):
    """Puts a link of a campaign on record and gives it."""

    def make(name, *, made_by_us, error=None, ad_set="7"):
        of = {"campaign": campaign, "other": other}[name]
        ad_set_links.record(
            ledger,
            campaign=of,
            audience=audience.id,
            ad_set_id=ad_set,
            place="included",
            run=start(ledger, of),
            at=NOON,
            made_by_us=made_by_us,
            error=error,
        )
        return next(link for link in ad_set_links.of_campaign(ledger, of) if link.ad_set_id == ad_set)

    return make


@pytest.mark.parametrize(
    ("made_by_us", "error", "ours"),
    [
        (True, None, True),
        (True, "cannot be taken back", True),
        (False, None, False),
        (None, None, True),  # about to be written when the process died: it may have been
        (None, "refused", False),  # it was not written; if it is there by now, a person made it
    ],
)
def test_a_link_is_ours_to_take_back_if_we_made_it_or_may_have(links, made_by_us, error, ours):
    assert links("campaign", made_by_us=made_by_us, error=error).ours is ours


@pytest.mark.parametrize("made_by_us", [True, False])
def test_a_link_goes_to_the_other_campaign_with_what_it_was(ledger, links, other, made_by_us):
    first = links("campaign", made_by_us=made_by_us)
    links("other", made_by_us=False)
    ad_set_links.forget(ledger, first)
    assert [link.ours for link in ad_set_links.of_campaign(ledger, other)] == [made_by_us]


def test_only_the_same_ad_set_goes_to_the_other_campaign(ledger, links, other):
    first = links("campaign", made_by_us=True)
    links("other", made_by_us=False, ad_set="8")
    ad_set_links.forget(ledger, first)
    assert [link.ours for link in ad_set_links.of_campaign(ledger, other)] == [False]


def test_what_others_want_of_an_ad_set_leaves_the_campaigns_own_wish_out(ledger, links, campaign, other, audience):
    links("campaign", made_by_us=True)
    links("other", made_by_us=False)
    links("other", made_by_us=False, ad_set="8")
    found = ad_set_links.of_others(ledger, campaign=campaign, audience=audience.id, ad_set_id="7")
    assert [(link.campaign, link.ad_set_id) for link in found] == [(other, "7")]


def test_why_a_link_could_not_be_taken_back_is_on_record_for_that_one_alone(ledger, links, campaign):
    link = links("campaign", made_by_us=True)
    links("campaign", made_by_us=True, ad_set="8")
    ad_set_links.refuse(ledger, link, "archived")
    assert [one.error for one in ad_set_links.of_campaign(ledger, campaign)] == ["archived", None]
