"""What is on record of an audience's changes, and why it may not hold those on record."""

from __future__ import annotations

import time

import pytest
from tests.ledger.records import acknowledge, changed, request, session, start

from audiences.ledger import audiences_in_doubt, chunks, content, known_audiences, replace_sessions, requests_in_doubt

pytestmark = pytest.mark.integration
WHY = "Facebook says that its members were changed"


def saw(ledger, audience, *, changed=None, asked_at=None, filling=False, doubt=None):
    content.saw(ledger, audience.id, changed=changed, asked_at=asked_at, filling=filling, why_in_doubt=doubt)


def opened(ledger, run, audience):
    """A replace session of one request, which has left."""
    planned = session(ledger, run, audience.id, requests=1, rows=1)
    replace_sessions.opened(ledger, planned, chunks.of_session(ledger, planned.id)[0])
    return planned


def end(ledger, planned):
    (last,) = chunks.of_session(ledger, planned.id)
    replace_sessions.end(ledger, planned, last, received=1, invalid=0, changes=[])


def test_the_newest_change_that_facebook_told_of_stays_and_so_does_the_first_doubt(ledger, audience):
    saw(ledger, audience, changed=200, filling=True, doubt=WHY)
    saw(ledger, audience, changed=100, doubt="another")
    saw(ledger, audience)
    known = content.known(ledger, audience.id)
    assert (known.seen, known.filling) == (200, False)
    assert content.why_in_doubt(ledger, audience.id) == WHY
    assert audiences_in_doubt.holds(ledger, audience.id)


def test_our_requests_are_told_in_facebooks_time(ledger, campaign, audience, run):
    acknowledge(ledger, run, audience.id, changed((campaign, "1", b"a", True)))
    now = time.time()
    assert content.known(ledger, audience.id).answered == pytest.approx(now, abs=60)
    assert content.known(ledger, audience.id, ahead=5000).answered == pytest.approx(now + 5000, abs=60)
    saw(ledger, audience, asked_at=int(now) - 7000)
    assert content.known(ledger, audience.id).answered == pytest.approx(now - 7000, abs=60)
    saw(ledger, audience)
    assert content.known(ledger, audience.id).answered == pytest.approx(now - 7000, abs=60), "the last that was told"


def test_a_request_under_way_and_one_in_doubt_have_no_answer(ledger, campaign, audience, run):
    assert content.known(ledger, audience.id).unanswered is None
    chunk = request(ledger, run, audience.id)
    chunks.sending(ledger, chunk)
    assert content.known(ledger, audience.id).unanswered is not None
    requests_in_doubt.begin(ledger, chunk, state="refused", error="no", changes=changed((campaign, "1", b"a", True)))
    assert content.known(ledger, audience.id).unanswered is not None
    other = request(ledger, run, audience.id)
    chunks.sending(ledger, other)
    chunks.lose(ledger, chunk, error="gone")
    chunks.unsend(ledger, other)
    assert content.known(ledger, audience.id).unanswered is None


@pytest.mark.parametrize("broke", [False, True])
def test_a_replace_of_whose_end_nothing_is_known_is_a_doubt_until_a_later_one_ended(
    ledger, campaign, audience, run, broke
):
    first = opened(ledger, run, audience)
    if broke:
        replace_sessions.broke(ledger, first, error="no answer")
    assert content.known(ledger, audience.id).opened is not None
    assert content.why_in_doubt(ledger, audience.id) == "a replace of it broke off"
    assert not audiences_in_doubt.holds(ledger, audience.id)
    end(ledger, opened(ledger, start(ledger, campaign, "r2"), audience))
    assert content.known(ledger, audience.id).opened is None
    assert content.why_in_doubt(ledger, audience.id) is None


def test_a_lost_request_is_a_doubt_until_all_was_sent_again(ledger, campaign, audience, run):
    chunk = request(ledger, run, audience.id)
    chunks.sending(ledger, chunk)
    chunks.lose(ledger, chunk, error="gone")
    assert "lost" in content.why_in_doubt(ledger, audience.id)
    end(ledger, opened(ledger, start(ledger, campaign, "r2"), audience))
    assert content.why_in_doubt(ledger, audience.id) is None


def test_a_person_ends_any_doubt(ledger, audience, run):
    saw(ledger, audience, doubt=WHY)
    replace_sessions.broke(ledger, opened(ledger, run, audience), error="no answer")
    chunk = request(ledger, run, audience.id)
    chunks.sending(ledger, chunk)
    chunks.lose(ledger, chunk, error="gone")
    audiences_in_doubt.end(ledger, audience.id)
    assert content.why_in_doubt(ledger, audience.id) is None
    assert not audiences_in_doubt.holds(ledger, audience.id)


def test_a_replace_ends_a_doubt_that_is_older_than_itself_alone(ledger, audience, campaign, run):
    saw(ledger, audience, doubt=WHY)
    end(ledger, opened(ledger, run, audience))
    assert content.why_in_doubt(ledger, audience.id) is None
    second = opened(ledger, start(ledger, campaign, "r2"), audience)
    audiences_in_doubt.begin(ledger, audience.id, "it was restored")
    end(ledger, second)
    assert content.why_in_doubt(ledger, audience.id) == "it was restored"


def test_audiences_of_an_account_are_found_by_facebooks_ids(ledger, audience, campaign):
    known_audiences.record(ledger, ad_account="act_2", facebook_id="99", name="Else", created_for=campaign)
    assert content.of_account(ledger, "act_1") == {"23": audience.id}
