"""A review of a change of files: as Markdown for a pull request, and as JSON. No name of others in it acts as markup."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from audiences.campaign.phrases import code
from audiences.campaign.project import Project
from audiences.campaign.wording import counted
from audiences.errors import AudiencesError, ConnectionMissingError
from audiences.pipeline.results import outcome_words
from audiences.redact import without_people
from audiences.review.changed_campaigns import CampaignChange, changes
from audiences.review.git_revision import commit_of, files_at
from audiences.review.people_concerned import PeopleChange, people_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from audiences.campaign.spec import CampaignSpec
    from audiences.pipeline.resources import CampaignResources

MOST_COUNTED: Final = 50
"""Campaigns whose people are counted; a change of the catalog may concern a thousand."""
LONGEST: Final = 60_000
"""Characters: a comment on GitHub has room for 65,536."""


@dataclass(frozen=True, slots=True)
class Review:
    """Campaigns that a change of files concerns since `commit`, with `people` and `errors` by campaign.

    `uncounted` says why nobody was counted; None where people were.
    """

    commit: str
    changes: tuple[CampaignChange, ...]
    people: dict[str, PeopleChange] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    uncounted: str | None = None

    @property
    def right(self) -> bool:
        """Whether every file is right and every campaign could be counted, where there is a warehouse."""
        return not self.errors and not self.problems


def review(
    project: Path,
    revision: str | None,
    at: datetime,
    open_resources: Callable[[CampaignSpec], CampaignResources] | None,
) -> Review:
    """Compare the working tree with a revision, by default where the branch left the main branch.

    Without `open_resources` from the files alone. Raises RevisionError.
    """
    commit = commit_of(project, revision)
    with files_at(project, commit) as folder:
        before = Project.load(folder)
    after = Project.load(project)
    found = tuple(changes(before, after))
    people: dict[str, PeopleChange] = {}
    errors: dict[str, str] = {}
    uncounted = None if open_resources else "only the files were looked at"
    for change in found if open_resources else ():
        if change.kind == "broken":
            continue
        if len(people) + len(errors) == MOST_COUNTED:
            uncounted = f"only the first {MOST_COUNTED} campaigns were counted"
            break
        try:
            people[change.campaign] = people_of(change.before, change.after, at, open_resources)  # type: ignore[arg-type]  # not None here
        except ConnectionMissingError as error:
            uncounted = str(error)
            break
        except AudiencesError as error:
            errors[change.campaign] = without_people(str(error))
    return Review(
        commit=commit,
        changes=found,
        people=people,
        errors=errors,
        problems=tuple(without_people(str(problem)) for problem in after.problems),
        uncounted=uncounted,
    )


def as_json(found: Review) -> dict[str, Any]:
    """The review for programs."""
    return {
        "commit": found.commit,
        "campaigns": [
            {
                "campaign": change.campaign,
                "change": change.kind,
                "status": {"before": _status(change.before), "after": _status(change.after)},
                "keys": list(change.keys),
                "more_keys": change.more_keys,
                "words": [asdict(words) for words in change.words],
                "problems": list(change.problems),
                "asks_again": _asks(change),
                "people": asdict(found.people[change.campaign]) if change.campaign in found.people else None,
                "error": found.errors.get(change.campaign),
            }
            for change in found.changes
        ],
        "problems": list(found.problems),
        "uncounted": found.uncounted,
    }


def as_markdown(found: Review) -> str:
    """The review for people, in at most LONGEST characters."""
    title = f"{counted(len(found.changes), 'campaign')} changed" if found.changes else "no campaign changed"
    parts = [f"### Audiences: {title} since `{found.commit[:12]}`\n"]
    if found.uncounted and found.changes:
        parts.append(
            f"People were not counted: {_plain(found.uncounted)}.\n"
            if not found.people
            else f"{_plain(found.uncounted)}.\n"
        )
    if found.problems:
        parts.append("**Wrong files**\n\n" + "\n".join(f"- {code(problem)}" for problem in found.problems[:50]) + "\n")
    left = len(found.changes)
    for change in found.changes:
        part = "\n".join(_campaign(change, found.people.get(change.campaign), found.errors.get(change.campaign))) + "\n"
        if sum(map(len, parts)) + len(part) > LONGEST:
            parts.append(f"… and {counted(left, 'campaign')} more; `audiences diff` shows all.\n")
            break
        parts.append(part)
        left -= 1
    return "\n".join(parts)


def _campaign(change: CampaignChange, people: PeopleChange | None, error: str | None) -> Iterator[str]:
    yield f"#### {code(change.campaign)}: {_kind(change)}"
    yield ""
    if people:
        moved = f", {people.to_control:,} of them to a control group" if people.to_control else ""
        yield f"**+{people.comes:,} \N{MINUS SIGN}{people.goes:,} people**{moved}"
        yield ""
        yield from _outcomes(change, people)
    if error:
        yield f"Not counted: {code(error)}"
        yield ""
    if _asks(change):
        yield "Somebody has to approve this version in the Airflow UI before it sends."
        yield ""
    for problem in change.problems:
        yield f"- {code(problem)}"
    if change.keys:
        more = f", and {change.more_keys} more" if change.more_keys else ""
        yield f"Changed: {', '.join(map(code, change.keys))}{more}"
        yield ""
    for words in change.words:
        lines = [*(f"- {line}" for line in words.gone), *(f"+ {line}" for line in words.new)]
        yield from (f"{words.section}:", "", "```diff", *(line.replace("```", "´´´") for line in lines), "```", "")


def _outcomes(change: CampaignChange, people: PeopleChange) -> Iterator[str]:
    sides = {"before": people.before, "after": people.after}
    there = {name: outcomes for name, outcomes in sides.items() if outcomes is not None}
    names = list(dict.fromkeys(name for outcomes in there.values() for name in outcomes))
    first = [name for name in ("qualified", "targeted") if name in names]
    spec = change.after or change.before
    action = spec.campaign.what.audience.action if spec else "mirror"
    yield f"| users | {' | '.join(there)} |"
    yield f"|---|{'---:|' * len(there)}"
    for name in (*first, *(name for name in names if name not in first)):
        if name in first or any(outcomes.get(name) for outcomes in there.values()):
            figures = " | ".join(f"{outcomes.get(name, 0):,}" for outcomes in there.values())
            yield f"| {outcome_words(name, action=action)} | {figures} |"
    yield ""


def _kind(change: CampaignChange) -> str:
    if change.kind == "broken":
        return "its file is wrong"
    if change.kind == "renamed" and change.before:
        return f"renamed from {code(change.before.id)}"
    statuses = [_status(each) for each in (change.before, change.after)]
    if change.kind == "changed" and statuses[0] != statuses[1]:
        return f"changed, from {statuses[0]} to {statuses[1]}"
    if change.kind == "removed" and change.before:
        ends = {"keep": "its members stay", "unlink": "its ad sets are unlinked", "empty": "its members are removed"}
        return f"removed ({statuses[0]}); {ends[change.before.campaign.when.on_end]}"
    return f"{change.kind} ({statuses[1]})"


def _asks(change: CampaignChange) -> bool:
    campaign = change.after.campaign if change.after else None
    return campaign is not None and campaign.approval is not None and campaign.status == "published"


def _status(spec: CampaignSpec | None) -> str | None:
    return spec.campaign.status if spec else None


def _plain(text: str) -> str:
    return code(without_people(text).rstrip("."))
