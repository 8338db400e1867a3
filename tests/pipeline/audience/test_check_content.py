"""What a look at an audience puts on record, and says only once."""

from __future__ import annotations

import pytest
from tests.ledger import conftest as of_ledger
from tests.pipeline.audience.test_changed_by_others import AT, status

from audiences.ledger import audiences_in_doubt, content
from audiences.pipeline.audience.in_doubt import check_content

ledger, campaign, audience = of_ledger.ledger, of_ledger.campaign, of_ledger.audience  # fixtures
pytestmark = pytest.mark.integration


def test_a_doubt_is_told_when_it_comes_up_and_not_again(ledger, audience):
    assert "changed" in check_content(ledger, audience.id, status(AT))
    assert check_content(ledger, audience.id, status(AT + 100)) is None
    assert "changed" in content.why_in_doubt(ledger, audience.id)
    assert content.known(ledger, audience.id).seen == AT + 100


def test_a_change_that_was_seen_before_a_person_ended_the_doubt_is_no_doubt_again(ledger, audience):
    check_content(ledger, audience.id, status(AT))
    audiences_in_doubt.end(ledger, audience.id)
    assert check_content(ledger, audience.id, status(AT)) is None
    assert content.why_in_doubt(ledger, audience.id) is None
    assert "changed" in check_content(ledger, audience.id, status(AT + 1))


def test_a_look_at_an_audience_that_never_changed_finds_nothing(ledger, audience):
    assert check_content(ledger, audience.id, status(None)) is None
    assert content.why_in_doubt(ledger, audience.id) is None
