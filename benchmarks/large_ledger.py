"""What a ledger of many memberships costs: `python -m benchmarks.large_ledger --memberships 50000000 --keep FOLDER`.

Fills a ledger as years of runs leave it (three campaigns of 10,000, 1,000,000 and 5,000,000 members, the rest in campaigns of
500,000; two of five memberships have ended), then times what a run, a person's erasure and the pages ask of it. `read` are
the pages of 8 kB that Postgres touched for an answer: seconds change with the machine and its memory, pages do not.
With `--keep` the filled ledger stays in that folder, and is measured again without being filled.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Final

from audiences.connections import Connection
from audiences.demo.postgres import running_postgres
from audiences.ledger.database import Ledger
from audiences.ledger.migrate import migrate
from audiences.what.rows import KEYS
from benchmarks.large_ledger_asked import SIZES, aged, asked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.large_ledger_asked import Question

FILLER: Final = 500_000
GENERATIONS: Final = 10
"""Each campaign came by its members in so many runs, between those of all others, so that its rows lie in as many places."""
# More for making indexes than a server of 24 GB gives otherwise; all else as the product's tests have it.
SETTINGS: Final = {
    "maintenance_work_mem": "1GB",
    "max_wal_size": "8GB",
    "shared_buffers": "2GB",
    "track_io_timing": "on",
}
FEW: Final = Template("""
insert into audiences.campaign (name) select 'campaign_' || n from generate_series(1, cardinality(array[$sizes])) n;
insert into audiences.audience (ad_account, facebook_id, name, created_for)
select 'act_1001', (23850000000000000 + id)::text, name, id from audiences.campaign order by id;
insert into audiences.run (campaign_id, external_id, audience_id, config_digest, config, control_terms, as_of, assigned_at,
    state, started_at, ended_at, staging, size)
select c.id, 'scheduled__' || g, c.id, md5(c.id::text), '{}', 'terms', at, at, 'success', at, at, '/nowhere', 1
from generate_series(1, $generations + 1) g cross join audiences.campaign c
cross join lateral (select now() - ($generations + 2 - g) * interval '1 day' as at) days
order by g, c.id;
insert into audiences.refused_row (audience_id, identifiers, reason, run_id)
select audience_id, 'nobody', 'a reason', max(id) from audiences.run group by audience_id
""")
# Users are numbered so that those of a run lie between those of all other runs; the same people are in many campaigns.
GENERATION: Final = Template("""
insert into audiences.member (audience_id, campaign_id, user_id, identifiers, present, added_run, removed_run)
select c, c, u, decode('$email', 'hex') || sha256(u::bytea) || decode('$phone', 'hex') || sha256(('+' || u)::bytea), true,
    ($generation - 1) * cardinality(array[$sizes]) + c, case when ended then $generation * cardinality(array[$sizes]) + c end
from unnest(array[$sizes]) with ordinality as campaigns (size, c)
cross join lateral (
    select lpad((k::bigint * $generations + $generation)::text, 10, '0') as u, false as ended
    from generate_series(0, size / $generations - 1) k
    union all
    select lpad((5000000000 + k::bigint * $generations + $generation)::text, 10, '0'), true
    from generate_series(0, size * 2 / 3 / $generations - 1) k
) users
""")
ASSIGNED: Final = (
    "insert into audiences.assignment (campaign_id, user_id, arm, run_id)"
    " select campaign_id, user_id, 'target', added_run from audiences.member"
)
INDEXES: Final = """
select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition,
    (select conname from pg_constraint where conindid = indexrelid) as constraint
from pg_index where indrelid = any(array['audiences.member', 'audiences.assignment']::regclass[]) order by 1
"""
SIZE_OF: Final = """
select relname as name, relkind = 'i' as is_index, reltuples::bigint as rows, pg_relation_size(oid) as bytes
from pg_class where relnamespace = 'audiences'::regnamespace and pg_relation_size(oid) > 50 * 1024 * 1024 order by 2, 4 desc
"""
TOUCHED: Final = """
select sum(heap_blks_read + heap_blks_hit + coalesce(idx_blks_read + idx_blks_hit, 0))::bigint
from pg_statio_all_tables where schemaname = 'audiences'
"""
FLUSH: Final = "select pg_stat_force_next_flush()"


@dataclass(frozen=True, slots=True)
class Index:
    """An index and how it is made; `constraint` is the primary key that it is of."""

    name: str
    definition: str
    constraint: str | None


@dataclass(frozen=True, slots=True)
class Sized:
    """A table or an index: its rows, as Postgres estimates them, and its bytes on the disk."""

    name: str
    is_index: bool
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What a question took: seconds, those of them on a processor in this process, pages of 8 kB touched; what it `found`."""

    name: str
    seconds: float
    computing: float
    pages: int
    found: int


