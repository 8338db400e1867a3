"""Which conditions hold, by what is known of a run that has ended or of an ad account. No clock, no database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from audiences.checklist import State
from audiences.notices.notice import Notice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from audiences.campaign.notify import Condition, Notify
    from audiences.checklist import Check
    from audiences.notices.notice import Kind

Unapproved = Literal["rejected", "unanswered", "lapsed"]
"""What came of the question whether a run may send: the ledger's states of it."""
FEW_PEOPLE = 100
"""Below about this many matched people Facebook delivers no ads to an audience."""
ENDED_BY_SUCCESS: tuple[Condition, ...] = ("failed", "stopped", "deadline_missed")
"""What is over when a run of the campaign succeeds."""
EVENTS: tuple[Condition, ...] = ("size_changed", "recovered")
"""What happens and does not stand: told once, however late, and never over before."""
_CAMPAIGN: Kind = "campaign"
_LOOK = (
    "The end of the failed task's log in Airflow says the same and more. Once it is put right, clear the run, or wait for the "
    "next one"
)
_ANSWER: Final[dict[Unapproved, tuple[str, str]]] = {
    "rejected": (
        "the approval was refused, and nothing was sent",
        "Edit the campaign file, and the next run asks about the new version. To have this one looked at again, trigger the DAG "
        "`{dag}`",
    ),
    "unanswered": (
        "nobody answered in time whether it may send, and nothing was sent",
        "Answer under Required Actions in the Airflow UI: the next run asks again; to be asked now, trigger the DAG `{dag}`. If "
        "nobody could answer, see that `approvers` in the file are ids of Airflow users and that `deadline` leaves them time",
    ),
    "lapsed": (
        "it is not approved, and nothing was sent",
        "The next run asks again; to be asked now, trigger the DAG `{dag}`",
    ),
}
_RIGHT = "If what the guard found is right, let the run through once as it says above; if not, put the data or the rules right"


@dataclass(frozen=True, slots=True)
class Ended:
    """What is known of a run that has ended.

    `reason` is that of its failure, and `unapproved` what came of its question where it was not approved. `members` are those of
    the audience afterwards, `added` and `removed` of them in this run; `sent` rows of which Facebook could not use `unusable`.
    `whole`: the run was about the whole audience, and not a batch of a live campaign; `adds`: it may add people.
    """

    campaign: str
    name: str
    run: int
    state: Literal["success", "failed", "stopped"]
    reason: str = ""
    unapproved: Unapproved | None = None
    members: int = 0
    added: int = 0
    removed: int = 0
    failed: int = 0
    sent: int = 0
    unusable: int = 0
    whole: bool = True
    adds: bool = True


def of_run(run: Ended, notify: Notify) -> list[Notice]:
    """What is to be told of a run, whether or not it was told before."""
    holds = (
        *_failure(run),
        *_size_changed(run, notify),
        *_failed_share(run, notify),
        *_invalid_share(run, notify),
        *_small_audience(run),
    )
    return [notice for notice in holds if notice.condition in notify.about]


def failure(
    *, subject: str, name: str, reason: str, stopped: bool = False, unapproved: Unapproved | None = None
) -> Notice:
    """A campaign's run that failed, or was `stopped` before anything was sent, by a guard or since it was not approved."""
    if stopped and unapproved:
        title, remedy = _ANSWER[unapproved]
        return Notice(_CAMPAIGN, "stopped", subject, "approval", f"{name}: {title}", reason, remedy.format(dag=subject))
    if stopped:
        title = f"{name} was stopped by a guard, and nothing was sent"
        return Notice(_CAMPAIGN, "stopped", subject, "", title, reason, _RIGHT)
    return Notice(_CAMPAIGN, "failed", subject, "", f"{name} failed", reason, _LOOK)


def task_failed(*, dag: str, task: str, campaign: str | None, reason: str, day: datetime) -> Notice:
    """A task of one of the project's own DAGs that failed, for one campaign where it was for one; told once a day."""
    name = f"The task {task} of {dag}{f' for {campaign}' if campaign else ''}"
    what = f"{task} {campaign or ''} {day:%Y-%m-%d}"
    return Notice("dag", "failed", dag, what, f"{name} failed", reason, _LOOK)


def _failure(run: Ended) -> Iterator[Notice]:
    if run.state != "success":
        stopped = run.state == "stopped"
        yield failure(
            subject=run.campaign, name=run.name, reason=run.reason, stopped=stopped, unapproved=run.unapproved
        )


