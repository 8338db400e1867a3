"""A user's identifiers as one compact value, as the ledger keeps it and as a request sends it.

The packed form is, per identifier that the user has and in the order of `KEYS`: the key's number, the length, the bytes.
It names its own keys, so rows of an earlier mapping can still be sent, and two rows are the same to Facebook exactly when
their bytes are.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from audiences.campaign.identifiers import FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Facebook's keys with the numbers by which ledgers store them, in the order of the numbers.
_NUMBERS: Final = {key: number for field in FIELDS.values() for key, number in field.keys.items()}
KEYS: Final = dict(sorted(_NUMBERS.items(), key=itemgetter(1)))
NAMES: Final = {number: key for key, number in KEYS.items()}
UNHASHED: Final = frozenset(key for field in FIELDS.values() if not field.hashed for key in field.keys)
ALONE: Final = tuple(key for field in FIELDS.values() if field.identifying for key in field.keys)
"""The keys of which one is enough to find a person; a row with a country or a name only is not worth sending."""

SHA256: Final = 32
LONGEST: Final = 255
"""The most bytes of a cell: one byte holds the length."""


def keys_of(identifiers: Iterable[str]) -> tuple[str, ...]:
    """Facebook's keys for identifiers by their names in the campaign file, in the order of `KEYS`."""
    wanted = {key for name in identifiers for key in FIELDS[name].keys}
    return tuple(key for key in KEYS if key in wanted)


def pack(columns: Mapping[str, pa.Array]) -> pa.Array:
    """One binary value per user from equally long columns by Facebook key; null when no identifier in `ALONE` is there.

    Hashed keys come as 32 bytes, the others as text; null stands for an identifier that the user lacks.
    """
    known = [key for key in KEYS if key in columns]
    cells = [_cells(key, columns[key]) for key in known]
    packed = pc.binary_join_element_wise(
        *cells, pa.scalar(b"", pa.binary()), null_handling="replace", null_replacement=b""
    )
    reachable = pa.repeat(pa.scalar(False), len(packed))
    for key in known:
        if key in ALONE:
            reachable = pc.or_(reachable, pc.is_valid(columns[key]))
    return pc.if_else(reachable, packed, pa.scalar(None, pa.binary()))


def _cells(key: str, values: pa.Array) -> pa.Array:
    number = bytes([KEYS[key]])
    separator = pa.scalar(b"", pa.binary())
    if key not in UNHASHED:
        prefix = pa.scalar(number + bytes([SHA256]), pa.binary())
        return pc.binary_join_element_wise(prefix, values.cast(pa.binary()), separator)
    encoded = [None if text is None or len(text) > LONGEST else text for text in values.cast(pa.binary()).to_pylist()]
    return pa.array([None if text is None else number + bytes([len(text)]) + text for text in encoded], pa.binary())


def unpack(row: bytes) -> dict[str, str]:
    """The cells of a packed row by Facebook key, as they are sent: hashes in lower-case hex, the others as text."""
    cells: dict[str, str] = {}
    at = 0
    while at < len(row):
        key, length = NAMES[row[at]], row[at + 1]
        value = row[at + 2 : at + 2 + length]
        cells[key] = value.decode() if key in UNHASHED else value.hex()
        at += 2 + length
    return cells
