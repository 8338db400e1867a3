"""How the command line shows a goal's report: a table with bars for people, CSV for spreadsheets."""

from __future__ import annotations

import csv
import json
import sys
from typing import TYPE_CHECKING, Any

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from audiences.cli.safe_console import as_text
from audiences.goal.report_words import NAMES, p_text, verdict
from audiences.redact import harmless_json, harmless_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from audiences.goal.report import ArmFigures, ControlComparison, Estimate, Report

_LONGEST_BAR, _SHORTEST_BAR = 24, 4  # characters
_GAP = "  "
_EIGHTHS = " ▏▎▍▌▋▊▉"


def table(console: Console, report: Report) -> None:
    """The arms with their rates as bars, then each comparison in sentences, then what to know of the whole."""
    goal = report.goal
    start = "launch" if goal["of"] == "launch" else "assignment"
    _say(
        console,
        f"[bold]{as_text(report.campaign)}[/]: {as_text(goal['event'])} within {goal['within']} of {start}, "
        f"as of {report.as_of.isoformat(timespec='minutes')}",
        indent=0,
    )
    if report.users:
        console.print(_arms(report, console.width))
    for comparison in report.comparisons:
        for line in _sentences(comparison):
            _say(console, line)
    for note in report.notes:
        _say(console, f"[yellow]![/] {as_text(note)}")
    data = report.data
    newest = f", the newest of {data.newest_event.isoformat(timespec='seconds')}" if data.newest_event else ""
    _say(
        console,
        f"[dim]{data.events:,} events read from `{as_text(data.warehouse)}`{newest}; config {report.config_digest[:12]}[/]",
    )


def _say(console: Console, line: str, indent: int = 2) -> None:
    """A sentence: broken between words on a screen, in one line where a program or a file takes it."""
    if console.is_terminal:
        console.print(Padding(Text.from_markup(line), (0, 0, 0, indent), expand=False))
    else:
        console.print(" " * indent + line, highlight=False, soft_wrap=True)


def _arms(report: Report, width: int) -> Table:
    """A row per arm; the bars take what the figures leave of the screen, since a figure cut off is worse than a short bar."""
    header = ["", "users", "converters", "rate"]
    if money := any(arm.revenue is not None for arm in report.arms):
        header.append("revenue\nper user")
    rows = [_figures(arm, money=money) for arm in report.arms]
    columns = zip(header, *rows, strict=True)
    taken = sum(max(len(line) for cell in column for line in cell.split("\n")) + len(_GAP) for column in columns)
    bar = max(min(_LONGEST_BAR, width - taken - len(_GAP)), _SHORTEST_BAR)
    longest = max((arm.rate or 0.0 for arm in report.arms), default=0.0)
    shown = Table(box=None, pad_edge=False, padding=(0, len(_GAP), 0, 0))
    for name in [*header[:4], "bar", *header[4:]]:
        shown.add_column(
            "" if name == "bar" else name, justify="right" if name not in ("", "bar") else "left", no_wrap=True
        )
    for arm, row in zip(report.arms, rows, strict=True):
        colour = "green" if arm.arm == "target" else "blue"
        shown.add_row(*row[:4], f"[{colour}]{_bar(arm.rate or 0.0, longest, bar)}[/]", *row[4:])
    return shown


def _figures(arm: ArmFigures, *, money: bool) -> list[str]:
    row = [
        NAMES[arm.arm],
        f"{arm.users:,}",
        f"{arm.converters:,}",
        "" if arm.rate is None else f"{100 * arm.rate:.2f} %",
    ]
    if money:
        row.append("" if arm.revenue_per_user is None else f"{arm.revenue_per_user:,.2f}")
    return row


def _bar(value: float, longest: float, characters: int) -> str:
    eighths = round(8 * characters * value / longest) if longest else 0
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _sentences(comparison: ControlComparison) -> Iterable[str]:
    found = comparison.conversions
    if found is not None:
        colour = "bold green" if found.low > 0 else "bold red" if found.high < 0 else "bold"
        said = verdict(comparison.control, found.difference, found.low, found.high, found.p_value)
        yield f"[{colour}]{as_text(said)}[/]"
        yield (
            f"boost {_percent(found)}; incremental conversions {found.incremental:+,.0f} "
            f"({found.incremental_low:+,.0f} to {found.incremental_high:+,.0f}); "
            f"{comparison.targets:,} targets at {100 * found.target:.2f} % "
            f"against {comparison.controls:,} users at {100 * found.control:.2f} %"
        )
    money = comparison.revenue
    if money is not None:
        yield (
            f"revenue per user {money.difference:+,.2f} ({money.low:+,.2f} to {money.high:+,.2f}), {p_text(money.p_value)}; "
            f"boost {_percent(money)}; incremental revenue {money.incremental:+,.0f} "
            f"({money.incremental_low:+,.0f} to {money.incremental_high:+,.0f})"
        )
    for word in comparison.words:
        yield f"[yellow]![/] {as_text(word)}"


def _percent(found: Estimate) -> str:
    return "unknown" if found.boost_percent is None else f"{found.boost_percent:+.1f} %"


_ESTIMATES = (
    "difference",
    "low",
    "high",
    "p_value",
    "significant",
    "boost_percent",
    "incremental",
    "incremental_low",
    "incremental_high",
)


def write_csv(reports: Iterable[Report]) -> None:
    """A line per campaign and arm, with what it was made from; a control group's line holds the targets' comparison with it."""
    arm_fields = ("users", "open_windows", "converters", "conversions", "rate", "revenue", "revenue_per_user")
    compared = [f"{what}_{name}" for what in ("conversions", "revenue") for name in _ESTIMATES]
    fields = ["campaign", "as_of", "config_digest", "group", *arm_fields, "compared_targets", "compared_controls"]
    made_from = ["goal", "goal_digest", "warehouse", "events", "newest_event"]
    writer = csv.DictWriter(sys.stdout, [*fields, *compared, "words", *made_from], lineterminator="\n")
    writer.writeheader()
    for report in reports:
        by_control = {comparison.control: comparison for comparison in report.comparisons}
        for arm in report.arms:
            row: dict[str, Any] = {
                "campaign": report.campaign,
                "as_of": report.as_of.isoformat(),
                "config_digest": report.config_digest,
                "group": arm.arm,
                **{name: getattr(arm, name) for name in arm_fields},
                **_compared(by_control.get(arm.arm)),
                "goal": harmless_json(json.dumps(report.goal, ensure_ascii=False)),
                "goal_digest": report.goal_digest,
                **report.data.model_dump(mode="json", include={"warehouse", "events", "newest_event"}),
            }
            if arm.arm == "target":
                row["words"] = "; ".join(report.notes)
            writer.writerow(
                {name: harmless_line(cell) if isinstance(cell, str) else cell for name, cell in row.items()}
            )


def _compared(comparison: ControlComparison | None) -> dict[str, Any]:
    if comparison is None:
        return {}
    row: dict[str, Any] = {
        "compared_targets": comparison.targets,
        "compared_controls": comparison.controls,
        "words": "; ".join(comparison.words),
    }
    for what, found in (("conversions", comparison.conversions), ("revenue", comparison.revenue)):
        if found is not None:
            row |= {f"{what}_{name}": getattr(found, name) for name in _ESTIMATES}
    return row