def sizes_for(memberships: int) -> list[int]:
    """The members of each campaign, so that three of five memberships in all last."""
    lasting = memberships * 3 // 5
    measured = [size for size in SIZES if size <= lasting // 2]
    left = lasting - sum(measured)
    return [*measured, *([min(FILLER, left)] * max(1, left // FILLER))]


def fill(ledger: Ledger, memberships: int) -> str:
    """Put so many memberships and assignments on record, and say how long it took."""
    began = time.perf_counter()
    words = {
        "sizes": ", ".join(map(str, sizes_for(memberships))),
        "generations": GENERATIONS,
        "email": f"{KEYS['EMAIL']:02x}20",
        "phone": f"{KEYS['PHONE']:02x}20",
    }
    indexes = ledger.rows(Index, INDEXES)
    for index in indexes:
        table = index.definition.split(" ON ")[1].split(" ")[0]
        _do(
            ledger,
            f"alter table {table} drop constraint {index.constraint}"
            if index.constraint
            else f"drop index {index.name}",
        )
    for statement in FEW.substitute(words).split(";\n"):
        _do(ledger, statement)
    for generation in range(1, GENERATIONS + 1):
        _do(ledger, GENERATION.substitute(words, generation=generation))
    _do(ledger, ASSIGNED)
    rows = time.perf_counter() - began
    for index in indexes:
        _do(ledger, index.definition)
        if index.constraint:
            table, name = index.definition.split(" ON ")[1].split(" ")[0], index.name.split(".")[-1]
            _do(ledger, f"alter table {table} add constraint {index.constraint} primary key using index {name}")
    _do(ledger, "vacuum analyze")
    return f"filled in {rows:.0f} s, its indexes made and vacuumed in {time.perf_counter() - began - rows:.0f} s"


def _do(ledger: Ledger, statement: str) -> None:
    ledger.sql.execute(statement.encode())


def measure(ledger: Ledger, questions: list[Question]) -> Iterator[Cost]:
    """What each question costs, asked for the second time: pages are in memory then as far as they fit."""
    for question in questions:
        ask = question.prepare(ledger)
        for _ in range(question.times - 1):
            ask(ledger)
        with _touched(ledger) as pages:
            began, spent = time.perf_counter(), time.process_time()
            found = ask(ledger)
            seconds, computing = time.perf_counter() - began, time.process_time() - spent
        yield Cost(question.name, seconds, computing, pages(), found)


@contextmanager
def _touched(ledger: Ledger) -> Iterator[Callable[[], int]]:
    before = _pages(ledger)
    yield lambda: _pages(ledger) - before


def _pages(ledger: Ledger) -> int:
    with ledger.bulk.cursor() as cursor:
        cursor.execute(FLUSH)
        cursor.fetchall()
    ledger.bulk.commit()
    _do(ledger, FLUSH)
    return ledger.number(TOUCHED)


def lines_of_sizes(ledger: Ledger) -> list[str]:
    """Tables and indexes of any size, a line each."""
    return [
        f"{'index' if each.is_index else 'table'} {each.name}: {each.bytes / 2**30:.2f} GiB, {each.rows:,} rows, "
        f"{each.bytes / max(each.rows, 1):.0f} bytes each"
        for each in ledger.rows(Sized, SIZE_OF)
    ]


@contextmanager
def filled(folder: Path, memberships: int) -> Iterator[tuple[Ledger, str]]:
    """The ledger in that folder, filled where it is not, and a remark on that."""
    with running_postgres(folder / "pg", durable=False, settings=SETTINGS) as postgres:
        host = str(postgres.socket_directory)
        connection = Connection("ledger", host=host, port=postgres.port, login="postgres", schema="ledger")
        there = postgres.has_database("ledger")
        if not there:
            postgres.create_database("ledger")
        migrate(connection)
        with Ledger(connection) as ledger:
            yield ledger, "was there" if there else fill(ledger, memberships)


def main(arguments: list[str] | None = None) -> None:
    """Fill, measure, and print a line for each figure as it is known."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large_ledger", description=__doc__)
    parser.add_argument("--memberships", type=int, default=50_000_000)
    parser.add_argument(
        "--keep", type=Path, help="a folder in which the ledger stays (15 GB at 50,000,000 memberships)"
    )
    parser.add_argument("--only", default="", help="the questions whose name holds this")
    parser.add_argument(
        "--age", action="store_true", help="end a third of the memberships after that, and look at newcomers"
    )
    given = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory(prefix="audiences-large-") as folder,
        filled(given.keep or Path(folder), given.memberships) as (
            ledger,
            remark,
        ),
    ):
        _say(f"{given.memberships:,} memberships: {remark}")
        for line in lines_of_sizes(ledger):
            _say(line)
        wanted = chain(asked(ledger, Path(folder)), aged(ledger) if given.age else ())
        for cost in measure(ledger, [each for each in wanted if given.only in each.name]):
            _say(
                f"{cost.name}: {cost.seconds:.3f} s, {cost.computing:.3f} of it computing here, {cost.pages:,} pages read, "
                f"{cost.found:,} found"
            )


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
