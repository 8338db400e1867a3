"""How the command line shows things to people, and to programs as JSON."""

from __future__ import annotations

import dataclasses
import json
import math
import sys
from typing import TYPE_CHECKING, Any

from rich.table import Table

from audiences.campaign.wording import counted
from audiences.cli.safe_console import as_text
from audiences.cli.streams import has_every_character
from audiences.facebook.contract import ACCESS_TIERS
from audiences.redact import harmless, harmless_json
from audiences.when.never import never
from audiences.when.summary import untimed_summary
from audiences.who.outcome_words import MEMBERS_FIRST, outcome_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from rich.console import Console

    from audiences.campaign.project import Project
    from audiences.campaign.spec import CampaignSpec
    from audiences.campaign.what import Action
    from audiences.checklist import Check
    from audiences.errors import Problem
    from audiences.pipeline.live.run_batch import LiveSummary
    from audiences.pipeline.person.explained_user import Explanation, Explanations
    from audiences.pipeline.results import Summary
    from audiences.pipeline.steps.preview_report import Preview

_INSIDE = ("added", "kept", "failed")  # parts of `targeted`
_WHEN = "%a %d %b %Y %H:%M %Z"


def json_line(value: Any) -> None:
    """One line of JSON on standard output; a number that is none (NaN, infinite) is null, for JSON has no such."""
    text = json.dumps(_finite(value), ensure_ascii=not has_every_character(), allow_nan=False, default=str)
    sys.stdout.write(harmless_json(text) + "\n")


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    return [_finite(each) for each in value] if isinstance(value, list | tuple) else value


def fields(problem: Problem) -> dict[str, Any]:
    """A problem as JSON."""
    return dataclasses.asdict(problem)


def problems(console: Console, found: Iterable[Problem]) -> None:
    """Each problem with its place, which editors and terminals make clickable."""
    for problem in found:
        place = f"{problem.file}:{problem.line}:{problem.column}" if problem.line else problem.file
        key = f" [dim]{as_text(problem.key)}[/]" if problem.key else ""
        console.print(
            f"[bold red]✗[/] {as_text(place)}{key}\n  {as_text(problem.message)}", highlight=False, soft_wrap=True
        )


def validation(console: Console, project: Project, found: Sequence[Problem], warnings: Sequence[Problem]) -> None:
    """Problems, warnings, and what is fine."""
    problems(console, found)
    for warning in warnings:
        console.print(f"[yellow]![/] {as_text(str(warning))}", highlight=False, soft_wrap=True)
    campaigns = project.campaigns
    if campaigns:
        table = Table("campaign", "status", "name", box=None, pad_edge=False)
        for name, spec in sorted(campaigns.items()):
            table.add_row(f"[green]✓[/] {name}", spec.campaign.status, as_text(spec.campaign.name))
        console.print(table)
    right = "1 campaign is right" if len(campaigns) == 1 else f"{len(campaigns)} campaigns are right"
    console.print(f"{right}, {counted(len(found), 'problem')} found")


def sql(console: Console, text: str) -> None:
    """SQL to the letter, to be run as it is; on a terminal with colours, and each line as it stands there too.

    A terminal is spared what would steer it; a break where the screen ends would fall into somebody's text.
    """
    if console.is_terminal:
        from rich.syntax import Syntax  # which imports Pygments

        console.print(Syntax(text, "sql", background_color="default").highlight(text), soft_wrap=True, end="")
    else:
        console.file.write(f"{text}\n")


def markdown(console: Console, text: str) -> None:
    """Markdown to the letter, for a file or another program; a terminal is spared what would steer it."""
    console.file.write(harmless(text))


def preview(console: Console, found: Preview) -> None:
    """What a run would do."""
    console.print(f"[bold]{as_text(found.campaign)}[/] as of {found.at.isoformat()}")
    if found.events:
        counts = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in found.events.items())
        console.print(f"events: {counts}", highlight=False)
    console.print(_outcomes(found.outcomes, found.rekeyed, action=found.action))
    console.print(
        f"would add {found.changes.add:,} and remove {counted(found.changes.remove, 'row')} in "
        f"{counted(found.requests, 'request')}; "
        "nothing was written"
    )
    shares = (
        f"{percent:g} % with {as_text(ACCESS_TIERS.get(tier, tier))}" for tier, percent in found.quota_percent.items()
    )
    console.print(f"of the ad account's hourly quota: {', '.join(shares)}", highlight=False, soft_wrap=True)
    for line in found.unmatched:
        console.print(f"[bold yellow]![/] {as_text(line)}", highlight=False, soft_wrap=True)
    if found.would_be:
        console.print(f"[bold yellow]would be {as_text(found.would_be)}[/]", soft_wrap=True)
    for warning in found.warnings:
        console.print(f"[yellow]![/] {as_text(warning)}", highlight=False, soft_wrap=True)
    for line in found.ad_sets:
        console.print(as_text(line), highlight=False, soft_wrap=True)
    for sample in found.samples:
        shown = ", ".join(f"{key} {cell}" for key, cell in sample.identifiers.items())
        console.print(f"  user {as_text(sample.user)}: {as_text(shown)}", highlight=False)
    _rejected(console, found.rejected)
    if found.next_runs:
        console.print("next runs:")
    for moment in found.next_runs:
        console.print(f"  {moment.strftime(_WHEN)}", highlight=False)


