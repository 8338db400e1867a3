"""How the users' key reads an id that people write, for texts and files that no query looks into.

It is what `listed_ids` does in SQL. The warehouse is asked by a few probes once, what its key's type takes for one value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import sqlalchemy as sa

from audiences.query.listed_ids import LONGEST_NUMBER, NUMBER, UUID_TEXT, KeyType, listed_ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from audiences.campaign.catalog import Catalog

_NUMBER: Final = re.compile(NUMBER, re.ASCII)
_UUID: Final = re.compile(UUID_TEXT, re.ASCII)
_ONE_UUID: Final = UUID("0a1b2c3d-0000-4000-8000-00000000000a")
# By field of KeySpelling an id, and what it becomes where the type reads it so.
_PROBES: Final = {
    "numbers": ("+007.0", "7"),
    "uuids": (f"{{{str(_ONE_UUID).upper()}}}", str(_ONE_UUID)),
    "padded": ("a ", "a"),
    "caseless": ("A", "a"),
}


@dataclass(frozen=True, slots=True)
class KeySpelling:
    """What the type of the key looks past: the spelling of numbers or of UUIDs, blanks at the end, letter case."""

    numbers: bool = False
    uuids: bool = False
    padded: bool = False
    caseless: bool = False

    def of(self, text: str) -> str:
        """The one spelling of an id, equal for all that the key takes for the same."""
        if self.numbers and len(text) <= LONGEST_NUMBER and _NUMBER.fullmatch(text):
            written = f"{Decimal(text.strip()):f}"
            written = written.rstrip("0").rstrip(".") if "." in written else written
            return "0" if written == "-0" else written
        if self.uuids and _UUID.fullmatch(text):
            return str(UUID(text.strip(" \t\r\n{}")))
        if self.padded:
            return text.rstrip(" ")
        return text.lower() if self.caseless else text


def key_spelling(catalog: Catalog) -> sa.Select[Any]:
    """How the key reads each of the probes, for `spelling_of`: rows of `given` and `read`."""
    # As rows: of constants the planner would try every cast beforehand.
    given = listed_ids(probe for probe, _ in _PROBES.values()).c.user_id
    return sa.select(given.label("given"), KeyType(catalog).listed(given).label("read"))


def spelling_of(rows: Iterable[Mapping[str, str]]) -> KeySpelling:
    """What the warehouse's answer means."""
    read = {row["given"]: row["read"] for row in rows}
    return KeySpelling(**{name: read[given] == same for name, (given, same) in _PROBES.items()})
