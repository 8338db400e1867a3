"""A campaign at a glance: what the overview, its own page and the commands say of it."""

from __future__ import annotations

from datetime import date, datetime  # noqa: TC003  # pydantic reads annotations at run time
from typing import TYPE_CHECKING, Literal

from audiences.reporting import run_words
from audiences.reporting.attention import Trouble  # noqa: TC001  # the same
from audiences.reporting.remedy import Told  # noqa: TC001  # the same
from audiences.reporting.run_phase import RunPhase, phase_of
from audiences.reporting.shape import Shown
from audiences.when.summary import summary, untimed_summary
from audiences.when.upcoming import recurrence_of

if TYPE_CHECKING:
    from audiences.campaign.spec import CampaignSpec
    from audiences.ledger.known_audiences import AudienceRecord
    from audiences.ledger.run_records import RunRecord
    from audiences.reporting.campaign_standing import CampaignStanding
    from audiences.reporting.project_files import ProjectFiles

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
    phase: RunPhase
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

    `over` says why no run comes any more, `next_send` when the next one will send (UTC), `sends` what it sends by where no time
    can be told, such as `as events come`. `size` is how many rows the audience
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
    sends: str | None
    audience: AudienceShown | None
    size: int | None
    sizes: tuple[SizeAt, ...]
    last_run: LastRunShown | None
    troubles: tuple[Trouble, ...]


def shown(
    files: ProjectFiles, standing: CampaignStanding, run: RunRecord | None, sizes: tuple[SizeAt, ...], now: datetime
) -> CampaignShown:
    """The campaign with its last `run`, and its size by day, oldest first."""
    spec, recorded = standing.spec, standing.recorded
    gone = standing.audience is not None and standing.audience.deleted_at is not None
    no_file = standing.id not in files.files and not files.problems(standing.id)
    status: CampaignStatus = "no file" if no_file else "broken file"
    has_run = run is not None
    upcoming = files.times.upcoming(spec, now, has_run=has_run) if spec and standing.over is None else None
    return CampaignShown(
        id=standing.id,
        name=standing.name,
        description=spec.campaign.description if spec else None,
        status=spec.campaign.status if spec else status,
        kind=kind_of(spec) if spec else None,
        owner=spec.campaign.owner if spec else None,
        tags=spec.campaign.tags if spec else (),
        ad_account=spec.campaign.ad_account if spec else None,
        timezone=spec.timezone if spec else None,
        schedule=schedule_words(spec) if spec else None,
        over=standing.over,
        next_send=upcoming,
        sends=None if upcoming or standing.over else _without_time(spec, has_run=has_run),
        audience=_audience(spec, standing.audience),
        size=0 if gone else recorded.size if recorded else None,
        sizes=sizes,
        last_run=_last_run(run, now) if run else None,
        troubles=standing.troubles,
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


def _without_time(spec: CampaignSpec | None, *, has_run: bool) -> str:
    """What a campaign sends of which no next time can be told."""
    if spec is None or spec.campaign.status != "published":
        return "nothing"
    untimed = {"live": "as events come", "after": "after others"}
    return untimed.get(kind_of(spec)) or ("nothing more" if has_run else "nothing")


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
        phase=phase_of(run, now),
        started_at=run.started_at,
        ended_at=run.ended_at,
        words=run_words.sentence(run, now),
        trouble=run_words.trouble(run, now),
    )
