"""The people in an audience: sets of rows, packed so that a million of them fit in about 200 MB.

A row is identified by its non-blank cells alone: `EMAIL, PHONE` with a blank phone is the same member as `EMAIL`. Rows are
therefore grouped by *shape*, the sorted keys that have a value; within a shape a row is a `bytes`: the raw digests one after
the other when every key is hashed (32 bytes a cell instead of 64 characters), a JSON list of the values otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain, islice
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Shape = tuple[str, ...]
Groups = dict[Shape, set[bytes]]

HASHED_KEYS = frozenset(
    {"EMAIL", "PHONE", "GEN", "DOBY", "DOBM", "DOBD", "FN", "LN", "FI", "CT", "ST", "ZIP", "COUNTRY"}
)
PLAIN_KEYS = frozenset({"EXTERN_ID", "MADID", "APPUID", "PAGEUID"})
# One of these is enough to recognise a person; a first name or a city is not.
STRONG_KEYS = frozenset({"EMAIL", "PHONE", "EXTERN_ID", "MADID", "APPUID", "PAGEUID"})

_DIGEST = 32


def pack(shape: Shape, rows: Iterable[Sequence[str]]) -> set[bytes]:
    """Pack rows whose non-blank cells are those of `shape`, in its order. Hashed cells must be 64 hex digits."""
    if HASHED_KEYS.issuperset(shape):
        return split(shape, bytes.fromhex("".join(chain.from_iterable(rows))))
    # Of what orjson makes each piece takes 4 kB of memory, however short it is: what is kept is a copy.
    return {bytes(memoryview(orjson.dumps([cell for cell in row if cell]))) for row in rows}


def join(shape: Shape, packed: set[bytes]) -> bytes:
    """Packed rows as one piece of bytes, to be stored."""
    return (b"" if HASHED_KEYS.issuperset(shape) else b"\n").join(packed)


def split(shape: Shape, blob: bytes) -> set[bytes]:
    """The packed rows of such a piece: of equal width when all keys are hashed, else a JSON list a line."""
    if not HASHED_KEYS.issuperset(shape):
        return set(blob.split(b"\n"))
    width = _DIGEST * len(shape)
    return {blob[start : start + width] for start in range(0, len(blob), width)}


def unpack(shape: Shape, packed: bytes) -> dict[str, str]:
    """The row as `{KEY: value}`, hashes in lower-case hex."""
    if HASHED_KEYS.issuperset(shape):
        text = packed.hex()
        width = 2 * _DIGEST
        return {key: text[start : start + width] for key, start in zip(shape, range(0, len(text), width), strict=True)}
    return dict(zip(shape, orjson.loads(packed), strict=True))


def pack_dicts(rows: Iterable[dict[str, str]]) -> Groups:
    """Group and pack rows given as `{KEY: value}`, blanks allowed. Raises ValueError for a hashed key without 64 hex digits."""
    groups: Groups = {}
    for row in rows:
        cells = sorted((key, value) for key, value in row.items() if value)
        for key, value in cells:
            if key not in HASHED_KEYS | PLAIN_KEYS:
                message = f"{key} is no key of a member; known are {', '.join(sorted(HASHED_KEYS | PLAIN_KEYS))}"
                raise ValueError(message)
            if key in HASHED_KEYS and (len(value) != 2 * _DIGEST or value != value.lower()):
                message = (
                    f"a member's {key} must be 64 lower-case hex digits, not {len(value)} characters of something else"
                )
                raise ValueError(message)
        if cells:
            shape = tuple(key for key, _ in cells)
            groups.setdefault(shape, set()).update(pack(shape, [[value for _, value in cells]]))
    return groups


def count(groups: Groups) -> int:
    return sum(map(len, groups.values()))


def each(groups: Groups) -> Iterator[dict[str, str]]:
    """The rows in a stable order: by the keys that are present, then by the values."""
    for shape in sorted(groups):
        for packed in sorted(groups[shape]):
            yield unpack(shape, packed)


def some(groups: Groups, number: int) -> list[dict[str, str]]:
    """A few rows, of each shape some; which ones is of no matter."""
    share = number // max(len(groups), 1) or 1
    first = (unpack(shape, packed) for shape, members in groups.items() for packed in islice(members, share))
    return list(islice(first, number))


def as_json(groups: Groups) -> orjson.Fragment:
    """The rows of `each` as a JSON list, made in slices so that a million rows never exist as dicts at once."""
    slices: list[bytes] = []
    rows: list[dict[str, str]] = []
    for row in each(groups):
        rows.append(row)
        if len(rows) == 10_000:
            slices.append(orjson.dumps(rows)[1:-1])
            rows = []
    if rows:
        slices.append(orjson.dumps(rows)[1:-1])
    return orjson.Fragment(b"[" + b",".join(slices) + b"]")


class MemberSet:
    """The members of one audience, or what a replace session has received so far."""

    __slots__ = ("groups",)

    def __init__(self, groups: Groups | None = None) -> None:
        self.groups: Groups = groups if groups is not None else {}

    def __len__(self) -> int:
        return count(self.groups)

    def add(self, rows: Groups) -> Groups:
        """Add rows; returns those that were not in before."""
        new = {shape: packed - self.groups.get(shape, set()) for shape, packed in rows.items()}
        for shape, packed in new.items():
            self.groups.setdefault(shape, set()).update(packed)
        return {shape: packed for shape, packed in new.items() if packed}

    def remove(self, rows: Groups) -> Groups:
        """Remove exactly these rows; returns those that were in."""
        gone = {shape: packed & self.groups[shape] for shape, packed in rows.items() if shape in self.groups}
        for shape, packed in gone.items():
            self.groups[shape] -= packed
            if not self.groups[shape]:
                del self.groups[shape]
        return {shape: packed for shape, packed in gone.items() if packed}

    def minus(self, other: Groups) -> Groups:
        """The rows that are here and not in `other`."""
        rest = {shape: packed - other.get(shape, set()) for shape, packed in self.groups.items()}
        return {shape: packed for shape, packed in rest.items() if packed}

    def same_people(self, rows: Groups) -> Groups:
        """The members that a given row also describes: a strong cell in common, and no shared key that disagrees.

        This is how a request for all audiences of an account finds a person whose rows there carry other keys.
        """
        wanted: dict[tuple[str, str], list[dict[str, str]]] = {}
        for row in each(rows):
            for key in STRONG_KEYS & row.keys():
                wanted.setdefault((key, row[key]), []).append(row)
        found: Groups = {}
        for shape, members in self.groups.items():
            strong = STRONG_KEYS.intersection(shape)
            for packed in members:
                member = unpack(shape, packed)
                candidates = chain.from_iterable(wanted.get((key, member[key]), ()) for key in strong)
                if any(_agree(member, row) for row in candidates):
                    found.setdefault(shape, set()).add(packed)
        return found


@dataclass(slots=True)
class MemberWrite:
    """One change of a member set, for the state file: `action` is add, remove, forget, clear, or move (of `key` to `target`)."""

    action: str
    key: str
    rows: Groups = field(default_factory=dict)
    target: str = ""


def _agree(one: dict[str, str], other: dict[str, str]) -> bool:
    return all(one[key] == other[key] for key in one.keys() & other.keys())
