"""A users' key that is an address or a phone number is stored nowhere."""

from __future__ import annotations

import pytest
from tests.pipeline.conftest import CATALOG

from audiences.query.key import KeyIsIdentifierError

pytestmark = pytest.mark.integration


@pytest.fixture
def keyed(shop):
    """The users by a key of text, which some of them have as an address."""
    shop.sql("alter table users add code text; alter table events add code text")
    for number in range(1, 4):
        shop.user(number, f"user{number}@example.com", code=f"c{number}")
        shop.event(number)

    def campaign(code):
        shop.sql("update users set code = %s where id = 2", code)
        shop.sql("update events e set code = u.code from users u where u.id = e.user_id")
        catalog = {
            "users": {**CATALOG["users"], "key": "code"},
            "events": {**CATALOG["events"], "user": "code"},
        }
        return shop.campaign(catalog=catalog)

    return campaign


@pytest.mark.parametrize("code", ["jane@example.com", "+44 20 7946 0958", " +14155550002"])
def test_a_run_stops_before_anything_is_sent_or_stored(shop, keyed, code):
    summary = shop.run(keyed(code))
    assert summary.state == "failed"
    assert "1 have an e-mail address or a phone number there" in summary.error
    assert "a generated id, or map a view" in summary.error
    assert code not in summary.error
    assert shop.uploads() == []
    assert shop.sql("select count(*) from audiences.assignment", on="ledger") == [(0,)]
    assert not [file for file in shop.staging.rglob("*") if file.is_file() and code.encode() in file.read_bytes()]
    config = shop.sql("select config::text from audiences.run", on="ledger")
    assert code not in str(config)


def test_a_preview_says_so_too(shop, keyed):
    with pytest.raises(KeyIsIdentifierError):
        shop.preview(keyed("jane@example.com"))


@pytest.mark.parametrize("code", ["c2", "14155550002", "+1", "a" * 64])
def test_any_other_key_is_fine(shop, keyed, code):
    assert shop.run(keyed(code)).state == "success"