def _size_changed(run: Ended, notify: Notify) -> Iterator[Notice]:
    before = run.members - run.added + run.removed
    moved = abs(run.members - before)
    if run.whole and before > 0 and run.state == "success" and moved * 100 > notify.size_changed_by * before:
        grown = "grew" if run.members > before else "shrank"
        yield Notice(
            _CAMPAIGN,
            "size_changed",
            run.campaign,
            f"run {run.run}",  # each such run is one of its own
            f"The audience of {run.name} {grown} by {moved / before:.0%}",
            f"It had {before:,} members and has {run.members:,}: {run.added:,} were added, {run.removed:,} removed",
            f"If that is not meant, compare the rules and the data with the last run: `audiences preview {run.campaign}`; a user "
            f"is explained by `audiences explain {run.campaign} --user ID`",
        )


def _failed_share(run: Ended, notify: Notify) -> Iterator[Notice]:
    wanted = run.added + run.failed
    if run.failed * 100 > notify.failed_above * wanted:
        yield Notice(
            _CAMPAIGN,
            "failed_share",
            run.campaign,
            "",
            f"{run.failed / wanted:.0%} of the users to be added to {run.name} were not",
            f"{run.failed:,} of {wanted:,} were not taken by Facebook, or not sent",
            "The run's note says why. The next run tries again, with whoever still qualifies",
        )


def _invalid_share(run: Ended, notify: Notify) -> Iterator[Notice]:
    if run.unusable * 100 > notify.invalid_above * run.sent:
        yield Notice(
            _CAMPAIGN,
            "invalid_share",
            run.campaign,
            "",
            f"Facebook could not use {run.unusable / run.sent:.0%} of the rows of {run.name}",
            f"{run.unusable:,} of {run.sent:,} rows were invalid or refused",
            "See whether include/warehouse.yml maps the right columns to the identifiers, and says `pre_hashed` where they "
            "hold hashes",
        )


def _small_audience(run: Ended) -> Iterator[Notice]:
    if run.state == "success" and run.whole and run.adds and run.members < FEW_PEOPLE:
        yield Notice(
            _CAMPAIGN,
            "small_audience",
            run.campaign,
            "",
            f"The audience of {run.name} has fewer than {FEW_PEOPLE} people",
            f"It has {run.members:,} members. Facebook delivers no ads to an audience of fewer than about {FEW_PEOPLE} people "
            "whom it has matched",
            "Widen the rules, send more identifiers, or end the campaign",
        )


def recovery(run: Ended, over: Iterable[str]) -> Notice:
    """The run that put an end to these conditions, of which it had been told."""
    words = ", ".join(sorted({condition.replace("_", " ") for condition in over}))
    reason = f"Its last run succeeded: {run.members:,} members, {run.added:,} added, {run.removed:,} removed"
    return Notice(
        _CAMPAIGN,
        "recovered",
        run.campaign,
        "",  # the last success counts, whichever it was
        f"{run.name} is right again",
        f"{reason}. Over are: {words}",
        "Nothing",
    )


def deadline_missed(*, campaign: str, name: str, deadline: str, run: str, asked_until: str | None = None) -> Notice:
    """A run that has not ended in time; `deadline` in words, as is `asked_until`, where it waits for an approval until then."""
    reason = f"The run {run} was queued that long ago, and still runs or waits"
    remedy = "See in Airflow what it waits for: the logs of its tasks tell of a throttled account, a closed window, a busy pool"
    if asked_until:
        reason = (
            f"The run {run} was queued that long ago. It waits for somebody to approve it, until {asked_until}; then it ends and "
            "sends nothing"
        )
        remedy = "Answer under Required Actions in the Airflow UI"
    title = f"{name} has not ended within {deadline}"
    return Notice(_CAMPAIGN, "deadline_missed", campaign, "", title, reason, remedy)


_ACCOUNT: dict[str, Condition] = {"access token": "token", "API version": "api_version"}


def of_account(account: str, checks: Iterable[Check], notify: Notify) -> list[Notice]:
    """What is to be told of an ad account: a token that expires within two weeks or is not valid, an API version that ends."""
    return [
        Notice("ad_account", condition, account, "", f"Ad account {account}: {check.name}", check.found, check.remedy)
        for check in checks
        if (condition := _ACCOUNT.get(check.name)) and condition in notify.about
        if check.known and check.state is not State.OK
    ]
