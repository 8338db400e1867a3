"""Transitions between states: the modules that own a table with states name them, and change them through here.

A change is one statement that finds its row only in a state from which it is allowed, so that two processes cannot both make it.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from audiences.errors import RetryError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from enum import StrEnum

    from audiences.ledger.database import Ledger

    State = TypeVar("State", bound=StrEnum)
else:
    State = TypeVar("State")


@dataclass(eq=False)
class IllegalTransitionError(RetryError):
    """What is on record is not in a state from which it can go on as wanted: another process has gone on with it."""

    what: str
    found: str
    wanted: str

    def __str__(self) -> str:
        return (
            f"{self.what} is on record as `{self.found}` and cannot become `{self.wanted}`: another process has gone on with "
            "it. Run it again: it goes on from what is on record"
        )


@dataclass(frozen=True)
class Transitions(Generic[State]):
    """The states of a table and which may follow which; `noun` is what its rows are called in an error."""

    table: str
    noun: str
    allowed: Mapping[State, frozenset[State]]

    def before(self, to: State) -> list[State]:
        """The states from which that one may be reached."""
        return [state for state, following in self.allowed.items() if to in following]

    def move(self, ledger: Ledger, number: int, to: State, setting: str = "", **values: object) -> None:
        """Change the state of one row, and with it the columns `setting`, whose values are `values`.

        Raises IllegalTransitionError where the row is in a state from which that is not allowed.
        """
        if not self._moved(ledger, [number], to, setting, values):
            raise self.illegal(ledger, number, to)

    def move_all(self, ledger: Ledger, numbers: Sequence[int], to: State, setting: str = "", **values: object) -> None:
        """The same of several rows with one statement; none is changed where one of them cannot be."""
        with ledger.sql.transaction() if len(numbers) > 1 else nullcontext():
            moved = self._moved(ledger, numbers, to, setting, values)
            for number in numbers:
                if number not in moved:
                    raise self.illegal(ledger, number, to)

    def _moved(
        self, ledger: Ledger, numbers: Sequence[int], to: State, setting: str, values: Mapping[str, object]
    ) -> set[int]:
        """Those of the rows that could be changed, and have been."""
        done = ledger.sql.execute(
            f"update audiences.{self.table} set state = %(to)s{', ' if setting else ''}{setting}"  # noqa: S608  # our own text
            " where id = any(%(ids)s) and state = any(%(before)s) returning id".encode(),
            {"to": to, "ids": list(numbers), "before": self.before(to), **values},
        )
        return {number for (number,) in done}

    def illegal(self, ledger: Ledger, number: int, to: State) -> IllegalTransitionError:
        """Why a row could not be changed."""
        return IllegalTransitionError(f"{self.noun} {number}", self.now(ledger, number) or "nothing", to)

    def now(self, ledger: Ledger, number: int) -> str | None:
        """The state of a row; None for one that is not there."""
        return ledger.value(
            str,
            f"select state from audiences.{self.table} where id = %(id)s",  # noqa: S608  # a name of ours
            {"id": number},
        )
