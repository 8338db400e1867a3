"""Outcomes in words, as pages, commands and notes call them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audiences.campaign.what import Action

_SUPPRESSING = {"added": "sent for removal", "kept": "sent for removal before", "removed": "members of ours among them"}


def outcome_words(name: str, *, action: Action, sent: bool = True) -> str:
    """An outcome in words. Whom `remove_matching` targets is taken out, which the names of outcomes do not say.

    `sent` is False for a run that sent nothing.
    """
    if name == "failed" and not sent:
        return "not sent"
    return (_SUPPRESSING if action == "remove_matching" else {}).get(name, name.replace("_", " "))


MEMBERS_FIRST = ("targeted", "added", "kept", "failed", "removed")
"""The outcomes that are about members, in the order in which people read them; the others tell of the rest of the qualified."""


def in_words(outcomes: dict[str, int], *, rekeyed: int = 0, action: Action = "mirror", sent: bool = True) -> str:
    """Outcome counts in one line, members first; `rekeyed` of the kept have other identifiers than before.

    `targeted 1,200 (added 40, kept 1,160, of them 68 re-keyed), removed 12; qualified 1,500: filtered out 300`.
    """
    parts = {
        name: f"{outcome_words(name, action=action, sent=sent)} {count:,}" for name, count in outcomes.items() if count
    }
    if rekeyed and "kept" in parts:
        parts["kept"] += f", of them {rekeyed:,} re-keyed"
    inside = ", ".join(parts.pop(name) for name in ("added", "kept", "failed") if name in parts)
    first = f"{parts.pop('targeted', 'targeted 0')}{f' ({inside})' if inside else ''}"
    removed = (parts.pop("removed"),) if "removed" in parts else ()
    rest = [f"{parts.pop('qualified', 'qualified 0')}", ", ".join(parts.values())]
    return f"{', '.join((first, *removed))}; {': '.join(filter(None, rest))}"
