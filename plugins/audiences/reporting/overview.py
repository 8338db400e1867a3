"""Every campaign at a glance: those with a file, right or broken, and those of the ledger that still hold members without one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

from audiences.campaign.wording import folded
from audiences.ledger import audience_sizes, content, known_audiences, live_standing, members, run_records
from audiences.pipeline.preconditions.in_force import why_over
from audiences.reporting import run_words
from audiences.reporting.attention import Attention, CampaignFacts, Trouble, troubles
from audiences.reporting.remedy import Told  # noqa: TC001  # pydantic reads annotations at run time
from audiences.reporting.shape import Paged, Shown
from audiences.when.summary import summary, untimed_summary
from audiences.when.upcoming import recurrence_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from audiences.campaign.spec import CampaignSpec
    from audiences.ledger.database import Ledger
    from audiences.ledger.known_audiences import AudienceRecord
    from audiences.ledger.live_standing import LiveStanding
    from audiences.ledger.run_records import RecordedCampaign, RunRecord
    from audiences.reporting.project_files import ProjectFiles

SPARK_DAYS: Final = 30
CampaignStatus = Literal["draft", "published", "stopped", "broken file", "no file"]
CampaignKind = Literal["live", "after", "repeat", "cron", "dates", "date", "now"]
"""How a campaign comes to run, by the word of its file."""


class SizeAt(Shown):
    """The size of an audience at the end of a day: rows that it holds by our doing."""

    day: date
    size: int


class LastRunShown(Shown):
    """The last run of a campaign: what came of it in one sentence; where it did not succeed why, and what to do."""

    run: int
    state: str
    started_at: datetime
    ended_at: datetime | None
    words: str
    trouble: Told | None


class AudienceShown(Shown):
    """The audience of a campaign; the ids are Facebook's.

    `size_lower` to `size_upper` is how many people Facebook says it has matched, `operation` and `delivery` are its words on the
    audience, all as of `checked_at`. `deleted_at`: a run has found it gone.
    """

    id: str | None
    name: str | None
    ad_account: str
    size_lower: int | None = None
    size_upper: int | None = None
    operation: str | None = None
    delivery: str | None = None
    checked_at: datetime | None = None
    deleted_at: datetime | None = None


class CampaignShown(Shown):
    """A campaign in the overview. What only a right file tells is None, or empty, for one whose file is broken or gone.

    `over` says why no run comes any more, `next_send` when the next one will send (UTC). `size` is how many rows the audience
    holds by our doing, as of the last run that came as far, None where none did; `sizes` the same by day.
    """

    id: str
    name: str
    description: str | None
    status: CampaignStatus
    kind: CampaignKind | None
    owner: str | None
    tags: tuple[str, ...]
    ad_account: str | None
    timezone: str | None
    schedule: str | None
    over: str | None
    next_send: datetime | None
    audience: AudienceShown | None
    size: int | None
    sizes: tuple[SizeAt, ...]
    last_run: LastRunShown | None
    troubles: tuple[Trouble, ...]


class Overview(Paged):
    """A page of the campaigns, problems first; `with_troubles` counts those of the whole list by their most urgent problem."""

    campaigns: tuple[CampaignShown, ...]
    with_troubles: dict[Attention, int]


@dataclass(frozen=True, slots=True)
class _Listed:
    """A campaign in the list before its page is known."""

    id: str
    spec: CampaignSpec | None
    recorded: RecordedCampaign | None
    audience: AudienceRecord | None
    over: str | None
    troubles: tuple[Trouble, ...]

    @property
    def name(self) -> str:
        return self.spec.campaign.name if self.spec else self.id

    @property
    def order(self) -> tuple[int, str, str]:
        return self.troubles[0].kind.rank if self.troubles else len(Attention), folded(self.name), self.id


def overview(
    files: ProjectFiles,
    ledger: Ledger,
    *,
    now: datetime,
    search: str = "",
    offset: int = 0,
    limit: int = 50,
    may_see: Callable[[str], bool] = lambda _: True,
) -> Overview:
    """The campaigns whose id, name, tags, owner or audience has every word of `search` in it, and which `may_see` lets see.

    Seven statements, whatever the number of campaigns; those of a page are looked at more closely than the rest.
    """
    words = folded(search).split()
    found = sorted(
        (
            each
            for each in _all(files, ledger, now, may_see)
            if not words or all(word in _searched(each) for word in words)
        ),
        key=lambda each: each.order,
    )
    page = found[offset : offset + limit]
    first_kinds = [each.troubles[0].kind for each in found if each.troubles]
    return Overview(
        total=len(found),
        offset=offset,
        limit=limit,
        campaigns=tuple(_page(files, ledger, page, now)),
        with_troubles={kind: count for kind in Attention if (count := first_kinds.count(kind))},
    )


def one(files: ProjectFiles, ledger: Ledger, campaign: str, *, now: datetime) -> CampaignShown | None:
    """One campaign as the overview shows it; None where there is neither a file nor a record of it."""
    found = _all(files, ledger, now, lambda name: name == campaign, only=campaign)
    return next(iter(_page(files, ledger, found, now)), None)


def _all(
    files: ProjectFiles, ledger: Ledger, now: datetime, may_see: Callable[[str], bool], *, only: str | None = None
) -> list[_Listed]:
    """All campaigns that one may see, or the `only` one, which may have nobody in an audience any more."""
    spec = files.specs.get(only or "")
    names = (only, *(spec.campaign.formerly if spec else ())) if only else None
    recorded = {each.name: each for each in run_records.campaigns(ledger, names)}
    audiences = _Audiences(known_audiences.every(ledger))
    doubts, live = content.doubts(ledger), {each.campaign: each for each in live_standing.every(ledger)}
    counted = [name for name, spec in files.specs.items() if spec.campaign.when.ends and not spec.campaign.when.start]
    scheduled = run_records.scheduled(ledger, counted) if counted else {}
    gone = {name for name in recorded if name not in files.accounted_for}
    holding = _holding(ledger, [recorded[name] for name in gone])
    without_file = gone if only else holding
    return [
        _listed(
            files, name, now, _record_of(files, name, recorded), audiences, doubts, live.get(name), scheduled, holding
        )
        for name in (*files.files, *without_file)
        if may_see(name)
    ]


def _listed(
    files: ProjectFiles,
    name: str,
    now: datetime,
    recorded: RecordedCampaign | None,
    audiences: _Audiences,
    doubts: Mapping[int, str],
    live: LiveStanding | None,
    scheduled: Mapping[str, int],
    holding: set[str],
) -> _Listed:
    spec = files.specs.get(name)
    audience = audiences.of(spec, recorded)
    over = why_over(spec, now, scheduled.get(name, 0)) if spec else None
    last = recorded.last_run if recorded else None
    facts = CampaignFacts(
        id=name,
        spec=spec,
        problems=files.problems(name),
        last_run=last,
        doubt=doubts.get(audience.id) if audience else None,
        created=audience is not None and audience.created_for is not None,
        live=live,
        held=name in holding,
        digest=lambda: files.digest(name),
        changed_at=files.changed_at.get(name),
        over=over is not None,
    )
    return _Listed(name, spec, recorded, audience, over, tuple(troubles(facts, files.times, now)))


class _Audiences:
    """The audiences on record, by which a campaign's own is found as a run finds it."""

    def __init__(self, listed: Sequence[AudienceRecord]) -> None:
        self._by_number = {each.id: each for each in listed}
        self._by_facebook_id = {each.facebook_id: each for each in listed}
        self._created: dict[int, list[AudienceRecord]] = {}
        for each in listed:
            if each.created_for is not None:
                self._created.setdefault(each.created_for, []).append(each)

    def of(self, spec: CampaignSpec | None, recorded: RecordedCampaign | None) -> AudienceRecord | None:
        """The campaign's audience; of one whose file does not tell, that of its last run."""
        wanted = spec.campaign.what.audience if spec else None
        if wanted and wanted.update:
            return self._by_facebook_id.get(wanted.update.id)
        if recorded is None:
            return None
        if spec is None or wanted is None or wanted.create is None:
            return self._by_number.get(recorded.audience or 0)
        own = [each for each in self._created.get(recorded.id, ()) if each.ad_account == spec.account.id]
        there = [each for each in own if each.deleted_at is None] or own
        name = wanted.create.name
        return max(there, key=lambda each: (each.name == name, each.id), default=None)


