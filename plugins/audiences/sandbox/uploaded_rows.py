"""Reads the `payload` of an upload: checks its form, tells valid rows from invalid ones, packs them.

A request of 10,000 rows is looked at column by column; single cells are looked at only where a column is not clean.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import partial, reduce
from hashlib import sha256
from itertools import chain, repeat
from operator import mul, or_
from typing import Any

import orjson

from audiences.sandbox.graph.error_table import refuse
from audiences.sandbox.member_sets import HASHED_KEYS, PLAIN_KEYS, Groups, pack

MULTI_HASHES = "FILE_IMPORTED.MULTI_HASHES"
HASHES_OR_USER_IDS = "FILE_IMPORTED.HASHES_OR_USER_IDS"
MAX_ROWS = 10_000
MAX_SAMPLES = 100
EMPTY_HASH = sha256(b"").hexdigest()

_SINGLE_KEYS = {"EMAIL_SHA256": "EMAIL", "PHONE_SHA256": "PHONE", "MOBILE_ADVERTISER_ID": "MADID"}
# Columns that say something about a row and are no part of who it is.
_VALUE = "LOOKALIKE_VALUE"
_ATTRIBUTES = frozenset({_VALUE})
_HEX = b"0123456789abcdef"
_DEVICE = re.compile(r"[0-9a-zA-Z]{8}(-[0-9a-zA-Z]{4}){3}-[0-9a-zA-Z]{12}|[0-9a-f]{64}")


def _hashes(values: list[str]) -> frozenset[str]:
    return frozenset(sha256(value.encode()).hexdigest() for value in values)


# Facebook's archived uploader accepts only the hashes of these values.
_ENUMERATED = {
    "GEN": _hashes(["m", "f"]),
    "DOBY": _hashes([str(year) for year in range(1900, 2031)]),
    "DOBM": _hashes([f"{month:02}" for month in range(1, 13)]),
    "DOBD": _hashes([f"{day:02}" for day in range(1, 32)]),
}


@dataclass(frozen=True, slots=True)
class HashingMistake:
    """Something was sent that must not be: `kind` is at_sign, not_a_hash, upper_case_hash or empty_hash. No value is kept."""

    kind: str
    key: str
    cells: int


@dataclass(frozen=True, slots=True)
class Upload:
    """What one request carries: `rows` are the valid ones, packed; `samples` shows up to 100 of the invalid ones."""

    keys: tuple[str, ...]
    family: str
    received: int
    invalid: int
    samples: dict[str, str]
    rows: Groups
    findings: list[HashingMistake] = field(default_factory=list)


def read_upload(payload: Any, *, over_limit: str, invalid: frozenset[str] = frozenset()) -> Upload:
    """Check and pack a payload, rows with one of the cells in `invalid` as if they were malformed.

    Raises GraphError 100 for a bad form and 100 or 1/99 above 10,000 rows, by `over_limit`."""
    keys, family, data = read_form(payload, over_limit=over_limit)
    cells = list(chain.from_iterable(data))
    # Slices of one flat list: `zip(*data)` would make an iterator per row, and the garbage collector look at each.
    columns = {key: cells[at :: len(keys)] for at, key in enumerate(keys)}
    if not all(map(_is_value, columns.get(_VALUE, ()))):
        refuse("schema_mismatch")
    identity = {key: _texts(key, columns[key]) for key in sorted(columns.keys() - _ATTRIBUTES)}
    if not identity:
        refuse("schema_mismatch")
    bad = {at for at, row in enumerate(data) if not invalid.isdisjoint(row)} if invalid else set[int]()
    findings: list[HashingMistake] = []
    for key, column in identity.items():
        malformed, found = _inspect(key, column)
        bad |= malformed
        findings += found
    rows, invalid_rows = _group(identity, bad)
    return Upload(
        keys=keys,
        family=family,
        received=len(data),
        invalid=len(invalid_rows),
        samples={str(at): orjson.dumps(data[at]).decode() for at in sorted(invalid_rows)[:MAX_SAMPLES]},
        rows=rows,
        findings=findings,
    )


def _group(identity: dict[str, list[str]], bad: set[int]) -> tuple[Groups, set[int]]:
    """The valid rows, grouped by which cells are filled and packed; and where the others are, all-blank rows among them."""
    filled = [
        repeat(1 << bit, len(column)) if all(column) else map(mul, map(bool, column), repeat(1 << bit))
        for bit, column in enumerate(identity.values())
    ]
    by_mask: dict[int, list[int]] = {}
    for at, mask in enumerate(reduce(partial(map, or_), filled)):
        if at not in bad:
            by_mask.setdefault(mask, []).append(at)
    invalid = bad.union(by_mask.pop(0, ()))
    groups: Groups = {}
    for mask, places in by_mask.items():
        shape = tuple(key for bit, key in enumerate(identity) if mask >> bit & 1)
        chosen = ([identity[key][at] for at in places] for key in shape)
        groups[shape] = pack(shape, zip(*chosen, strict=True))
    return groups, invalid


def read_form(payload: Any, *, over_limit: str) -> tuple[tuple[str, ...], str, list[list[Any]]]:
    """The keys, the schema's family and the rows as lists of cells, all rows as long as the schema."""
    if not isinstance(payload, dict):
        refuse("missing_param", name="payload")
    keys, family = _schema(payload.get("schema"))
    data = payload.get("data")
    if not isinstance(data, list) or not data:
        refuse("schema_mismatch")
    if len(data) > MAX_ROWS:
        refuse("too_many_rows" if over_limit == "100" else "too_many_rows_1_99")
    if family == HASHES_OR_USER_IDS:
        data = [row if isinstance(row, list) else [row] for row in data]
    if set(map(type, data)) != {list} or set(map(len, data)) != {len(keys)}:
        refuse("schema_mismatch")
    return keys, family, data


