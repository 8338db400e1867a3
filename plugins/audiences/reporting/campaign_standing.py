"""Where each campaign stands: its file, right or broken, beside what is on record of it, and what a person should look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audiences.campaign.wording import folded
from audiences.ledger import content, known_audiences, live_standing, members, run_records
from audiences.pipeline.preconditions.in_force import why_over
from audiences.reporting import names_on_record
from audiences.reporting.attention import Attention, CampaignFacts, troubles
from audiences.reporting.own_audiences import OwnAudiences

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from audiences.campaign.spec import CampaignSpec
    from audiences.ledger.database import Ledger
    from audiences.ledger.known_audiences import AudienceRecord
    from audiences.ledger.run_records import RecordedCampaign
    from audiences.reporting.attention import Trouble
    from audiences.reporting.project_files import ProjectFiles


@dataclass(frozen=True, slots=True)
class CampaignStanding:
    """A campaign by its id: the file, None where it is broken or gone, and the record, None where there is none.

    `over` says why no run comes any more. `troubles` are the most urgent first.
    """

    id: str
    spec: CampaignSpec | None
    recorded: RecordedCampaign | None
    audience: AudienceRecord | None
    over: str | None
    troubles: tuple[Trouble, ...]

    @property
    def name(self) -> str:
        """The name in the file; without one the id."""
        return self.spec.campaign.name if self.spec else self.id

    @property
    def order(self) -> tuple[int, str, str]:
        """The place in a list: problems first, then by name."""
        return self.troubles[0].kind.rank if self.troubles else len(Attention), folded(self.name), self.id


def standings(
    files: ProjectFiles, ledger: Ledger, *, now: datetime, may_see: Callable[[str], bool]
) -> list[CampaignStanding]:
    """Of every campaign that one may see: those with a file, and those without one that still hold members."""
    records = _Records(files, ledger)
    return [
        _standing(files, records, name, now)
        for name in (*files.files, *sorted(records.without_file & records.holding))
        if may_see(name)
    ]


def standing_of(files: ProjectFiles, ledger: Ledger, campaign: str, *, now: datetime) -> CampaignStanding | None:
    """Of one campaign, which may have nobody in an audience any more; None where there is neither a file nor a record of it."""
    records = _Records(files, ledger, only=names_on_record.ids_of(files, campaign))
    there = campaign in files.files or campaign in records.without_file
    return _standing(files, records, campaign, now) if there else None


class _Records:
    """What the ledger has of all campaigns, or of the `only` ones, in six statements.

    `without_file`: those that have none; `holding`: those of them that keep somebody in an audience.
    """

    def __init__(self, files: ProjectFiles, ledger: Ledger, only: Sequence[str] | None = None) -> None:
        self.campaigns = {each.name: each for each in run_records.campaigns(ledger, only)}
        self.audiences = OwnAudiences(known_audiences.every(ledger))
        self.doubts = content.doubts(ledger)
        self.live = {each.campaign: each for each in live_standing.every(ledger)}
        self.scheduled = _scheduled(files, ledger)
        self.without_file = {name for name in self.campaigns if name not in files.accounted_for}
        self.holding = _holding(ledger, [self.campaigns[name] for name in self.without_file])


def _scheduled(files: ProjectFiles, ledger: Ledger) -> dict[str, int]:
    """How often those have run by their schedule that end after some runs, counted from the first one."""
    counted = [
        each
        for name, spec in files.specs.items()
        if spec.campaign.when.ends and not spec.campaign.when.start
        for each in names_on_record.ids_of(files, name)
    ]
    return run_records.scheduled(ledger, counted) if counted else {}


def _holding(ledger: Ledger, candidates: Sequence[RecordedCampaign]) -> set[str]:
    """The names of those that keep somebody in an audience."""
    names = {each.id: each.name for each in candidates}
    return {names[held.campaign] for held in members.holding(ledger, names)} if names else set()


def _standing(files: ProjectFiles, records: _Records, campaign: str, now: datetime) -> CampaignStanding:
    spec, recorded = files.specs.get(campaign), names_on_record.record_of(files, campaign, records.campaigns)
    on_record = recorded.name if recorded else campaign
    audience = records.audiences.of(spec, recorded)
    over = why_over(spec, now, records.scheduled.get(on_record, 0)) if spec else None
    facts = CampaignFacts(
        id=campaign,
        spec=spec,
        problems=files.problems(campaign),
        last_run=recorded.last_run if recorded else None,
        doubt=records.doubts.get(audience.id) if audience else None,
        created=audience is not None and audience.created_for is not None,
        live=records.live.get(on_record),
        held=campaign in records.holding,
        digest=lambda: files.digest(campaign),
        changed_at=files.changed_at.get(campaign),
        over=over is not None,
    )
    return CampaignStanding(campaign, spec, recorded, audience, over, tuple(troubles(facts, files.times, now)))