def _record_of(files: ProjectFiles, name: str, recorded: Mapping[str, RecordedCampaign]) -> RecordedCampaign | None:
    """The campaign on record, under a former id where it has still to be taken over."""
    spec = files.specs.get(name)
    former = spec.campaign.formerly if spec else ()
    found = [recorded[each] for each in (name, *former) if each in recorded]
    return max(found, key=lambda each: each.last_run is not None, default=None)


def _holding(ledger: Ledger, candidates: Sequence[RecordedCampaign]) -> set[str]:
    """The names of those that keep somebody in an audience."""
    names = {each.id: each.name for each in candidates}
    return {names[held.campaign] for held in members.holding(ledger, names)} if names else set()


def _searched(listed: _Listed) -> str:
    spec, audience = listed.spec, listed.audience
    parts = [listed.id, listed.name]
    if spec:
        wanted = spec.campaign.what.audience
        parts += [*spec.campaign.tags, spec.campaign.owner or ""]
        parts += [wanted.create.name if wanted.create else "", wanted.update.id if wanted.update else ""]
    if audience:
        parts += [audience.name, audience.facebook_id]
    return folded("\n".join(parts))


def _page(files: ProjectFiles, ledger: Ledger, page: Sequence[_Listed], now: datetime) -> Iterable[CampaignShown]:
    last = {each.id: each.recorded.last_run.id for each in page if each.recorded and each.recorded.last_run}
    runs = run_records.numbered(ledger, list(last.values())) if last else {}
    numbers = [each.recorded.id for each in page if each.recorded]
    sizes: dict[int, tuple[SizeAt, ...]] = {}
    if numbers:
        first = now.date() - timedelta(days=SPARK_DAYS - 1)
        for each in audience_sizes.by_day(ledger, numbers, first=first, last=now.date(), zone="UTC"):
            sizes[each.campaign] = tuple(
                SizeAt(day=day, size=size) for day, size in zip(each.days, each.sizes, strict=True)
            )
    for listed in page:
        number = listed.recorded.id if listed.recorded else 0
        yield _shown(files, listed, runs.get(last.get(listed.id, 0)), sizes.get(number, ()), now)


