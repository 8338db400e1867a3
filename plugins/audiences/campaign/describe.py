"""A campaign in plain English, as Markdown: who, what, when, goal, and the configuration in effect."""

from __future__ import annotations

import re
from typing import Any

import yaml

from audiences.campaign.after import RunAfter
from audiences.campaign.approval import DEADLINE, Approval
from audiences.campaign.phrases import ListItem, bullets, clock, code, codes, conditions, plain, rules
from audiences.campaign.spec import CampaignSpec
from audiences.campaign.what import Action
from audiences.campaign.when import Limit, Repeat, When
from audiences.redact import harmless_json

_STATUS = {
    "draft": "Draft: previews only, nothing is sent.",
    "published": "Published.",
    "stopped": "Stopped: no more runs, the history is kept.",
}
_CREATE: dict[Action, str] = {
    "mirror": "kept equal to the users who qualify",
    "add": "users who qualify are added, nobody is removed",
    "remove": "users who no longer qualify are removed, nobody is added",
    "remove_matching": "users who qualify are removed",
}


def describe(spec: CampaignSpec) -> str:
    """The whole campaign; nothing of what its files say can act as markup or HTML."""
    return "\n".join([in_words(spec), "", "## Configuration", "", *_fenced(effective_yaml(spec))]) + "\n"


def in_words(spec: CampaignSpec) -> str:
    """The campaign without its configuration: who, what, when, goal; as harmless as `describe`."""
    campaign = spec.campaign
    lines = [f"# {plain(campaign.name)}", ""]
    if campaign.description:
        lines += [plain(campaign.description), ""]
    lines.append(f"{_STATUS[campaign.status]} Ad account {code(campaign.ad_account)} ({code(spec.account.id)}).")
    if campaign.approval:
        lines += ["", _approval(campaign.approval)]
    for title, entries in sections(spec).items():
        lines += ["", f"## {title}", "", *bullets(entries)]
    return "\n".join(lines)


def _approval(approval: Approval) -> str:
    who = f"by {codes(approval.approvers)}" if approval.approvers else "in the Airflow UI"
    return f"The first run of each version of the file waits for an approval {who}, at most {approval.deadline or DEADLINE}."


def sections(spec: CampaignSpec) -> dict[str, list[ListItem]]:
    """Who, what, when and goal as lists, by their titles; a campaign without a goal has none."""
    every = {"Who": _who(spec), "What": _what(spec), "When": _when(spec), "Goal": _goal(spec)}
    return {title: entries for title, entries in every.items() if entries}


def effective_yaml(spec: CampaignSpec) -> str:
    """The campaign as YAML with every default filled in; reads back as the same campaign."""
    data = spec.campaign.model_dump(mode="json", by_alias=True, exclude_none=True)
    text = yaml.dump(_filled(data), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return harmless_json(text)  # what it escapes stands in double quotes, where YAML has the same escapes


def _filled(data: Any) -> Any:
    """Without the keys whose value is an empty list or text, which is what they are unless given."""
    if isinstance(data, dict):
        return {key: _filled(value) for key, value in data.items() if value not in ([], "")}
    return [_filled(each) for each in data] if isinstance(data, list) else data


class _Dumper(yaml.CSafeDumper):
    """Quotes every text that is not plainly a word, so that no reader takes it for something else."""


_WORD = re.compile(r"[A-Za-z][A-Za-z_ ]*[A-Za-z]")
_NOT_TEXT = {"true", "false", "yes", "no", "on", "off", "null"}


def _as_text(dumper: yaml.CSafeDumper, value: str) -> yaml.ScalarNode:
    word = _WORD.fullmatch(value) and value.lower() not in _NOT_TEXT
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=None if word else '"')


_Dumper.add_representer(str, _as_text)


