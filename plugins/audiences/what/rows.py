"""A user's identifiers as one compact value, as the ledger keeps it and as a request sends it.

The packed form is, per identifier that the user has and in the order of `KEYS`: the key's number, the length, the bytes.
It names its own keys, so rows of an earlier mapping can still be sent, and two rows are the same to Facebook exactly when
their bytes are.
"""

from __future__ import annotations

from functools import reduce
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
    cells = {key: _cell(key, columns[key].cast(pa.binary())) for key in known}
    parts = [part for cell in cells.values() for part in cell]
    separator = pa.scalar(b"", pa.binary())
    packed = pc.binary_join_element_wise(*parts, separator, null_handling="replace", null_replacement=b"")
    alone = [values.is_valid() for key, (_, values) in cells.items() if key in ALONE]
    reachable = reduce(pc.or_, alone, pa.repeat(pa.scalar(False), len(packed)))
    return packed if pc.all(reachable).as_py() else pc.if_else(reachable, packed, pa.scalar(None, pa.binary()))


def _cell(key: str, values: pa.Array) -> tuple[pa.Array | pa.Scalar, pa.Array]:
    """What stands before each value, its key's number and its length, and the values; both null where there is no value."""
    number = bytes([KEYS[key]])
    if key in UNHASHED:
        starts = pa.array([number + bytes([length]) for length in range(LONGEST + 1)], pa.binary())
        lengths = pc.binary_length(values)
        fitting = pc.if_else(pc.less_equal(lengths, LONGEST), lengths, pa.scalar(None, lengths.type))
        return starts.take(fitting), pc.if_else(fitting.is_valid(), values, pa.scalar(None, pa.binary()))
    start = pa.scalar(number + bytes([SHA256]), pa.binary())
    return pc.if_else(values.is_valid(), start, pa.scalar(None, pa.binary())) if values.null_count else start, values


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
