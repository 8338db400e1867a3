"""The users' key goes into the ledger and the staged files as it is, so it must not be an address or a phone number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pyarrow.compute as pc

from audiences.campaign.wording import shown
from audiences.errors import FixConfigError

if TYPE_CHECKING:
    import pyarrow as pa

    from audiences.campaign.catalog import Users

PATTERN: Final = r"@|^\s*[+][0-9][0-9 ().-]{5,}[0-9]\s*$"
"""An e-mail address, or a phone number with its country code: for Postgres and RE2. A number without `+` may be any id."""
WAY_OUT: Final = "Name the column of a generated id, or map a view that has one or a hash (sha256) of it as the key"


@dataclass(eq=False)
class KeyIsIdentifierError(FixConfigError):
    """The values of the users' key are e-mail addresses or phone numbers."""

    relation: str
    key: str
    users: int

    def __str__(self) -> str:
        return (
            f"`users.key` of include/warehouse.yml is {shown(self.key)} of {shown(self.relation)}, and of the users looked at "
            f"{self.users:,} have an e-mail address or a phone number there. The key is stored in the ledger as it is, and "
            f"those must not be. {WAY_OUT}. Nothing was sent or stored"
        )


def ensure_key(users: Users, keys: pa.Array) -> None:
    """Raise KeyIsIdentifierError when some of the keys, texts, are addresses or phone numbers."""
    found = pc.sum(pc.match_substring_regex(keys, PATTERN)).as_py()
    if found:
        raise KeyIsIdentifierError(relation=users.relation, key=users.key, users=found)
