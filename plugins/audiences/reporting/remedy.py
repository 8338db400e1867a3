"""An error on record as a reason and what to do about it, which the texts of our errors say one after the other."""

from __future__ import annotations

import re
from typing import Final

from audiences.reporting.shape import Shown

# How `errors.py` ends what happened and begins the remedy: Facebook's numbers, or that nothing was sent.
_NUMBERS: Final = re.compile(r"\((?:error -?\d+(?:/\d+)?|no error code)(?:, trace [^()]*)?\)\. (?=\S)")
_ENDS: Final = (" Nothing was sent. ",)
_BEGINS: Final = (
    " See the counts of rejected values ",
    " Run it again",
    " The next run ",
    " create it in the Airflow UI ",
)


class Told(Shown):
    """Why something is as it is, and what a person does about it; `remedy` is empty where none is known."""

    reason: str
    remedy: str = ""

    @classmethod
    def of(cls, text: str) -> Told:
        """The text of an error of ours, as it stands in the ledger."""
        if found := _NUMBERS.search(text):
            return cls(reason=text[: found.end() - 1], remedy=_sentence(text[found.end() :]))
        for end in _ENDS:
            reason, there, rest = text.partition(end)
            if there and rest:
                return cls(reason=f"{reason}{end.rstrip()}", remedy=_sentence(rest))
        for begin in _BEGINS:
            reason, there, rest = text.partition(begin)
            if there and reason:
                return cls(reason=reason.rstrip(";"), remedy=_sentence(f"{begin.lstrip()}{rest}"))
        return cls(reason=text)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