def _schema(schema: Any) -> tuple[tuple[str, ...], str]:
    names = [schema] if isinstance(schema, str) else schema
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        refuse("schema_mismatch")
    keys = tuple(str(_SINGLE_KEYS.get(name, name)) for name in names)
    unknown = set(keys) - HASHED_KEYS - PLAIN_KEYS - _ATTRIBUTES
    if unknown or len(set(keys)) < len(keys):
        refuse("schema_mismatch")
    return keys, HASHES_OR_USER_IDS if isinstance(schema, str) else MULTI_HASHES


def _texts(key: str, column: list[Any]) -> list[str]:
    types = set(map(type, column))
    if not types <= ({str, int} if key in PLAIN_KEYS else {str}):
        refuse("schema_mismatch")
    return column if types == {str} else list(map(str, column))


def _inspect(key: str, column: list[str]) -> tuple[set[int], list[HashingMistake]]:
    """Where the invalid cells of a column are, and what in it should never have been sent."""
    if key not in HASHED_KEYS:
        valid = _DEVICE.fullmatch if key == "MADID" else str.strip
        bad = {at for at, cell in enumerate(column) if cell and not valid(cell)}
        return bad, _found(key, at_sign=sum("@" in cell for cell in column))
    odd = {} if _is_clean(column) else {at: cell for at, cell in enumerate(column) if cell and not _is_hash(cell)}
    upper = sum(_is_hash(cell.lower()) for cell in odd.values())
    findings = _found(
        key,
        at_sign=sum("@" in cell for cell in odd.values()),
        upper_case_hash=upper,
        not_a_hash=len(odd) - upper,
        empty_hash=column.count(EMPTY_HASH),
    )
    allowed = _ENUMERATED.get(key)
    outside = set() if allowed is None else {at for at, cell in enumerate(column) if cell and cell not in allowed}
    return outside.union(odd), findings


def _is_value(cell: Any) -> bool:
    """A value stands in clear: a number, whole or not, that is not negative."""
    return isinstance(cell, (int, float)) and not isinstance(cell, bool) and cell >= 0


def _is_clean(column: list[str]) -> bool:
    """Whether all cells are hashes or blank, seen from the column as a whole: a hundred times faster than cell by cell."""
    joined = "".join(column)
    return set(map(len, column)) <= {0, 64} and _is_hex(joined)


def _is_hash(cell: str) -> bool:
    return len(cell) == 64 and _is_hex(cell)


def _is_hex(text: str) -> bool:
    return text.isascii() and not text.encode().translate(None, _HEX)


def _found(key: str, **cells: int) -> list[HashingMistake]:
    return [HashingMistake(kind=kind, key=key, cells=number) for kind, number in cells.items() if number]
