"""How fast pages and commands are answered over a large ledger: `python -m benchmarks.answers --plans`.

A thousand campaign files and a hundred thousand runs, most of which belong to few live campaigns, with their requests, members
and waiting events. Timed is what a page asks for before its first byte: the files looked at for changes, the statements, the
answer as JSON. Reading the files once, as a process begins, is shown beside that.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from string import Template
from typing import TYPE_CHECKING, Final

import psutil

from audiences.connections import Connection
from audiences.demo.postgres import running_postgres
from audiences.ledger import assignments, audience_sizes, content, live_standing, member_history, members, run_records
from audiences.ledger.chunk_states import RequestState
from audiences.ledger.database import Ledger
from audiences.ledger.live_batches import BatchState
from audiences.ledger.live_events import EventState
from audiences.ledger.migrate import migrate
from audiences.reporting.campaign_page import campaign_page
from audiences.reporting.health import health
from audiences.reporting.overview import overview
from audiences.reporting.project_files import CachedProject
from audiences.reporting.run_detail import run_detail
from audiences.reporting.run_history import history
from audiences.reporting.sizes import sizes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pydantic import BaseModel

ROOT: Final = Path(__file__).parents[1]
BOUND: Final = 0.150  # seconds before the first byte
ROUNDS: Final = 15
LARGE: Final = ("run", "chunk", "member", "assignment", "live_event", "live_batch")
"""The tables that grow with time: no plan may read one of them as a whole."""
# Every tenth campaign is live: those have nine of ten runs. Each run has two requests; every campaign holds 200 members; of every
# fiftieth campaign the file is gone.
FILL: Final = Template("""
insert into audiences.campaign (name)
select case when i % 50 = 7 then 'gone_' else 'cart_' end || lpad(i::text, 5, '0') from generate_series(1, $campaigns) i;
insert into audiences.audience (ad_account, facebook_id, name, created_for, size_lower, size_upper, operation_status,
    delivery_status, checked_at, content_filling)
select 'act_1001', (23850000000000000 + id)::text, 'N' || id || '_Cart_30_Days', id, 1000, 1200, 'normal', 'ready', now(), false
from audiences.campaign;
insert into audiences.run (campaign_id, external_id, audience_id, config_digest, config, control_terms, as_of, assigned_at, due,
    state, started_at, ended_at, staging, planned, outcomes, requests, size)
select c.id, 'scheduled__' || i, c.id, md5(c.id::text),
    jsonb_build_object('name', c.name, 'what', jsonb_build_object('audience', jsonb_build_object('create',
        jsonb_build_object('name', c.name, 'action', 'mirror'))), 'filler', repeat(md5(i::text), 30)),
    '', at, at, at, case when i % 97 = 0 then 'failed' else 'success' end, at, at + interval '40 seconds', '/nowhere', '{}',
    jsonb_build_object('qualified', 250, 'targeted', 200, 'added', i % 7, 'kept', 200 - i % 7, 'failed', 0, 'removed', i % 5,
        'filtered_out', 30, 'opted_out', 5, 'no_identifier', 5, 'control_system', 0, 'control_custom', 0, 'control_campaign', 10,
        'over_cap', 0), 2, 200 + i % 40
from generate_series(1, $runs) i
cross join lateral (
    select case when i % 10 = 0 then 1 + (i / 10) % $campaigns else 1 + 10 * (i % ($campaigns / 10)) end as number,
        now() - ($runs - i) * (interval '90 days' / $runs) as at
) chosen
join audiences.campaign c on c.id = chosen.number;
insert into audiences.chunk (run_id, audience_id, action, number, file, first_row, rows, state, tries, received, begun, sent_at,
    acknowledged_at)
select r.id, r.audience_id, 'add', n, 'add-0.parquet', 0, 100, 'acknowledged', 1, 100, 3, r.started_at, r.ended_at
from audiences.run r cross join generate_series(0, 1) n;
insert into audiences.member (audience_id, campaign_id, user_id, identifiers, present, added_run)
select c.id, c.id, u::text, decode(md5(u::text), 'hex'), true, (select min(id) from audiences.run where campaign_id = c.id)
from audiences.campaign c cross join generate_series(1, 200) u;
insert into audiences.assignment (campaign_id, user_id, arm, run_id)
select campaign_id, user_id, 'target', added_run from audiences.member;
insert into audiences.live_campaign (campaign_id, since, read_to, settled_to, mark_at, mark_xid, looked_back_at)
select id, now(), now(), now(), now(), 1, now() from audiences.campaign where id % 10 = 1;
insert into audiences.live_batch (campaign_id, formed_at, events, users, first_event, last_event, last_due, state, offer_at,
    run_id)
