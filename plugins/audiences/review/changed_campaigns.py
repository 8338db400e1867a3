"""Which campaigns a change of files concerns, and what it says of them in words; from the files alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from audiences.campaign.describe import sections
from audiences.campaign.files import folder_name
from audiences.campaign.phrases import bullets
from audiences.campaign.wording import counted
from audiences.redact import without_people

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audiences.campaign.project import Project
    from audiences.campaign.spec import CampaignSpec
    from audiences.errors import ConfigError

Kind = Literal["added", "removed", "renamed", "changed", "broken"]
MOST_KEYS = 12
_FILES = {
    "campaign": "",
    "catalog": "include/warehouse.yml: ",
    "account": "include/settings.yml: ad account, ",
    "control_groups": "include/settings.yml: control_groups.",
}


@dataclass(frozen=True, slots=True)
class Wording:
    """Lines of a section of the description that are gone, or new."""

    section: str
    gone: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CampaignChange:
    """A campaign before and after; None where it is not there, or its file is wrong (`problems`).

    `was_wrong`: there was a file before, and it was wrong, so nobody knows what it would have done. `formerly` is the id before.
    `keys` are the settings that differ, by file. Nobody's id is in it.
    """

    campaign: str
    kind: Kind
    before: CampaignSpec | None
    after: CampaignSpec | None
    was_wrong: bool = False
    formerly: str | None = None
    keys: tuple[str, ...] = ()
    more_keys: int = 0
    words: tuple[Wording, ...] = ()
    problems: tuple[str, ...] = ()


def changes(before: Project, after: Project) -> list[CampaignChange]:
    """Every campaign that is another one than before, by id."""
    was_broken, broken = before.broken_campaigns, _broken(before, after)
    there = {*before.campaigns, *was_broken}
    former = {
        old: name for name, spec in after.campaigns.items() for old in spec.campaign.formerly if name not in there
    }
    unknown = bool(before.unread)
    found = []
    for name in sorted(there | {*after.campaigns, *broken}):
        old, new = before.campaigns.get(name), after.campaigns.get(name)
        was_wrong = name in was_broken or unknown
        if name in broken:
            problems = tuple(without_people(str(problem)) for problem in broken[name].problems)
            found.append(CampaignChange(name, "broken", old, None, was_wrong=was_wrong, problems=problems))
        elif new is None and name in former:
            continue  # told with its new name
        elif new is None:
            found.append(_change(name, "removed", old, None, was_wrong=was_wrong))
        elif name not in there and not unknown:
            earlier = next((each for each in new.campaign.formerly if each in there), None)
            was = before.campaigns.get(earlier) if earlier else None
            kind: Kind = "renamed" if earlier else "added"
            found.append(_change(name, kind, was, new, was_wrong=earlier in was_broken, formerly=earlier))
        elif old is None or old.digest != new.digest:
            found.append(_change(name, "changed", old, new, was_wrong=was_wrong))
    return found


def _broken(before: Project, after: Project) -> dict[str, ConfigError]:
    """What is wrong with campaigns, by their ids; also with those whose folder can be read no more."""
    unread = after.unread
    return after.broken_campaigns | {
        name: unread[folder]
        for name, spec in before.campaigns.items()
        if (folder := folder_name(spec.brand)) in unread and name not in after.campaigns
    }


def _change(
    name: str,
    kind: Kind,
    old: CampaignSpec | None,
    new: CampaignSpec | None,
    *,
    was_wrong: bool,
    formerly: str | None = None,
) -> CampaignChange:
    keys = sorted(set(_keys(old, new))) if old and new else []
    return CampaignChange(
        name,
        kind,
        old,
        new,
        was_wrong=was_wrong,
        formerly=formerly,
        keys=tuple(map(without_people, keys[:MOST_KEYS])),
        more_keys=max(0, len(keys) - MOST_KEYS),
        words=tuple(_words(old, new)),
    )


def _keys(old: CampaignSpec, new: CampaignSpec) -> Iterator[str]:
    before, after = (spec.model_dump(mode="json", by_alias=True) for spec in (old, new))
    for part in before:
        if part == "segments":
            yield from _segments(old, new)
        elif part != "id":
            prefix = _FILES.get(part, f"include/settings.yml: {part}")
            yield from (f"{prefix}{path}".rstrip(".") for path in _differing(before[part], after[part]))


def _segments(old: CampaignSpec, new: CampaignSpec) -> Iterator[str]:
    """Saved segments that differ; of lists, how many ids came and went, and not which."""
    for name in sorted({*old.segments, *new.segments}):
        before, after = old.segments.get(name), new.segments.get(name)
        if before == after:
            continue
        ids = [set(each.users or ()) if each else set() for each in (before, after)]
        listed = any(each is not None and each.users is not None for each in (before, after))
        said = f" ({counted(len(ids[1] - ids[0]), 'id')} more, {len(ids[0] - ids[1]):,} fewer)" if listed else ""
        yield f"saved segment {name}{said}"


def _differing(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """The paths of values that differ; a list is one value, for its places say nothing."""
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in {**old, **new}:
            yield from _differing(old.get(key), new.get(key), f"{path}.{key}" if path else str(key))
    else:
        yield path


def _words(old: CampaignSpec | None, new: CampaignSpec | None) -> Iterator[Wording]:
    before, after = _described(old), _described(new)
    for title in {**before, **after}:
        lines, others = before.get(title, ()), after.get(title, ())
        gone = tuple(line for line in lines if line not in others)
        added = tuple(line for line in others if line not in lines)
        if gone or added:
            yield Wording(title, gone, added)


def _described(spec: CampaignSpec | None) -> dict[str, tuple[str, ...]]:
    """The campaign in words by section, without the users whom its file names."""
    if spec is None:
        return {}
    named = len(spec.campaign.who.never_hold_out)
    who = spec.campaign.who.model_copy(update={"never_hold_out": ()})
    nameless = spec.model_copy(update={"campaign": spec.campaign.model_copy(update={"who": who})})
    lines = {
        "Status": (f"- {spec.campaign.status}",),
        **{title: tuple(bullets(entries)) for title, entries in sections(nameless).items()},
    }
    if named:
        lines["Who"] = (*lines.get("Who", ()), f"- Never held out: {counted(named, 'user')} by name.")
    return {title: tuple(map(without_people, each)) for title, each in lines.items()}