def _fenced(text: str) -> list[str]:
    """A code block whose fence is longer than any row of backticks inside."""
    longest = max((len(row) for row in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}yaml", text.rstrip("\n"), fence]


def _who(spec: CampaignSpec) -> list[ListItem]:
    who = spec.campaign.who
    entries = [ListItem("Users who:", rules(who))] if not who.empty else [ListItem("All users of the warehouse.")]
    if spec.campaign.qualification == "live":
        entries[0] = ListItem("Users who do the event under When" + (", and:" if not who.empty else "."), rules(who))
    if who.with_properties:
        entries.append(ListItem("Of these, users with:", conditions(who.with_properties)))
    entries += [ListItem(said) for said in _held_out(spec)]
    if who.never_hold_out:
        entries.append(ListItem(f"Never held out: {codes(who.never_hold_out)}."))
    if who.target_cap:
        per = {"run": "per run", "day": "per day", "total": "in all"}[who.target_cap.per]
        entries.append(ListItem(f"At most {who.target_cap.users:,} targets {per}."))
    return entries


def _held_out(spec: CampaignSpec) -> list[str]:
    group, shared = spec.campaign.who.control_group, spec.control_groups
    said = []
    if group.percent:
        said.append(f"{group.percent} % of them are held out as this campaign's control group.")
    if group.system and shared.system is not None and shared.system.percent:
        said.append(f"{shared.system.percent} % of all users are held out of every campaign (system control group).")
    if group.custom is not None:
        percent = shared.custom[group.custom].percent
        said.append(f"{percent} % of all users are held out as control group {code(group.custom)}.")
    return said


def _what(spec: CampaignSpec) -> list[ListItem]:
    what = spec.campaign.what
    create, update = what.audience.create, what.audience.update
    target = (
        f"Creates the audience {code(create.name)}" if create else f"Updates the audience {code(update and update.id)}"
    )
    entries = [ListItem(f"{target}: {_CREATE[what.audience.action]}.")]
    if what.refresh == "replace":
        entries.append(ListItem("Every run replaces the whole set."))
    entries.append(ListItem(f"Sends {codes(what.identifiers)}, hashed with SHA-256."))
    if what.ad_sets:
        entries.append(ListItem(f"Included in the ad sets {codes(what.ad_sets)}."))
    if what.exclude_from_ad_sets:
        entries.append(ListItem(f"Excluded from the ad sets {codes(what.exclude_from_ad_sets)}."))
    if what.schedule:
        entries.append(ListItem("The ad sets get the campaign's schedule."))
    if what.keep_for:
        entries.append(ListItem(f"Members leave after {what.keep_for}."))
    entries.append(ListItem(f"A run stops before anything is sent if {_guards(spec)}."))
    return entries


def _guards(spec: CampaignSpec) -> str:
    guards = spec.campaign.what.guards
    said = [f"it would remove more than {guards.max_removal} % of the audience"]
    if not guards.allow_empty:
        said.append("nobody qualifies")
    if guards.skip_run_above is not None:
        said.append(f"there are more than {guards.skip_run_above:,} targets")
    if guards.fresh_within is not None:
        said.append(f"the newest event is older than {guards.fresh_within}")
    return " or ".join([", ".join(said[:-1]), said[-1]] if len(said) > 1 else said)


def _when(spec: CampaignSpec) -> list[ListItem]:
    when = spec.campaign.when
    entries = [ListItem(f"{said} ({code(spec.timezone)}).") for said in _times(when)]
    if when.run_after:
        entries.append(ListItem(f"{_run_after(when.run_after)}."))
    if when.on:
        entries += _live(when)
    if when.start:
        entries.append(ListItem(f"Not before {code(when.start)}."))
    if when.end:
        entries.append(ListItem(f"Not after {code(when.end)}."))
    if when.ends:
        entries.append(ListItem(f"Ends after {when.ends.after} runs."))
    outside = "waits for the next opening" if when.outside == "hold" else "does not take place"
    for window in when.windows:
        days = "every day" if len(window.days) == 7 else ", ".join(day.capitalize() for day in window.days)
        hours = f"{clock(window.from_)} to {clock(window.to)}"
        entries.append(ListItem(f"Sends only {days}, {hours}; a run outside {outside}."))
    return entries


def _times(when: When) -> list[str]:
    if when.now:
        return ["Once, as soon as it is published"]
    if when.date:
        return [f"Once, at {code(when.date)}"]
    if when.dates:
        return [f"At {codes(when.dates)}"]
    if when.cron:
        return [f"By the cron line {code(line)}" for line in when.cron]
    return [_repeat(when.repeat)] if when.repeat else []


def _repeat(repeat: Repeat) -> str:
    every = f"Every {repeat.every.unit}" if repeat.every.amount == 1 else f"Every {repeat.every}"
    on = f" on {codes(repeat.on)}" if repeat.on else ""
    return f"{every}{on} at {', '.join(clock(at) for at in repeat.at)}"


def _run_after(after: RunAfter) -> str:
    said = [
        f"the DAG {code(source.dag)} has succeeded" if source.dag else f"the asset {code(source.asset)} was updated"
        for source in after.sources
    ]
    return f"Whenever {(' and ' if after.all else ' or ').join(said)}"


def _live(when: When) -> list[ListItem]:
    entries = [
        ListItem(f"When a user does {code(trigger.event)}", conditions(trigger.where) if trigger.where else [])
        for trigger in when.on or ()
    ]
    if when.unless:
        below = conditions(when.unless.where) if when.unless.where else []
        entries.append(ListItem(f"unless {code(when.unless.event)} follows within {when.unless.within}", below))
    if when.wait:
        entries.append(ListItem(f"{when.wait} later"))
    if when.limit:
        entries.append(ListItem(_limit(when.limit)))
    return entries


def _limit(limit: Limit) -> str:
    if limit.every:
        return f"Each user at most once per {limit.every}."
    return "Each user once." if limit.times == 1 else f"Each user at most {limit.times} times."


def _goal(spec: CampaignSpec) -> list[ListItem]:
    goal = spec.campaign.goal
    if goal is None:
        return []
    start = "their first assignment" if goal.of == "assignment" else "the campaign's first run"
    said: Any = f"Users who do {code(goal.event)} within {goal.within} of {start}, targets against control group"
    entries = [ListItem(said, conditions(goal.where) if goal.where else [])]
    if goal.revenue:
        entries.append(ListItem(f"Revenue is the sum of {code(goal.revenue)}."))
    return entries