def _shown(
    files: ProjectFiles, listed: _Listed, run: RunRecord | None, sizes: tuple[SizeAt, ...], now: datetime
) -> CampaignShown:
    spec, recorded = listed.spec, listed.recorded
    gone = listed.audience is not None and listed.audience.deleted_at is not None
    status: CampaignStatus = "no file" if listed.id not in files.files else "broken file"
    return CampaignShown(
        id=listed.id,
        name=listed.name,
        description=spec.campaign.description if spec else None,
        status=spec.campaign.status if spec else status,
        kind=kind_of(spec) if spec else None,
        owner=spec.campaign.owner if spec else None,
        tags=spec.campaign.tags if spec else (),
        ad_account=spec.campaign.ad_account if spec else None,
        timezone=spec.timezone if spec else None,
        schedule=schedule_words(spec) if spec else None,
        over=listed.over,
        next_send=files.times.upcoming(spec, now, has_run=run is not None) if spec and listed.over is None else None,
        audience=_audience(spec, listed.audience),
        size=0 if gone else recorded.size if recorded else None,
        sizes=sizes,
        last_run=_last_run(run, now) if run else None,
        troubles=listed.troubles,
    )


def kind_of(spec: CampaignSpec) -> CampaignKind:
    """How the campaign comes to run, by the word of its file."""
    when = spec.campaign.when
    kinds: dict[CampaignKind, object] = {
        "live": when.on,
        "after": when.run_after,
        "repeat": when.repeat,
        "cron": when.cron,
        "dates": when.dates,
        "date": when.date,
    }
    return next((kind for kind, given in kinds.items() if given), "now")


def schedule_words(spec: CampaignSpec) -> str:
    """The campaign's schedule in words, whatever its status."""
    recurrence = recurrence_of(spec)
    return summary(recurrence) if recurrence else untimed_summary(spec.campaign.when)


def _audience(spec: CampaignSpec | None, known: AudienceRecord | None) -> AudienceShown | None:
    if known:
        return AudienceShown(
            id=known.facebook_id,
            name=known.name,
            ad_account=known.ad_account,
            size_lower=known.size_lower,
            size_upper=known.size_upper,
            operation=known.operation_status,
            delivery=known.delivery_status,
            checked_at=known.checked_at,
            deleted_at=known.deleted_at,
        )
    if spec is None:
        return None
    wanted = spec.campaign.what.audience
    return AudienceShown(
        id=wanted.update.id if wanted.update else None,
        name=wanted.create.name if wanted.create else None,
        ad_account=spec.account.id,
    )


def _last_run(run: RunRecord, now: datetime) -> LastRunShown:
    return LastRunShown(
        run=run.id,
        state=str(run.state),
        started_at=run.started_at,
        ended_at=run.ended_at,
        words=run_words.sentence(run, now),
        trouble=run_words.trouble(run, now),
    )
