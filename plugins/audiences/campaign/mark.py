"""The mark: what tells at Facebook whose an audience is. It stands at the end of the audience's description."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

LONGEST_DESCRIPTION: Final = 200
"""Characters that a description may have at Facebook, the mark among them."""
START: Final = "[audiences:"
_LEDGER_DIGITS = 12  # the last group of a UUID, which is random in whole
_MARK = re.compile(r"\[audiences:([A-Za-z0-9][A-Za-z0-9_-]*)(?:@([0-9a-f]{12}))?\]")
_MARK_AND_SPACE = re.compile(rf"\s*{_MARK.pattern}\s*")


@dataclass(frozen=True, slots=True)
class Mark:
    """A campaign, and the last twelve hex digits of its ledger's identity.

    `ledger` is None in marks of earlier versions, which did not say from which ledger they came.
    """

    campaign: str
    ledger: str | None

    def __str__(self) -> str:
        return f"{START}{self.campaign}{f'@{self.ledger}' if self.ledger else ''}]"

    @classmethod
    def of(cls, campaign: str, identity: str) -> Mark:
        """The mark that the campaign's audiences carry; `identity` is the ledger's UUID as text."""
        return cls(campaign, identity[-_LEDGER_DIGITS:])


def marks_in(description: str) -> list[Mark]:
    """Every mark in a description, from the left; a person may have copied one."""
    return [Mark(campaign, ledger or None) for campaign, ledger in _MARK.findall(description)]


def marked(description: str, mark: Mark) -> str:
    """The description with this mark and no other behind it; text that does not fit before it is cut."""
    text = _MARK_AND_SPACE.sub(" ", description).strip()
    room = LONGEST_DESCRIPTION - len(str(mark)) - 1
    return f"{text if len(text) <= room else f'{text[: room - 1]}…'} {mark}".strip()


def room_for_description(campaign: str) -> int:
    """How many characters of a description the mark of that campaign leaves."""
    return LONGEST_DESCRIPTION - len(str(Mark(campaign, "0" * _LEDGER_DIGITS))) - 1
