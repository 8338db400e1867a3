"""What may be the users' key."""

from __future__ import annotations

import pyarrow as pa
import pytest

from audiences.campaign.catalog import Users
from audiences.query.key import KeyIsIdentifierError, ensure_key

USERS = Users.model_validate({"relation": "users", "key": "login"})


@pytest.mark.parametrize("key", ["anna@example.com", "+49 151 23456789", " +4915123456789 "])
def test_a_single_address_or_number_among_the_keys_is_refused_and_counted(key: str) -> None:
    with pytest.raises(KeyIsIdentifierError) as caught:
        ensure_key(USERS, pa.array(["1", key, None]))
    assert caught.value.users == 1
    assert key.strip() not in str(caught.value)


def test_numbers_and_codes_are_keys() -> None:
    ensure_key(USERS, pa.array(["4915123456789", "a-1", "", None]))
    ensure_key(USERS, pa.array([], pa.string()))
