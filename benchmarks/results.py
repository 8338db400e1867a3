"""The page with the results: the table, and what it was measured with."""

from __future__ import annotations

import os
import platform
import subprocess
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

from audiences.demo.postgres import installation
from benchmarks.rows import markdown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.builds import Build
    from benchmarks.rows import Row

FILE: Final = Path(__file__).parent / "RESULTS.md"
PACKAGES: Final = (
    "apache-airflow",
    "adbc-driver-postgresql",
    "pyarrow",
    "duckdb",
    "pandas",
    "psycopg",
    "pydantic",
    "sqlalchemy",
    "facebook-business",
)


def conditions(builds: Sequence[Build]) -> list[str]:
    """What the figures were measured with, a line each."""
    processor = platform.processor() or platform.machine()
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), processor)
    kernel = f"{platform.system()} {platform.release().partition('-')[0]}"
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    told = [str(installation() / "bin" / "postgres"), "--version"]
    server = subprocess.run(told, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603  # the wheel's own
    return [
        f"{datetime.now(UTC):%d %b %Y}, {', '.join(f'{build.name} is commit {build.commit}' for build in builds)}",
        f"{len(os.sched_getaffinity(0))} cores, {processor}, {memory:.0f} GiB; {kernel}",
        f"Python {platform.python_version()}, {server}",
        ", ".join(f"{name} {version(name)}" for name in PACKAGES),
    ]


def page(rows: Sequence[Row], builds: Sequence[Build], command: str) -> str:
    """The page as Markdown."""
    with_what = "\n".join(f"- {line}" for line in [*conditions(builds), *_pace(rows)])
    verdicts = "\n".join(f"- {verdict}" for row in rows for verdict in row.verdicts())
    said = (
        f"`{command}` wrote this page. Figures are medians, shares are medians of those within a round; CPU is in seconds, "
        "with that of Postgres."
    )
    return f"# Results\n\n{said}\n\n{with_what}\n\n{markdown(rows)}\n\n{verdicts}\n"


def _pace(rows: Sequence[Row]) -> list[str]:
    """How even the machine's pace was; one that did nothing else keeps it within a tenth."""
    paces = [pace for row in rows for pace in row.paces]
    if not paces:
        return []
    return [
        f"the same piece of work took {min(paces):.2f} to {max(paces):.2f} s before and after the runs, in the median "
        f"{median(paces):.2f}: figures of different rows are as far from each other as that"
    ]
