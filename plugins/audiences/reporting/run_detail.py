"""One run from end to end: its funnel, what it sent and what came back, and what a person should do about it."""

from __future__ import annotations

import re
from datetime import datetime  # noqa: TC003  # pydantic reads annotations at run time
from typing import TYPE_CHECKING, Final

from audiences.ledger import ad_set_links, campaigns, live_batches, request_counts, request_records, run_records
from audiences.ledger.chunk_states import RequestState
from audiences.pipeline.live.batch_report import BatchReport, report_on
from audiences.pipeline.results import Would
from audiences.reporting.funnel import Funnel, funnel_of
from audiences.reporting.remedy import Told
from audiences.reporting.run_history import RunShown, shown
from audiences.reporting.run_phase import phase_of
from audiences.reporting.run_words import action_of, no_request, seconds_of, stopped_after_counting, uncounted
from audiences.reporting.shape import Paged, Shown

if TYPE_CHECKING:
    from audiences.ledger.database import Ledger
    from audiences.ledger.request_records import RequestRecord
    from audiences.ledger.run_records import RunRecord
    from audiences.reporting.run_phase import RunPhase

_GUARD: Final = re.compile(r"stopped by the guard `([a-z_]+)`")
REQUEST_WORDS: Final = {
    RequestState.PLANNED: "not sent",
    RequestState.SENDING: "sent, and nobody knows yet whether it arrived; it is sent again before anything else",
    RequestState.ACKNOWLEDGED: "Facebook took it",
    RequestState.SPLIT: "refused for what some of its rows hold, and sent in halves",
    RequestState.POSTPONED: "Facebook does not do it now; the next run tries again",
    RequestState.REFUSED: "Facebook refused it",
    RequestState.DROPPED: "never sent: a later run computes anew what is to change",
    RequestState.LOST: "its rows are gone, so nobody will know whether it arrived; sending the whole set makes it right",
}
"""What the state of a request means, once its run has ended or died."""
_UNTIL_THEN: Final = {RequestState.PLANNED: "not sent yet", RequestState.SENDING: "sent, and not answered yet"}


class RejectedValues(Shown):
    """Values that Facebook could not use: of an identifier, for a reason; `row` stands for whole rows that it refused."""

    identifier: str
    reason: str
    values: int


class RequestShown(Shown):
    """An upload request: `rows` to add, remove or replace, and what became of them, in words.

    Facebook `received` so many of the rows and took so many for `invalid`; `refused` rows by reason. `part_of` is the number of
    the request that was cut in parts, `session` the number of the replace session. `in_doubt`: it may have been carried out.
    """

    number: int
    action: str
    rows: int
    state: str
    words: str
    tries: int
    received: int | None
    invalid: int | None
    refused: dict[str, int]
    trouble: Told | None
    sent_at: datetime | None
    acknowledged_at: datetime | None
    session: int | None
    part_of: int | None
    in_doubt: bool


class RequestTotal(Shown):
    """Requests of one action in one state, and their rows."""

    action: str
    state: str
    words: str
    requests: int
    rows: int


class Requests(Paged):
    """A page of a run's requests, those with an error first; `by_state` counts all of them, `none` says why there are none."""

    none: str | None
    by_state: tuple[RequestTotal, ...]
    requests: tuple[RequestShown, ...]


class WouldHave(Shown):
    """What a run that was stopped would have done, in users, and in words."""

    added: int
    removed: int
    words: str


class AdSetShown(Shown):
    """An ad set that the run was the last to see to, `included` or `excluded`; `trouble` when it is not as wanted."""

    id: str
    place: str
    trouble: Told | None


class RunDetail(Shown):
    """A run with everything on record of it.

    `funnel` is None where no counts are on record, and `uncounted` says why in words. `guard`: the guard that stopped it.
    `seconds` by step, of runs on the command line. `batch`: what the batch of a live campaign held, and how late it was acted
    upon.
    """

    run: RunShown
    action: str
    funnel: Funnel | None
    uncounted: str | None
    would: WouldHave | None
    guard: str | None
    rejected: tuple[RejectedValues, ...]
    requests: Requests
    ad_sets: tuple[AdSetShown, ...]
    seconds: dict[str, float]
    batch: BatchReport | None