def summary(console: Console, found: Summary) -> None:
    """What a run came to."""
    colour = {"success": "green", "stopped": "yellow"}.get(found.state, "red")
    console.print(f"[bold]{as_text(found.campaign)}[/] run {found.run}: [bold {colour}]{found.state}[/]")
    if found.error:
        console.print(as_text(found.error), style=colour, soft_wrap=True)
    for warning in found.warnings:
        console.print(f"[yellow]![/] {as_text(warning)}", highlight=False, soft_wrap=True)
    if found.counted:
        console.print(_outcomes(found.outcomes, found.rekeyed, action=found.action, sent=found.would is None))
    if found.would:
        console.print(found.would.in_words(found.action), highlight=False)
    console.print(
        f"{counted(found.requests, 'request')}; audience {as_text(found.audience.id)} holds "
        f"{counted(found.audience.members, 'row')} of ours"
    )
    _rejected(console, found.rejected)
    console.print("  ".join(f"{step} {seconds:.1f} s" for step, seconds in found.timings.items()), style="dim")


def live_summary(console: Console, found: LiveSummary) -> None:
    """What a run of a batch of live events came to."""
    console.print(as_text(found.batch.in_words()), highlight=False, soft_wrap=True)
    summary(console, found)


def explanation(console: Console, found: Explanation) -> None:
    """Why a user is where they are."""
    outcome = found.outcome if found.known else "unknown"
    console.print(f"user {as_text(found.user)} in [bold]{as_text(found.campaign)}[/]: [bold]{outcome}[/]")
    console.print(as_text(found.because), soft_wrap=True)
    for step in found.steps:
        mark = "[green]✓[/]" if step.passed else "[red]✗[/]"
        value = f"  [dim]({as_text(step.value)})[/]" if step.value is not None else ""
        console.print(f"  {'  ' * step.depth}{mark} {as_text(step.text)}{value}", highlight=False, soft_wrap=True)
    if found.assignment:
        console.print(f"on record as {as_text(found.assignment)}", highlight=False)
    if not found.known:
        on_record = found.assignment or found.history
        console.print("the ledger knows the user still" if on_record else "nor is there anything in the ledger")
    for line in found.history:
        console.print(f"  • {as_text(line)}", highlight=False)


def explanations(console: Console, found: Explanations) -> None:
    """Why everybody who has an address is where they are; the address is not shown."""
    what = {"email": "this e-mail address", "phone": "this phone number"}[found.asked_by]
    count = len(found.users) + len(found.more)
    who = "nobody has" if not count else "one user has" if count == 1 else f"{count:,} users have"
    console.print(f"{who} {what}, neither in the warehouse nor on record" if not count else f"{who} {what}")
    if found.erased:
        console.print(f"somebody with {what} was erased, so nobody who has it is uploaded", highlight=False)
    for one in found.users:
        console.print()
        explanation(console, one)
    if found.more:
        console.print(f"\nnot explained: {as_text(', '.join(found.more))}", highlight=False, soft_wrap=True)


def check_fields(check: Check) -> dict[str, str]:
    """A line of the preflight as JSON."""
    return {"name": check.name, "state": check.state.value, "found": check.found, "remedy": check.remedy}


def checks(console: Console, found: Mapping[str, Sequence[Check]]) -> None:
    """The preflight of each ad account, with what to do where something is wrong."""
    marks = {"ok": "[green]✓[/]", "warn": "[yellow]![/]", "fail": "[red]✗[/]"}
    for account, lines in found.items():
        console.print(f"[bold]{as_text(account)}[/]")
        for line in lines:
            remedy = f"\n    {as_text(line.remedy)}" if line.remedy else ""
            mark = marks[line.state.value]
            console.print(
                f"  {mark} {as_text(line.name)}: {as_text(line.found)}{remedy}", highlight=False, soft_wrap=True
            )


def schedule(console: Console, spec: CampaignSpec, times: Sequence[datetime]) -> None:
    """Run times in the campaign's own zone."""
    when = spec.campaign.when
    if spec.campaign.status == "published" and (when.run_after or when.on):
        console.print(as_text(f"{spec.id} has no times of its own: it runs {untimed_summary(when)}"), soft_wrap=True)
    elif not times:
        over = never(spec) or "its last time has passed"
        why = over if spec.campaign.status == "published" else spec.campaign.status
        console.print(f"{spec.id} has no further runs ({why})")
    for moment in times:
        console.print(moment.astimezone(spec.zone).strftime(_WHEN), highlight=False)
    if times and when.now:
        console.print(f"once, if it has not run yet: `audiences runs {as_text(spec.id)}` says", soft_wrap=True)


def _outcomes(outcomes: dict[str, int], rekeyed: int, *, action: Action, sent: bool = True) -> Table:
    """Members first, then the rest of the qualified."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name in (*MEMBERS_FIRST, *(name for name in outcomes if name not in MEMBERS_FIRST)):
        words = outcome_words(name, action=action, sent=sent)
        table.add_row(f"  of which {words}" if name in _INSIDE else words, f"{outcomes[name]:,}")
        if name == "kept" and rekeyed:
            table.add_row("    of them re-keyed: identifiers that changed", f"{rekeyed:,}")
    return table


def _rejected(console: Console, rejected: dict[str, dict[str, int]]) -> None:
    for name, reasons in rejected.items():
        shown = ", ".join(f"{count:,} {reason}" for reason, count in reasons.items())
        console.print(f"[yellow]{name}[/] left out: {as_text(shown)}", highlight=False, soft_wrap=True)
