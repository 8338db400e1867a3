"""How long a live campaign takes, in the demo's set-up: from the commit of an event to Facebook's acknowledgement.

One machine runs it all: Postgres, the sandbox, and Airflow with its API server, scheduler, DAG processor and triggerer.
"""

from __future__ import annotations

import random
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING

import psycopg
from rich.table import Table

from audiences.demo.folders import DemoFolders
from audiences.demo.progress import Progress
from audiences.demo.shoppers import Act, insert
from audiences.demo.start import started

if TYPE_CHECKING:
    from rich.console import Console

    from audiences.demo.start import Demo

MEDIAN, P95 = 5.0, 9.0
"""Seconds that are wanted at most, on a quiet machine of two cores.

With three tasks between an event and its export they were 10.2 and 15.5.
"""
_PROJECT = Path(__file__).parents[1]
_MEAN_GAP_SECONDS = 4.0
_WARM_UP_SECONDS = 180
_PATIENCE_SECONDS = 180
CAMPAIGN = """
name: Latency
status: published
qualification: live
who: {control_group: {system: false}}
what: {audience: {create: {name: Latency}}, keep_for: 1 day}
when: {on: {event: Wishlisted}}
"""
STAGES = ("seen", "batched", "running", "acknowledged")
_TIMES = """
select extract(epoch from e.seen_at - e.occurred_at)::float8, extract(epoch from b.formed_at - e.seen_at)::float8,
  extract(epoch from r.started_at - b.formed_at)::float8, extract(epoch from max(c.acknowledged_at) - r.started_at)::float8
from audiences.live_event e
join audiences.live_batch b on b.id = e.batch_id
join audiences.run r on r.id = b.run_id
join audiences.chunk c on c.run_id = r.id
where e.event_id = any(%s)
group by e.event_id, e.seen_at, e.occurred_at, b.formed_at, r.started_at
"""


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds per event, in all and by stage, and how many events were sent."""

    sent: int
    stages: tuple[tuple[float, ...], ...]

    @property
    def totals(self) -> list[float]:
        """From commit to acknowledgement."""
        return [sum(stages) for stages in self.stages]


def measure(folder: Path, events: int, console: Console) -> Latency:
    """Start the demo with one live campaign, let events come in at random, and read from the ledger what became of them."""
    project = folder / "project"
    (project / "campaigns").mkdir(parents=True)
    (project / "campaigns" / "latency.yml").write_text(CAMPAIGN)
    shutil.copytree(_PROJECT / "include", project / "include")
    for name in ("dags", "plugins"):
        (project / name).symlink_to(_PROJECT / name)
    folders = DemoFolders(project=project, folder=folder / "demo")
    with folders.occupied(), started(folders, Progress(console)) as demo:
        with psycopg.connect(demo.server.uri("shop"), autocommit=True) as shop:
            reachable = shop.execute(
                "select id from shop.users where not opted_out and email ~ '^[a-z]+[^ ]*@[^ ]+[.][a-z]+$'"
                " order by id limit %s",
                (events + 1,),
            ).fetchall()
            users = [int(row[0]) for row in reachable]
            _warm_up(demo, shop, users.pop())
            sent = _send(shop, users)
        return Latency(len(sent), _wait(demo, sent))


def _warm_up(demo: Demo, shop: psycopg.Connection, user: int) -> None:
    """A first event, with which everything that is made once is made."""
    first = insert(shop, Act(0.0, user, "Wishlisted", 1.0))
    until = time.monotonic() + _WARM_UP_SECONDS
    while not _times(demo, [first]):
        demo.children.check()
        if time.monotonic() > until:
            message = "the first live event was not exported; see the demo's logs"
            raise SystemExit(message)
        time.sleep(1)


def _send(shop: psycopg.Connection, users: list[int]) -> list[str]:
    chance = random.Random(20261124)  # noqa: S311  # when events come, the same each time
    sent = []
    for user in users:
        time.sleep(chance.expovariate(1 / _MEAN_GAP_SECONDS))
        sent.append(insert(shop, Act(0.0, user, "Wishlisted", 1.0)))
    return sent


def _wait(demo: Demo, sent: list[str]) -> tuple[tuple[float, ...], ...]:
    until = time.monotonic() + _PATIENCE_SECONDS
    while len(found := _times(demo, sent)) < len(sent) and time.monotonic() < until:
        demo.children.check()
        time.sleep(2)
    return found


def _times(demo: Demo, events: list[str]) -> tuple[tuple[float, ...], ...]:
    with psycopg.connect(demo.server.uri("ledger")) as ledger:
        return tuple(tuple(row) for row in ledger.execute(_TIMES, (events,)).fetchall())


def table(found: Latency) -> Table:
    """Median and 95th percentile, in all and by stage."""
    shown = Table("live: from commit to acknowledgement", "median s", "95 % s", title_justify="left")
    columns = [("in all", found.totals), *zip(_NAMES, map(list, zip(*found.stages, strict=True)), strict=True)]
    for name, seconds in columns:
        shown.add_row(name, f"{median(seconds):.1f}", f"{percentile(seconds):.1f}")
    return shown


_NAMES = ("until the look that sees it", "until its batch is formed", "until the run is open", "until Facebook has it")


def percentile(seconds: list[float]) -> float:
    """The 95th."""
    return quantiles(seconds, n=20, method="inclusive")[-1]


def verdicts(found: Latency) -> list[str]:
    """What was wanted, and whether it was reached."""
    measured = (("median", median(found.totals), MEDIAN), ("95th percentile", percentile(found.totals), P95))
    lines = [
        f"{'reached' if seconds <= bound else 'MISSED '}  live {name} {seconds:.1f} s, wanted ≤ {bound:.0f}"
        for name, seconds, bound in measured
    ]
    lost = found.sent - len(found.stages)
    return [*lines, f"{'reached' if not lost else 'MISSED '}  {len(found.stages)} of {found.sent} events were exported"]