def run_detail(ledger: Ledger, run: int, *, now: datetime, offset: int = 0, limit: int = 100) -> RunDetail | None:
    """The run of that number, with its requests after the first `offset`; None where there is none."""
    record = run_records.find(ledger, run)
    if record is None:
        return None
    guard, phase = _GUARD.search(record.error or ""), phase_of(record, now)
    counts = funnel_of(record, request_counts.totals(ledger, run), phase, custom=_custom_group(ledger, record))
    return RunDetail(
        run=shown(record, now),
        action=action_of(record),
        funnel=counts,
        uncounted=None if counts else uncounted(phase),
        would=None if phase.goes_on else _would(record),
        guard=guard[1] if guard else None,
        rejected=tuple(
            RejectedValues(identifier=identifier, reason=reason, values=values)
            for identifier, reasons in record.rejected.items()
            for reason, values in sorted(reasons.items(), key=lambda each: -each[1])
        ),
        requests=_requests(ledger, record, phase, offset=offset, limit=limit),
        ad_sets=tuple(_ad_sets(ledger, record)),
        seconds=seconds_of(record),
        batch=_batch(ledger, record),
    )


def _requests(ledger: Ledger, run: RunRecord, phase: RunPhase, *, offset: int, limit: int) -> Requests:
    """A page of the run's requests."""
    counts = request_records.counts(ledger, run.id)
    total = sum(each.requests for each in counts)
    return Requests(
        total=total,
        none=None if total else no_request(phase, planned="qualified" in run.planned),
        offset=offset,
        limit=limit,
        by_state=tuple(
            RequestTotal(
                action=each.action,
                state=str(each.state),
                words=_request_words(each.state, phase),
                requests=each.requests,
                rows=each.rows,
            )
            for each in counts
        ),
        requests=tuple(
            _request(each, phase) for each in request_records.of_run(ledger, run.id, offset=offset, limit=limit)
        ),
    )


def _request_words(state: RequestState, phase: RunPhase) -> str:
    return (_UNTIL_THEN if phase.goes_on else REQUEST_WORDS).get(state, REQUEST_WORDS[state])


def _request(record: RequestRecord, phase: RunPhase) -> RequestShown:
    return RequestShown(
        number=record.number,
        action=record.action,
        rows=record.rows,
        state=str(record.state),
        words=_request_words(record.state, phase),
        tries=record.tries,
        received=record.received,
        invalid=record.invalid,
        refused=dict(record.rejected),
        trouble=Told.of(record.error) if record.error else None,
        sent_at=record.sent_at,
        acknowledged_at=record.acknowledged_at,
        session=record.session,
        part_of=record.part_of,
        in_doubt=record.in_doubt,
    )


def _would(record: RunRecord) -> WouldHave | None:
    if not stopped_after_counting(record):
        return None
    would = Would(added=record.planned.get("begun", 0), removed=record.planned["leaving"])
    return WouldHave(added=would.added, removed=would.removed, words=would.in_words(action_of(record)))


def _ad_sets(ledger: Ledger, record: RunRecord) -> list[AdSetShown]:
    known = campaigns.named(ledger, record.campaign)
    return [
        AdSetShown(id=link.ad_set_id, place=link.place, trouble=Told.of(link.error) if link.error else None)
        for link in (ad_set_links.of_campaign(ledger, known.id) if known else ())
        if link.run == record.id
    ]


def _batch(ledger: Ledger, record: RunRecord) -> BatchReport | None:
    batch = live_batches.of_run(ledger, record.id)
    return report_on(ledger, batch, record.as_of) if batch else None


def _custom_group(ledger: Ledger, record: RunRecord) -> str | None:
    """The name of the custom control group in the file as it was run."""
    who = run_records.config_of(ledger, record.id).get("who")
    group = who.get("control_group") if isinstance(who, dict) else None
    custom = group.get("custom") if isinstance(group, dict) else None
    return custom if isinstance(custom, str) else None
