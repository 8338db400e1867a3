"""Why a user is where they are, step by step, as `audiences explain` says it. All of it is JSON."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime  # noqa: TC002  # pydantic reads annotations at run time

from audiences.pipeline.results import Reference


class ExplainedStep(Reference):
    """A condition and whether it holds for the user; `depth` counts the joints (`any`, `not`, a segment) it stands under."""

    text: str
    value: str | None
    passed: bool
    depth: int = 0


class Explanation(Reference):
    """Why a user is where they are, as `audiences explain --json` prints it; identifiers are masked.

    `outcome` is one of `who.outcomes.DECIDED`, or `not_qualified`; `steps` end with the one that decided. `assignment` is
    the group on record, `target` or a control group; `history` the user's memberships in the campaign's audience. `known`
    is False when the warehouse has no such user; the ledger may have one still.
    """

    campaign: str
    user: str
    known: bool
    at: AwareDatetime
    outcome: str
    because: str
    steps: tuple[ExplainedStep, ...]
    assignment: str | None
    history: tuple[str, ...]


class Explanations(Reference):
    """Everybody who has an e-mail address or a phone number (`asked_by`), which itself is not in here.

    `more` are the ids of those who were not explained, when many share it; `erased`: somebody who has it was erased.
    """

    campaign: str
    asked_by: Literal["email", "phone"]
    users: tuple[Explanation, ...]
    more: tuple[str, ...] = ()
    erased: bool = False
