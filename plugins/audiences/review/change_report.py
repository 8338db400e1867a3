"""A review of a change of files: as Markdown for a pull request, and as JSON. No name of others in it acts as markup."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from audiences.campaign.phrases import code
from audiences.campaign.project import Project
from audiences.campaign.wording import counted
from audiences.errors import AudiencesError, ConnectionMissingError
from audiences.redact import without_people
from audiences.review.approval_asked import ApprovalAsked, approval_asked, approved_at, needs_approval
from audiences.review.changed_campaigns import CampaignChange, changes
from audiences.review.git_revision import commit_of, files_at
from audiences.review.old_tree import FOLDERS
from audiences.who.outcome_words import outcome_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from audiences.campaign.spec import CampaignSpec
    from audiences.pipeline.resources import CampaignResources
    from audiences.review.people_concerned import PeopleChange

MOST_COUNTED: Final = 50
"""Campaigns whose people are counted; a change of the catalog may concern a thousand."""
_MOST_LISTED: Final = 50
LONGEST: Final = 60_000
"""Characters: a comment on GitHub has room for 65,536."""


@dataclass(frozen=True, slots=True)
class Review:
    """Campaigns that a change of files concerns since `commit`, with `people`, `approvals` and `errors` by campaign.

    `problems` are those of the files now, `problems_before` those of then. `uncounted` says why nobody was counted; None where
    people were.
    """

    commit: str
    changes: tuple[CampaignChange, ...]
    people: dict[str, PeopleChange] = field(default_factory=dict)
    approvals: dict[str, ApprovalAsked] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    problems_before: tuple[str, ...] = ()
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
        # Where neither folder was there, there was no project yet, and nothing is missing from it.
        there = any(not (folder / name).is_dir() or any((folder / name).iterdir()) for name in FOLDERS)
        before = Project.load(folder) if there else Project(folder)
    after = Project.load(project)
    found = Review(
        commit=commit,
        changes=tuple(changes(before, after)),
        problems=tuple(without_people(str(problem)) for problem in after.problems),
        problems_before=tuple(without_people(str(problem)) for problem in before.problems),
        uncounted=None if open_resources else "only the files were looked at",
    )
    if open_resources:
        found = _counted(found, at, open_resources)
    asked = {change.campaign: approval_asked(change, ledger=False, approved=None) for change in found.changes}
    return replace(found, approvals={name: words for name, words in asked.items() if words} | found.approvals)


def _counted(found: Review, at: datetime, open_resources: Callable[[CampaignSpec], CampaignResources]) -> Review:
    """The review with people, and with what the ledger knows of approvals, as far as there are connections."""
    from audiences.review.people_concerned import people_of  # pandas and more, which take a second or two

    people: dict[str, PeopleChange] = {}
    errors: dict[str, str] = {}
    asked: dict[str, ApprovalAsked] = {}
    for change in found.changes:
        name, before, after = change.campaign, change.before, change.after
        if change.kind == "broken" or not (before or after):
            continue
        if len(people) + len(errors) == MOST_COUNTED:
            left = f"only the first {MOST_COUNTED} campaigns were counted"
            return replace(found, people=people, errors=errors, approvals=asked, uncounted=left)
        try:
            if after and needs_approval(after):
                approved = approved_at(after, open_resources)
                asked[name] = approval_asked(change, ledger=True, approved=approved)  # type: ignore[assignment]  # it needs one
            people[name] = people_of(before, after, at, open_resources, was_wrong=change.was_wrong)
        except ConnectionMissingError as error:
            return replace(found, people=people, errors=errors, approvals=asked, uncounted=str(error))
        except AudiencesError as error:
            errors[name] = without_people(str(error))
    return replace(found, people=people, errors=errors, approvals=asked)


def as_json(found: Review) -> dict[str, Any]:
    """The review for programs."""
    return {
        "commit": found.commit,
        "campaigns": [
            {
                "campaign": change.campaign,
                "change": change.kind,
                "formerly": change.formerly,
                "was_wrong": change.was_wrong,
                "status": {"before": _status(change.before), "after": _status(change.after)},
                "keys": list(change.keys),
                "more_keys": change.more_keys,
                "words": [asdict(words) for words in change.words],
                "problems": list(change.problems),
                "approval": asdict(found.approvals[change.campaign]) if change.campaign in found.approvals else None,
                "people": asdict(found.people[change.campaign]) if change.campaign in found.people else None,
                "error": found.errors.get(change.campaign),
            }
            for change in found.changes
        ],
        "problems": list(found.problems),
        "problems_before": list(found.problems_before),
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
    unasked = [name for name, approval in found.approvals.items() if approval.asked is False]
    if unasked:
        named = ", ".join(map(code, unasked[:_MOST_LISTED]))
        more = f" and {len(unasked) - _MOST_LISTED} more" if len(unasked) > _MOST_LISTED else ""
        parts.append(f"**Sends without asking anybody for an approval: {named}{more}.** The reasons are below.\n")
    for title, problems in (("Wrong files", found.problems), ("Files that were wrong before", found.problems_before)):
        if problems:
            parts.append(f"**{title}**\n\n" + "\n".join(f"- {code(each)}" for each in problems[:_MOST_LISTED]) + "\n")
    left = len(found.changes)
    for change in found.changes:
        part = "\n".join(_campaign(found, change)) + "\n"
        if sum(map(len, parts)) + len(part) > LONGEST:
            parts.append(f"… and {counted(left, 'campaign')} more; `audiences diff` shows all.\n")
            break
        parts.append(part)
        left -= 1
    return "\n".join(parts)


def _campaign(found: Review, change: CampaignChange) -> Iterator[str]:
    people, error = found.people.get(change.campaign), found.errors.get(change.campaign)
    yield f"#### {code(change.campaign)}: {_kind(change)}"
    yield ""
    if people:
        yield _moves(people)
        yield ""
        yield from _outcomes(change, people)
    if error:
        yield f"Not counted: {code(error)}"
        yield ""
    if approval := found.approvals.get(change.campaign):
        yield f"**{approval.words}**" if approval.asked is False else approval.words
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


def _moves(people: PeopleChange) -> str:
    if people.comes is None or people.goes is None:
        return "The old file was wrong, so who comes and who goes is not known."
    moved = f", {people.to_control:,} of them to a control group" if people.to_control else ""
    return f"**+{people.comes:,} \N{MINUS SIGN}{people.goes:,} people**{moved}"


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
    wrong = "; its file was wrong before" if change.was_wrong else ""
    if change.kind == "broken":
        return f"its file is wrong{', as it was before' if change.was_wrong else ''}"
    if change.kind == "renamed" and change.formerly:
        return f"renamed from {code(change.formerly)}{wrong}"
    statuses = [_status(each) for each in (change.before, change.after)]
    if change.kind == "changed" and statuses[0] and statuses[0] != statuses[1]:
        return f"changed, from {statuses[0]} to {statuses[1]}"
    if change.kind == "removed" and change.before:
        ends = {"keep": "its members stay", "unlink": "its ad sets are unlinked", "empty": "its members are removed"}
        return f"removed ({statuses[0]}); {ends[change.before.campaign.when.on_end]}"
    return f"{change.kind}{f' ({statuses[1]})' if statuses[1] else ''}{wrong}"


def _status(spec: CampaignSpec | None) -> str | None:
    return spec.campaign.status if spec else None


def _plain(text: str) -> str:
    return code(without_people(text).rstrip("."))
