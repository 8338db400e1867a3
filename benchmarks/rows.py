"""The rows of the one table: what was measured of each contender, beside what is wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from rich.table import Table

Figures = Sequence[float]
"""Of one contender, a figure for each round."""


@dataclass(frozen=True, slots=True)
class Bound:
    """At most this share of other figures, which belong to `name`."""

    name: str
    figures: Figures
    share: float

    def verdict(self, ours: Figures) -> str:
        """The share beside what is wanted: of what the same round found, since a machine's pace changes between rounds."""
        by_round = len(ours) == len(self.figures)
        found = (
            median(mine / theirs for mine, theirs in zip(ours, self.figures, strict=True))
            if by_round
            else median(ours) / median(self.figures)
        )
        reached = "reached" if found <= self.share else "MISSED "
        return f"{reached}  {found:.2f} of {self.name}, wanted ≤ {self.share:g}"


@dataclass(frozen=True, slots=True)
class Row:
    """A line: the medians of `figures` in `unit`, by contender, the first of which is this build; `cpu` likewise.

    `cpu` are seconds on processors, Postgres' included: where a machine has much else to do they say more than the clock.
    `paces` are those of the machine beside the runs, in seconds as `pace.seconds` gives them.
    """

    work: str
    unit: str
    figures: Mapping[str, Figures]
    bounds: Sequence[Bound] = ()
    cpu: Mapping[str, Figures] = field(default_factory=dict)
    remark: str = ""
    paces: Figures = ()

    def verdicts(self) -> list[str]:
        """Each bound in words."""
        ours = next(iter(self.figures.values()))
        return [f"{bound.verdict(ours)}: {self.work}" for bound in self.bounds]


def against(names: Sequence[str], figures: Mapping[str, Figures], share: float) -> list[Bound]:
    """The bound against the other build, if there is one; `names` are those of the builds, this one first."""
    return [Bound(name, figures[name], share) for name in names[1:]]


def cells(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """Headings and cells of the table."""
    contenders = list(dict.fromkeys(name for row in rows for name in row.figures))
    heads = ["work", "unit", *contenders, *(f"CPU, {name}" for name in contenders)]
    lines = [
        [
            f"{row.work}{f' ({row.remark})' if row.remark else ''}",
            row.unit,
            *(_cell(row.figures.get(name)) for name in contenders),
            *(_cell(row.cpu.get(name)) for name in contenders),
        ]
        for row in rows
    ]
    kept = [n for n, head in enumerate(heads) if not head.startswith("CPU") or any(line[n] for line in lines)]
    return [heads[n] for n in kept], [[line[n] for n in kept] for line in lines]


def _cell(figures: Figures | None) -> str:
    if not figures:
        return ""
    found = median(figures)
    return f"{found:,.0f}" if found >= 100 else f"{found:.3f}" if found < 0.1 else f"{found:.2f}"


def table(rows: Sequence[Row]) -> Table:
    """For a terminal."""
    heads, lines = cells(rows)
    shown = Table(*heads)
    for line in lines:
        shown.add_row(*line)
    return shown


def markdown(rows: Sequence[Row]) -> str:
    """For a page."""
    heads, lines = cells(rows)
    rule = ["---"] * len(heads)
    return "\n".join(f"| {' | '.join(line)} |" for line in (heads, rule, *lines))
