"""Questions whether a version of a campaign may send, their answers, and which of these are in force.

Only this module writes the table `approval`. An answer alone is no permission: the step that sends verifies it and puts it in
force, and from then on that version of the campaign sends without asking.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from audiences.ledger.transitions import Transitions
from audiences.redact import without_people

if TYPE_CHECKING:
    from datetime import datetime

    from audiences.ledger.database import Ledger


class ApprovalState(StrEnum):
    """What came of a question; see the comment on the column `approval.state`."""

    ASKED = "asked"
    APPROVED = "approved"
    IN_FORCE = "in_force"
    REJECTED = "rejected"
    UNANSWERED = "unanswered"
    LAPSED = "lapsed"


TRANSITIONS: Final = Transitions(
    "approval",
    "question",
    {
        ApprovalState.ASKED: frozenset(
            {ApprovalState.APPROVED, ApprovalState.REJECTED, ApprovalState.UNANSWERED, ApprovalState.LAPSED}
        ),
        # Verified by the step that sends, or found to be about something else.
        ApprovalState.APPROVED: frozenset({ApprovalState.IN_FORCE, ApprovalState.LAPSED}),
        ApprovalState.IN_FORCE: frozenset(),
        ApprovalState.REJECTED: frozenset(),
        ApprovalState.UNANSWERED: frozenset(),
        ApprovalState.LAPSED: frozenset(),
    },
)
OPEN: Final = TRANSITIONS.before(ApprovalState.LAPSED)
"""Something may still come of it."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question on record. `digest` is that of the campaign's version, `shown` that of the figures; `by` an Airflow user's id.

    `lapsed_for` says why nothing comes of the question, None where somebody rejected it, or something may still come of it.
    """

    id: int
    campaign: int
    run: int | None
    digest: str
    shown: str
    body: str
    state: ApprovalState
    asked_at: datetime
    until: datetime
    by: str | None
    name: str | None
    decided_at: datetime | None
    lapsed_for: str | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", ApprovalState(self.state))

    @property
    def who(self) -> str:
        """The person who answered, in words that may stand in errors and notices; see `called`."""
        return called(self.id, by=self.by, name=self.name)

    def was_answered(self, *, approved: bool, by: str) -> bool:
        """Whether this very answer of this person is on record."""
        states = (ApprovalState.APPROVED, ApprovalState.IN_FORCE) if approved else (ApprovalState.REJECTED,)
        return self.state in states and self.by == by


def called(question: int, *, by: str | None, name: str | None) -> str:
    """Who answered a question: Airflow's name and id of the user, but for what is an e-mail address or a phone number.

    Where nothing is left, the question by its number: the ledger has the person.
    """
    if not by:
        return "nobody"
    said = list(dict.fromkeys(each for each in (name, by) if each and without_people(each) == each))
    return (
        f"{said[0]} ({said[1]})"
        if len(said) > 1
        else said[0]
        if said
        else f"the person who answered question {question}"
    )


_SELECT = (
    "select id, campaign_id as campaign, run_id as run, config_digest as digest, shown, body, state, asked_at, until,"
    " decided_by as by, decided_name as name, decided_at, lapsed_for from audiences.approval"
)


def ask(
    ledger: Ledger,
    *,
    campaign: int,
    run: int | None,
    asked_in: str,
    digest: str,
    shown: str,
    body: str,
    at: datetime,
    until: datetime,
) -> int:
    """Put a question on record and give its number; earlier ones of the campaign that led to nothing are void with it."""
    with ledger.sql.transaction():
        ledger.sql.execute(
            "update audiences.approval set state = %s, lapsed_for = 'it was asked anew'"
            " where campaign_id = %s and state = any(%s)",
            (ApprovalState.LAPSED, campaign, OPEN),
        )
        return ledger.number(
            "insert into audiences.approval (campaign_id, run_id, asked_in, config_digest, shown, body, asked_at, until)"
            " values (%(campaign)s, %(run)s, %(asked_in)s, %(digest)s, %(shown)s, %(body)s, %(at)s, %(until)s) returning id",
            {
                "campaign": campaign,
                "run": run,
                "asked_in": asked_in,
                "digest": digest,
                "shown": shown,
                "body": body,
                "at": at,
                "until": until,
            },
        )


def answer(ledger: Ledger, question: int, *, approved: bool, by: str, name: str, at: datetime) -> None:
    """Record what somebody answered. Raises IllegalTransitionError for a question that is answered, or void."""
    to = ApprovalState.APPROVED if approved else ApprovalState.REJECTED
    TRANSITIONS.move(
        ledger,
        question,
        to,
        "decided_by = %(by)s, decided_name = %(name)s, decided_at = %(at)s",
        by=by,
        name=name,
        at=at,
    )


def put_in_force(ledger: Ledger, question: int, *, at: datetime) -> None:
    """Record that the step that sends has verified the answer. Raises IllegalTransitionError for one that is not a yes."""
    TRANSITIONS.move(ledger, question, ApprovalState.IN_FORCE, "in_force_at = %(at)s", at=at)


def lapse(ledger: Ledger, question: int, *, why: str) -> None:
    """Record that the question is void. Raises IllegalTransitionError for one that is closed."""
    TRANSITIONS.move(ledger, question, ApprovalState.LAPSED, "lapsed_for = %(why)s", why=why)


def unanswered(ledger: Ledger, question: int, *, why: str) -> None:
    """Record that nobody answered in time. Raises IllegalTransitionError for a question that is answered, or closed."""
    TRANSITIONS.move(ledger, question, ApprovalState.UNANSWERED, "lapsed_for = %(why)s", why=why)


def in_force(ledger: Ledger, *, campaign: int, digest: str) -> Question | None:
    """The approval by which this version of the campaign sends; None where it has to ask."""
    return ledger.row(
        Question,
        f"{_SELECT} where campaign_id = %(campaign)s and config_digest = %(digest)s and state = %(state)s"
        " order by id desc limit 1",
        {"campaign": campaign, "digest": digest, "state": ApprovalState.IN_FORCE},
    )


def version_to_approve(ledger: Ledger, run: int) -> str | None:
    """The digest of the version with which the run was opened, if that one requires an approval; None if not."""
    return ledger.value(
        str,
        "select config_digest from audiences.run where id = %(run)s and coalesce(config ->> 'approval', 'none') <> 'none'",
        {"run": run},
    )


def of_number(ledger: Ledger, number: int) -> Question | None:
    """The question of that number."""
    return ledger.row(Question, f"{_SELECT} where id = %(number)s", {"number": number})


def of_run(ledger: Ledger, run: int) -> Question | None:
    """The last question that the run asked."""
    return ledger.row(Question, f"{_SELECT} where run_id = %(run)s order by id desc limit 1", {"run": run})


def asked_in(ledger: Ledger, *, campaign: int, dag_run: str) -> Question | None:
    """The last question of the campaign that was asked in this DAG run."""
    return ledger.row(
        Question,
        f"{_SELECT} where campaign_id = %(campaign)s and asked_in = %(dag_run)s order by id desc limit 1",
        {"campaign": campaign, "dag_run": dag_run},
    )


def of_campaign(ledger: Ledger, campaign: int, *, limit: int = 20) -> list[Question]:
    """The last questions of a campaign, the newest first."""
    return ledger.rows(
        Question,
        f"{_SELECT} where campaign_id = %(campaign)s order by id desc limit %(limit)s",
        {"campaign": campaign, "limit": limit},
    )
