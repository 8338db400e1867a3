"""One campaign in full: what it is in words, its file, what changed since it ran, when it sends, what its goal came to."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  # pydantic reads annotations at run time
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from audiences.campaign import phrases
from audiences.campaign.describe import sections
from audiences.campaign.source import read_text
from audiences.errors import ConfigError
from audiences.goal.report import Report, goal_digest
from audiences.ledger import goals, run_records
from audiences.reporting import overview
from audiences.reporting.campaign_shown import CampaignShown  # noqa: TC001  # the same
from audiences.reporting.file_difference import FileDifference, file_difference
from audiences.reporting.links import Links, links
from audiences.reporting.names_on_record import name_on_record
from audiences.reporting.shape import Shown
from audiences.when.upcoming import next_sends

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from audiences.campaign.phrases import ListItem
    from audiences.campaign.spec import CampaignSpec, SavedSegment
    from audiences.connections import Connection
    from audiences.ledger.database import Ledger
    from audiences.reporting.project_files import ProjectFiles

NEXT_RUNS: Final = 10
GOAL_RESULTS: Final = 100


class Said(Shown):
    """A line of a list, `depth` joints deep, as Markdown in which every name and value of a file is a code span."""

    text: str
    depth: int


class Section(Shown):
    """A section of the campaign in words: who, what, when or goal."""

    title: str
    lines: tuple[Said, ...]


class SegmentShown(Shown):
    """A saved segment that the campaign uses, spelled out: its rules in words, its SQL, or how many ids its list has."""

    name: str
    lines: tuple[Said, ...]
    sql: str | None
    users: int | None


class ProblemShown(Shown):
    """Something that is wrong with the file; line and column count from 1, 0 is the file as a whole."""

    file: str
    line: int
    column: int
    key: str
    message: str


class CampaignFile(Shown):
    """The campaign's file as it is on the disk; `text` is None where it cannot be read."""

    name: str
    text: str | None
    problems: tuple[ProblemShown, ...]
    difference: FileDifference | None


class GoalShown(Shown):
    """A result of a goal: in words, where no number is honest too, and in full.

    `same_goal`: the file asks the same still. `report` is None for one that another version of the product wrote.
    """

    as_of: datetime
    same_goal: bool
    config_digest: str
    words: str
    report: Report | None


class CampaignPage(Shown):
    """Everything about one campaign but its runs, and sizes over time, which are asked for by themselves.

    `sections` and `segments` are empty where the file is broken or gone, and `file` is None where it is gone. `next_sends` are in
    UTC. `goals` are the newest first.
    """

    campaign: CampaignShown
    sections: tuple[Section, ...]
    segments: tuple[SegmentShown, ...]
    file: CampaignFile | None
    next_sends: tuple[datetime, ...]
    links: Links | None
    goals: tuple[GoalShown, ...]


def campaign_page(
    files: ProjectFiles, ledger: Ledger, campaign: str, *, now: datetime, look_up: Callable[[str], Connection]
) -> CampaignPage | None:
    """The campaign of that id; None where there is neither a file nor a record of it."""
    shown = overview.one(files, ledger, campaign, now=now)
    if shown is None:
        return None
    spec = files.specs.get(campaign)
    return CampaignPage(
        campaign=shown,
        sections=tuple(_sections(spec)) if spec else (),
        segments=tuple(_segment(name, saved) for name, saved in sorted(spec.segments.items())) if spec else (),
        file=_file(files, ledger, shown),
        next_sends=_next_sends(spec, shown, now) if spec else (),
        links=links(spec, shown.audience.id if shown.audience else None, look_up=look_up) if spec else None,
        goals=tuple(_goals(spec, ledger, name_on_record(files, ledger, campaign))),
    )


def _sections(spec: CampaignSpec) -> Iterable[Section]:
    for title, entries in sections(spec).items():
        yield Section(title=title, lines=tuple(_lines(entries)))


def _lines(entries: Iterable[ListItem], depth: int = 0) -> Iterable[Said]:
    for entry in entries:
        yield Said(text=entry.said, depth=depth)
        yield from _lines(entry.below, depth + 1)


def _segment(name: str, saved: SavedSegment) -> SegmentShown:
    return SegmentShown(
        name=name,
        lines=tuple(_lines(phrases.rules(saved.rules))) if saved.rules else (),
        sql=saved.sql,
        users=len(saved.users) if saved.users is not None else None,
    )


def _file(files: ProjectFiles, ledger: Ledger, shown: CampaignShown) -> CampaignFile | None:
    name = files.files.get(shown.id)
    if name is None:
        return None
    try:
        text: str | None = read_text(files.root / name, name)
    except ConfigError:  # what is wrong with it is among the problems
        text = None
    return CampaignFile(
        name=name,
        text=text,
        problems=tuple(
            ProblemShown(file=each.file, line=each.line, column=each.column, key=each.key, message=each.message)
            for each in files.problems(shown.id)
        ),
        difference=_difference(files, ledger, shown),
    )


def _difference(files: ProjectFiles, ledger: Ledger, shown: CampaignShown) -> FileDifference | None:
    spec = files.specs.get(shown.id)
    run = run_records.find(ledger, shown.last_run.run) if shown.last_run else None
    if spec is None or run is None:
        return None
    return file_difference(ledger, spec, digest=files.digest(shown.id), run=run.id, run_digest=run.config_digest)


def _next_sends(spec: CampaignSpec, shown: CampaignShown, now: datetime) -> tuple[datetime, ...]:
    return tuple(next_sends(spec, now, NEXT_RUNS)) if shown.next_send else ()


def _goals(spec: CampaignSpec | None, ledger: Ledger, campaign: str) -> Iterable[GoalShown]:
    goal = spec.campaign.goal if spec else None
    today = goal_digest(goal) if goal else None
    for result in goals.history(ledger, campaign, limit=GOAL_RESULTS):
        try:
            report = Report.model_validate(result.report)
        except ValidationError:
            report = None
        yield GoalShown(
            as_of=result.as_of,
            same_goal=result.goal_digest == today,
            config_digest=result.config_digest,
            words=report.in_words()
            if report
            else "measured by another version of the product, which wrote it otherwise",
            report=report,
        )
