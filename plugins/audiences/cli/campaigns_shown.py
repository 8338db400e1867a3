"""How the command line shows campaigns to people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.table import Table

from audiences.campaign.wording import counted
from audiences.cli.safe_console import as_text

if TYPE_CHECKING:
    from rich.console import Console

    from audiences.reporting.campaign_shown import CampaignShown, SizeAt
    from audiences.reporting.overview import Overview

_BARS: Final = "▁▂▃▄▅▆▇█"
_WHEN: Final = "%d %b %Y %H:%M %Z"


def overview(console: Console, found: Overview) -> None:
    """A line per campaign, and below it what a person should look at."""
    if found.campaigns:
        table = Table("campaign", "status", "schedule", "next run sends", "size", "", box=None, pad_edge=False)
        for each in found.campaigns:
            mark = "[red]✗[/]" if each.troubles else "[green]✓[/]"
            table.add_row(
                f"{mark} {as_text(each.id)}",
                as_text(each.status),
                as_text(each.schedule or ""),
                _next(each),
                "" if each.size is None else f"{each.size:,}",
                spark(each.sizes),
            )
        console.print(table)
    for each in found.campaigns:
        _more(console, each)
    shown = f"{found.offset + 1} to {found.offset + len(found.campaigns)} of " if found.campaigns else ""
    console.print(f"\n{shown}{counted(found.total, 'campaign')}", highlight=False)


def spark(sizes: tuple[SizeAt, ...]) -> str:
    """Sizes by day as a row of bars, from the smallest to the largest."""
    if not sizes:
        return ""
    low, high = min(each.size for each in sizes), max(each.size for each in sizes)
    span = high - low or 1
    return "".join(_BARS[(each.size - low) * (len(_BARS) - 1) // span] for each in sizes)


def _next(campaign: CampaignShown) -> str:
    if campaign.next_send is None:
        return as_text(campaign.over or campaign.sends or "")
    return campaign.next_send.strftime(_WHEN)


def _more(console: Console, campaign: CampaignShown) -> None:
    console.print(f"\n[bold]{as_text(campaign.name)}[/] [dim]{as_text(campaign.id)}[/]", highlight=False)
    for trouble in campaign.troubles:
        console.print(f"  [red]✗[/] {as_text(trouble.reason)}", highlight=False, soft_wrap=True)
        console.print(f"    {as_text(trouble.remedy)}", highlight=False, soft_wrap=True)
    audience = campaign.audience
    if audience:
        parts = [f"audience {audience.name or ''} {audience.id or 'not created yet'}"]
        if audience.size_lower is not None:
            parts.append(
                f"Facebook matches {audience.size_lower:,} to {audience.size_upper or audience.size_lower:,} people"
            )
        parts += [said for said in (audience.operation, audience.delivery) if said]
        console.print(f"  {as_text('; '.join(parts))}", highlight=False, soft_wrap=True)
    if campaign.last_run:
        run = campaign.last_run
        ended = (run.ended_at or run.started_at).strftime(_WHEN)
        console.print(f"  run {run.run}, {ended}: {as_text(run.words)}", highlight=False, soft_wrap=True)
