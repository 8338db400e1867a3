"""How the command line shows runs on record to people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.table import Table

from audiences.campaign.wording import counted
from audiences.cli.safe_console import as_text

if TYPE_CHECKING:
    from rich.console import Console

    from audiences.reporting.funnel import Funnel
    from audiences.reporting.remedy import Told
    from audiences.reporting.run_detail import Requests, RunDetail
    from audiences.reporting.run_history import RunHistory, RunShown

_WHEN: Final = "%d %b %Y %H:%M %Z"
_COLOURS: Final = {"success": "green", "running": "cyan", "waiting": "cyan", "stopped": "yellow"}


def history(console: Console, found: RunHistory) -> None:
    """A paragraph per run."""
    for run in found.runs:
        _head(console, run)
        console.print(f"  {as_text(run.words)}", highlight=False, soft_wrap=True)
    shown = f"{found.offset + 1} to {found.offset + len(found.runs)} of " if found.runs else ""
    console.print(f"{shown}{counted(found.total, 'run')} of {as_text(found.campaign)}", highlight=False)


def detail(console: Console, found: RunDetail) -> None:
    """Everything on record of a run."""
    _head(console, found.run)
    if found.run.trouble:
        _told(console, found.run.trouble)
    for warning in found.run.warnings:
        console.print(f"[yellow]![/] {as_text(warning)}", highlight=False, soft_wrap=True)
    if found.batch:
        console.print(as_text(found.batch.in_words()), highlight=False, soft_wrap=True)
    if found.funnel:
        console.print(funnel(found.funnel))
        if found.funnel.difference:
            console.print(f"[red]✗[/] {as_text(found.funnel.difference)}", highlight=False, soft_wrap=True)
    if found.uncounted:
        console.print(found.uncounted)
    if found.would:
        console.print(as_text(found.would.words), highlight=False)
    for value in found.rejected:
        console.print(
            f"[yellow]{as_text(value.identifier)}[/] left out: {value.values:,} {as_text(value.reason)}",
            highlight=False,
        )
    requests(console, found.requests)
    for ad_set in found.ad_sets:
        console.print(f"ad set {as_text(ad_set.id)}: {as_text(ad_set.place)}", highlight=False)
        if ad_set.trouble:
            _told(console, ad_set.trouble)
    console.print("  ".join(f"{step} {seconds:.1f} s" for step, seconds in found.seconds.items()), style="dim")


def funnel(found: Funnel) -> Table:
    """Each step with how many end there and how many go on."""
    table = Table("", "users", "go on", box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    table.add_row("qualified", "", f"{found.qualified:,}")
    for step in found.steps:
        table.add_row(as_text(step.words), f"-{step.users:,}" if step.users else "0", f"{step.left:,}")
    table.add_row("[bold]targeted[/]", "", f"[bold]{found.targeted:,}[/]")
    for part in found.parts:
        table.add_row(f"  of which {as_text(part.words)}", f"{part.users:,}", "")
        if part.outcome == "kept" and found.rekeyed:
            table.add_row("    of them re-keyed: identifiers that changed", f"{found.rekeyed:,}", "")
    table.add_row(as_text(found.removed_words), f"{found.removed:,}", "")
    return table


def requests(console: Console, found: Requests) -> None:
    """Totals, then single requests, those with errors first."""
    if found.none:
        console.print(found.none)
    for total in found.by_state:
        console.print(
            f"{counted(total.requests, 'request')} to {total.action}, {counted(total.rows, 'row')}: {as_text(total.words)}",
            highlight=False,
        )
    for each in found.requests:
        if each.trouble or each.refused:
            console.print(f"request {each.number} to {each.action}, {counted(each.rows, 'row')}:", highlight=False)
            for reason, rows in each.refused.items():
                console.print(f"  {counted(rows, 'row')} refused: {as_text(reason)}", highlight=False, soft_wrap=True)
            if each.trouble:
                _told(console, each.trouble)


def _head(console: Console, run: RunShown) -> None:
    colour = _COLOURS.get(run.phase, "red")
    asked = f", asked for again {run.again}×" if run.again else ""
    console.print(
        f"run {run.run} [bold {colour}]{run.phase}[/] {run.started_at.strftime(_WHEN)} [dim]{as_text(run.external_id)}[/]{asked}",
        highlight=False,
        soft_wrap=True,
    )


def _told(console: Console, told: Told) -> None:
    console.print(f"  [red]✗[/] {as_text(told.reason)}", highlight=False, soft_wrap=True)
    if told.remedy:
        console.print(f"    {as_text(told.remedy)}", highlight=False, soft_wrap=True)
