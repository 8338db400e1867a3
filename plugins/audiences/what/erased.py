"""Erased people, recognised without knowing them: by salted hashes of user ids and of the identifiers that name one person.

The hashes cannot be listed back into people. Whoever holds both the salt and an id or an e-mail address can ask whether it is
among them, which is exactly what every upload has to do.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from audiences.what.rows import ALONE, KEYS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_USER = b"\0"  # no key of an identifier has this number
_STRONG = frozenset(KEYS[key] for key in ALONE)


@dataclass(frozen=True, slots=True)
class Erased:
    """Everybody who was erased: the ledger's salt, and the hashes."""

    salt: bytes
    digests: frozenset[bytes]

    def digest_of_user(self, user: str) -> bytes:
        """The hash by which a user id is recognised."""
        return self._digest(_USER + user.encode())

    def digests_of_row(self, row: bytes) -> Iterator[bytes]:
        """The hashes of the identifiers in a packed row of which one is enough to name a person."""
        return (self._digest(cell) for cell in strong_cells(row))

    def has_user(self, user: str) -> bool:
        """Whether the user of this id was erased."""
        return bool(self.digests) and self.digest_of_user(user) in self.digests

    def among(self, users: pa.Array, rows: pa.Array) -> pa.Array:
        """For each user id with a packed row (or null) whether it is an erased person's."""
        if not self.digests:
            return pa.repeat(False, len(users))
        return pa.array(
            self.digest_of_user(user) in self.digests
            or (row is not None and not self.digests.isdisjoint(self.digests_of_row(row)))
            for user, row in zip(users.to_pylist(), rows.to_pylist(), strict=True)
        )

    def _digest(self, value: bytes) -> bytes:
        return hashlib.sha256(self.salt + value).digest()


NOBODY: Final = Erased(b"", frozenset())
"""Nobody was erased."""


def strong_cells(row: bytes) -> Iterator[bytes]:
    """The cells of a packed row, as they stand in it, of which one is enough to name a person."""
    at = 0
    while at < len(row):
        end = at + 2 + row[at + 1]
        if row[at] in _STRONG:
            yield row[at:end]
        at = end


def rows_in_common(rows: Iterable[bytes], cells: frozenset[bytes]) -> list[bytes]:
    """Those of the packed rows that hold one of the cells."""
    return [row for row in rows if not cells.isdisjoint(strong_cells(row))]
