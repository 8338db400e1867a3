"""Who came and went in each audience, request by request, and the difference between any two moments.

The rows themselves are kept for the latest changes only, up to a bound over all audiences; of older ones the counts remain.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from audiences.sandbox.member_sets import count

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audiences.sandbox.member_sets import Groups

_CHANGES_KEPT = 200
ROWS_KEPT = 300_000


@dataclass(slots=True)
class Change:
    """What one request really changed. `number` goes up by one with each change of the audience."""

    number: int
    at: float
    request: int
    action: str
    added: int
    removed: int
    added_rows: Groups = field(repr=False)
    removed_rows: Groups = field(repr=False)
    # Whether the rows are still here.
    kept: bool = True


@dataclass(frozen=True, slots=True)
class Between:
    """The difference between two moments: rows that came and stayed, rows that went and stayed away.

    Not `complete` when rows of a change in between are kept no longer.
    """

    added: Groups
    removed: Groups
    complete: bool


@dataclass(frozen=True, slots=True)
class MemberComparison:
    """The members against a list of expected ones, as somebody asked last."""

    at: float
    expected: int
    missing: Groups
    unexpected: Groups


class History:
    """The changes of all audiences, and the last comparison of each with an expected list."""

    def __init__(self) -> None:
        self.comparisons: dict[str, MemberComparison] = {}
        self._changes: dict[str, deque[Change]] = {}
        self._with_rows: deque[Change] = deque()
        self._rows = 0

    def note(self, audience: str, *, at: float, request: int, action: str, added: Groups, removed: Groups) -> Change:
        """Write a change down; the oldest rows make room."""
        changes = self._changes.setdefault(audience, deque(maxlen=_CHANGES_KEPT))
        number = changes[-1].number + 1 if changes else 1
        change = Change(number, at, request, action, count(added), count(removed), added, removed)
        changes.append(change)
        self._with_rows.append(change)
        self._rows += change.added + change.removed
        while self._rows > ROWS_KEPT and len(self._with_rows) > 1:
            oldest = self._with_rows.popleft()
            self._rows -= oldest.added + oldest.removed
            oldest.added_rows, oldest.removed_rows, oldest.kept = {}, {}, False
        return change

    def of(self, audience: str) -> list[Change]:
        """The changes, oldest first."""
        return list(self._changes.get(audience, ()))

    def between(self, audience: str, *, after: int = 0, until: int | None = None) -> Between:
        """What the changes above number `after`, up to `until`, come to in all."""
        changes = [one for one in self.of(audience) if one.number > after and (until is None or one.number <= until)]
        added: Groups = {}
        removed: Groups = {}
        for change in changes:
            _move(change.removed_rows, away=added, into=removed)
            _move(change.added_rows, away=removed, into=added)
        whole = not changes or changes[0].number == after + 1
        return Between(_filled(added), _filled(removed), whole and all(change.kept for change in changes))


def _move(rows: Groups, *, away: Groups, into: Groups) -> None:
    """Rows that the one side has leave it; the others join the other side."""
    for shape, packed in rows.items():
        undone = packed & away.get(shape, set())
        away.setdefault(shape, set()).difference_update(undone)
        into.setdefault(shape, set()).update(packed - undone)


def _filled(groups: Groups) -> Groups:
    return {shape: packed for shape, packed in groups.items() if packed}


def number_of(text: str | None, changes: Iterable[Change]) -> int | None:
    """The number of a change as an address gives it; None for anything that is none of them, or 0 for before the first."""
    known = {0, *(change.number for change in changes)}
    found = int(text) if text and text.isascii() and text.isdecimal() and len(text) < 10 else None
    return found if found in known else None
