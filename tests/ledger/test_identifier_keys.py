from __future__ import annotations

import pytest

from audiences.ledger import identifier_keys

pytestmark = pytest.mark.integration


def test_earlier_keys_are_told_from_a_change_until_all_members_have_moved(ledger, campaign, other, audience):
    def begin(*schema, of=campaign):
        return identifier_keys.begin(ledger, campaign=of, audience=audience.id, schema=schema)

    assert begin("EMAIL") is None
    assert begin("EMAIL") is None
    assert begin("EMAIL", "PHONE") == ("EMAIL",)
    assert begin("EMAIL", "PHONE") == ("EMAIL",), "until the run has moved all"
    assert begin("PHONE", of=other) is None
    identifier_keys.moved(ledger, campaign=campaign, audience=audience.id)
    assert begin("EMAIL", "PHONE") is None
    assert begin("PHONE") == ("EMAIL", "PHONE")


def test_a_change_that_is_taken_back_goes_on_until_all_have_moved(ledger, campaign, audience):
    def begin(*schema):
        return identifier_keys.begin(ledger, campaign=campaign, audience=audience.id, schema=schema)

    begin("EMAIL")
    begin("PHONE")
    assert begin("EMAIL") == ("EMAIL",)
    identifier_keys.moved(ledger, campaign=campaign, audience=audience.id)
    assert begin("EMAIL") is None