select r.campaign_id, r.started_at, 5, 5, r.started_at, r.started_at, r.started_at, 'exported', r.started_at, r.id
from audiences.run r join audiences.live_campaign l using (campaign_id);
insert into audiences.live_event (campaign_id, event_id, user_id, occurred_at, arrived_at, seen_at, due_at, state)
select l.campaign_id, e::text, (e % 200)::text, now(), now(), now(), now(),
    case when e % 20 = 0 then 'waiting' else 'exported' end
from audiences.live_campaign l cross join generate_series(1, 1000) e;
""")


@dataclass(frozen=True, slots=True)
class Timed:
    """An answer: the median and the shortest of the rounds in seconds, and how many bytes of JSON it has.

    `computing` is how many seconds on a processor a round took, in this process and in that of Postgres; what is more was waited
    for a processor, or for the disk.
    """

    name: str
    typical: float
    shortest: float
    computing: float
    size: int


@contextmanager
def filled(campaigns: int, runs: int) -> Iterator[tuple[Connection, Path, str]]:
    """A ledger and a project of that size, and how long it took to fill the ledger."""
    with (
        tempfile.TemporaryDirectory(prefix="audiences-answers-") as folder,
        running_postgres(Path(folder) / "pg") as postgres,
    ):
        host = str(postgres.socket_directory)
        connection = Connection("ledger", host=host, port=postgres.port, login="postgres", schema="ledger")
        postgres.create_database("ledger")
        migrate(connection)
        project = _project(Path(folder), campaigns)
        with Ledger(connection) as ledger:
            begun = time.perf_counter()
            for statement in FILL.substitute(campaigns=campaigns, runs=runs).split(";\n"):
                if statement.strip():
                    ledger.sql.execute(statement.encode())
            ledger.sql.execute("vacuum analyze")
            seconds = time.perf_counter() - begun
        yield connection, project, f"{campaigns:,} campaigns and {runs:,} runs, put into the ledger in {seconds:.1f} s"


def measure(campaigns: int, runs: int) -> tuple[list[Timed], list[str], dict[str, list[str]]]:
    """The answers, remarks on how the ledger was made, and the plan of each statement by its name."""
    with filled(campaigns, runs) as (connection, project, remark), Ledger(connection) as ledger:
        cached = CachedProject(project)
        begun = time.perf_counter()
        cached.current()
        read = f"the files are read in {time.perf_counter() - begun:.2f} s, once, and again when one has changed"
        return _timed(cached, ledger), [remark, read], _plans(ledger)


def _project(folder: Path, campaigns: int) -> Path:
    project = folder / "project"
    shutil.copytree(ROOT / "include", project / "include")
    (project / "campaigns").mkdir()
    text = (ROOT / "campaigns" / "abandoned_cart.yml").read_text()
    for number in range(1, campaigns + 1):
        if number % 50 != 7:
            mine = text.replace("name: Abandoned_Cart", f"name: N{number}_Cart")
            (project / "campaigns" / f"cart_{number:05d}.yml").write_text(mine)
    (project / "campaigns" / "odd.yml").write_text("name: [")
    return project


def _timed(cached: CachedProject, ledger: Ledger) -> list[Timed]:
    now = datetime.fromtimestamp(ledger.clock(), UTC)
    last = ledger.number("select max(id) from audiences.run where campaign_id = 11")

    def nobody(name: str) -> Connection:
        return Connection(name, extra={"access_token": "benchmark", "app_id": "1"})

    asked: Mapping[str, Callable[[], BaseModel | None]] = {
        "overview, first page": lambda: overview(cached.current(), ledger, now=now),
        "overview, last page": lambda: overview(cached.current(), ledger, now=now, offset=950),
        "overview, searched": lambda: overview(cached.current(), ledger, now=now, search="cart 0012"),
        "history of a live campaign": lambda: history(cached.current(), ledger, "cart_00011", now=now),
        "history, far back": lambda: history(cached.current(), ledger, "cart_00011", now=now, offset=800),
        "one run": lambda: run_detail(ledger, last, now=now),
        "sizes over 90 days, live": lambda: sizes(
            cached.current(), ledger, "cart_00011", now=now, zone=cached.current().specs["cart_00011"].zone
        ),
        "one campaign": lambda: campaign_page(cached.current(), ledger, "cart_00011", now=now, look_up=nobody),
        "health": lambda: health(cached.current(), ledger, now=now, look_up=nobody),
    }
    server = psutil.Process(ledger.number("select pg_backend_pid()"))
    return [_one(name, ask, server) for name, ask in asked.items()]


def _one(name: str, ask: Callable[[], BaseModel | None], server: psutil.Process) -> Timed:
    ask()
    seconds, size, computed = [], 0, _computed(server)
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        found = ask()
        if found is None:
            message = f"nothing was found for: {name}"
            raise LookupError(message)
        size = len(found.model_dump_json())
        seconds.append(time.perf_counter() - begun)
    return Timed(name, median(seconds), min(seconds), (_computed(server) - computed) / ROUNDS, size)


def _computed(server: psutil.Process) -> float:
    spent = server.cpu_times()
    return float(time.process_time() + spent.user + spent.system)


def _plans(ledger: Ledger) -> dict[str, list[str]]:
    some, today = list(range(1, 51)), datetime.fromtimestamp(ledger.clock(), UTC).date()
    states = {"open": BatchState.OPEN, "waiting": EventState.WAITING, "lost": RequestState.LOST}
    given = {
        "names": None,
        "users": ["17"],
        "campaigns": some,
        "runs": some,
        "first": today,
        "last": today,
        "zone": "UTC",
        "campaign": "cart_00011",
    }
    sessions = {"ended": "ended", "unknown_fate": ["open", "broken"]}
    statements = {
        "all campaigns with their last run": run_records.ALL_CAMPAIGNS,
        "sizes by day": audience_sizes.BY_DAY,
        "changes by day": audience_sizes.CHANGES,
        "audiences in doubt": content.DOUBTS,
        "who holds members": members.HOLDING,
        "where a person is": member_history.OF_USERS,
        "arms of a person": assignments.OF_USERS,
        "live campaigns": live_standing.STANDING,
        "runs of a page": run_records.NUMBERED,
        "numbers of a page": run_records.PAGE,
    }
    parameters = {**states, **given, **sessions, "offset": 0, "limit": 50}
    return {name: _plan(ledger, text, parameters) for name, text in statements.items()}


def _plan(ledger: Ledger, statement: str, parameters: Mapping[str, object]) -> list[str]:
    rows = ledger.sql.execute(f"explain (analyze, costs off, timing off) {statement}".encode(), parameters).fetchall()
    return [str(line) for (line,) in rows]


def verdicts(found: list[Timed], plans: Mapping[str, list[str]]) -> list[str]:
    """The figures beside the bound, a line each, then what the plans read as a whole."""
    said = [
        f"{'reached' if each.typical <= BOUND else 'MISSED '}  {each.name}: {1000 * each.typical:.0f} ms, at best "
        f"{1000 * each.shortest:.0f} ms; of that {1000 * each.computing:.0f} ms on a processor, {each.size:,} bytes, wanted "
        f"≤ {1000 * BOUND:.0f} ms"
        for each in found
    ]
    for name, lines in plans.items():
        whole = [table for table in LARGE if any(f"Seq Scan on {table} " in f"{line} " for line in lines)]
        said.append(
            f"{'MISSED ' if whole else 'reached'}  {name}: {', '.join(whole) or 'nothing that grows'} read as a whole"
        )
    return said


def main() -> None:
    """Print the figures, and with `--plans` the plans."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.answers", description=__doc__)
    parser.add_argument("--campaigns", type=int, default=1_000)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--plans", action="store_true", help="print the plan of every statement")
    asked = parser.parse_args()
    found, remarks, plans = measure(asked.campaigns, asked.runs)
    lines = [*remarks, *verdicts(found, plans)]
    if asked.plans:
        lines += [line for name, plan in plans.items() for line in ("", name, *(f"  {step}" for step in plan))]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
