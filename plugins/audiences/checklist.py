"""What a check-up says: one line per thing looked at, with what was found and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Of one check; FAIL means that a run would fail, or be far too slow."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the table. `remedy` is empty when nothing is to be done; `known` is False when nobody answered."""

    name: str
    state: State
    found: str
    remedy: str = ""
    known: bool = True

    def __str__(self) -> str:
        return f"{self.name}: {self.found.rstrip('.')}. {self.remedy}".strip()
