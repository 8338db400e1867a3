"""What a run, an erasure, a page and the daily upkeep ask of the ledger; see `large_ledger`, which asks it.

Everything here is the product's own call, on three campaigns of different sizes. What would change the ledger is undone,
except where it says so.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from audiences.ledger import (
    assignments,
    audience_sizes,
    content,
    expiry,
    goals,
    known_audiences,
    member_changes,
    member_history,
    members,
    rejected_rows,
    trails,
)
from audiences.ledger.trails import Trail
from audiences.what.changes import CANDIDATES
from audiences.what.difference import Difference
from audiences.what.erased import strong_cells

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from audiences.ledger.database import Ledger

SIZES: Final = (10_000, 1_000_000, 5_000_000)
"""Members of the campaigns that are measured; they are the first ones, and each has an audience of the same number."""
REQUEST: Final = 10_000
PERCENT: Final = 100  # one user of so many comes, and one goes
USER: Final = "0000000777"
AT: Final = datetime(2030, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Question:
    """Something that is asked of the ledger, whose answer is a number; asked `times`, of which the last one counts.

    `prepare` gives what asks it, after it has made ready what is no part of the time.
    """

    name: str
    prepare: Callable[[Ledger], Callable[[Ledger], int]]
    times: int = 2


def _asking(name: str, ask: Callable[[Ledger], int], *, times: int = 2) -> Question:
    return Question(name, lambda _: ask, times)


def asked(ledger: Ledger, folder: Path) -> Iterator[Question]:
    """All of them: for each measured campaign what a run asks, then what is asked of the whole."""
    there = ledger.values(int, "select id from audiences.campaign order by id")
    for number, size in zip(there, SIZES, strict=False):
        if members.more_than(ledger, number, size - 1) and not members.more_than(ledger, number, size):
            yield from _of_a_run(number, folder, f"{size:,} members: ")
    yield from _of_a_person(ledger)
    yield from _of_a_page(there)
    yield from _of_upkeep()


def _of_a_run(number: int, folder: Path, prefix: str) -> Iterator[Question]:
    """What a run of the campaign asks, in its order; campaign and audience have the same number."""
    per_day = datetime.now(UTC) - timedelta(days=2)
    yield _asking(f"{prefix}open: is it a small audience", lambda ledger: members.more_than(ledger, number, 100_000))
    yield _asking(f"{prefix}open: members left behind in others", partial(_left_behind, number))
    yield _asking(
        f"{prefix}select: assignments by other terms",
        lambda ledger: assignments.not_by_formula(ledger, number, "terms").num_rows,
    )
    yield _asking(f"{prefix}plan: read who is held", partial(_held, number))
    yield Question(
        f"{prefix}plan: read, and compare with 1 % changed", prepare=partial(_to_compare, number, folder), times=1
    )
    yield _asking(
        f"{prefix}plan: rows refused before", lambda ledger: rejected_rows.quarantined(ledger, number, AT).num_rows
    )
    yield _asking(
        f"{prefix}plan: keep_for",
        lambda ledger: expiry.expiring(ledger, audience=number, campaign=number, since=per_day).num_rows,
    )
    yield _asking(
        f"{prefix}plan: cap per day", lambda ledger: assignments.added_between(ledger, number, per_day, AT).num_rows
    )
    yield _asking(f"{prefix}plan: cap in total", lambda ledger: assignments.ever_targeted(ledger, number).num_rows)
    yield _asking(f"{prefix}plan: put {REQUEST:,} assignments on record", partial(_assigned, number))
    yield Question(
        f"{prefix}export: acknowledge a request of {REQUEST:,} additions",
        prepare=partial(_to_write, number, REQUEST, 0),
    )
    yield Question(
        f"{prefix}export: acknowledge a request of {REQUEST:,} removals",
        prepare=partial(_to_write, number, 0, REQUEST),
    )
    yield Question(f"{prefix}export: acknowledge a removal of one user", prepare=partial(_to_write, number, 0, 1))
    yield _asking(f"{prefix}close: count memberships", lambda ledger: members.memberships(ledger, number))
    yield _asking(f"{prefix}close: count different rows", lambda ledger: members.count(ledger, number), times=1)
    yield _asking(f"{prefix}close: members with new identifiers", partial(_rekeyed, number))
    yield _asking(f"{prefix}close: users lost to refused rows", partial(_lost, number))
    yield _asking(
        f"{prefix}goal: runs that assigned somebody", lambda ledger: len(goals.assigning_runs(ledger, number, AT))
    )
    yield _asking(
        f"{prefix}page: a person in the audience", lambda ledger: len(member_history.history(ledger, number, USER))
    )


def _left_behind(number: int, ledger: Ledger) -> int:
    return len(known_audiences.left_behind(ledger, campaign=number, audience=number))


def _held(number: int, ledger: Ledger) -> int:
    with members.held(ledger, number) as rows:
        return sum(batch.num_rows for batch in rows)


def _to_compare(number: int, folder: Path, ledger: Ledger) -> Callable[[Ledger], int]:
    """Stage who is wanted: all but one user of PERCENT who is held, and as many newcomers."""
    wanted = folder / f"wanted_{number}"
    with (
        members.held(ledger, number) as rows,
        pa.OSFile(str(wanted), "wb") as sink,
        pa.ipc.new_file(sink, CANDIDATES) as writer,
    ):
        for batch in rows:
            users = batch.column("user_id")
            comes = pa.array(range(len(batch)), pa.int32())
            new = pc.equal(pc.subtract(comes, pc.multiply(pc.divide(comes, PERCENT), PERCENT)), 0)
            names = pc.if_else(new, pc.binary_join_element_wise("new", users, "_"), users)
            columns = [names.cast(users.type), batch.column("identifiers"), pa.nulls(len(batch), pa.binary())]
            writer.write_batch(pa.record_batch(columns, schema=CANDIDATES))
    return partial(_compared, number, folder, wanted)


def _compared(number: int, folder: Path, wanted: Path, ledger: Ledger) -> int:
    with closing(Difference(campaign=number, action="mirror", spill=folder)) as difference:
        with members.held(ledger, number) as held:
            difference.hold(held)
        with pa.memory_map(str(wanted)) as source:
            file = pa.ipc.open_file(source)
            batches = (file.get_batch(n) for n in range(file.num_record_batches))
            difference.want(pa.RecordBatchReader.from_batches(CANDIDATES, batches))
        counts = difference.compute()
    return counts.begun + counts.left


def _to_write(number: int, begin: int, end: int, ledger: Ledger) -> Callable[[Ledger], int]:
    """The changes of an acknowledged request: newcomers, and some who are held."""
    columns = {"campaign_id": pa.int32(), "user_id": pa.string(), "identifiers": pa.binary(), "present": pa.bool_()}
    ending = ledger.read(
        f"select {', '.join(columns)} from audiences.member"  # noqa: S608  # numbers only
        f" where audience_id = {number} and removed_run is null order by campaign_id, user_id limit {end}",
        pa.schema(list(columns.items())),
    )
    new = pa.table(
        {
            "campaign_id": pa.repeat(pa.scalar(number, pa.int32()), begin),
            "user_id": pa.array([f"new_{n:010d}" for n in range(begin)], pa.string()),
            "identifiers": pa.array([bytes(68)] * begin, pa.binary()),
            "present": pa.repeat(pa.scalar(True), begin),
        }
    )
    changes = pa.concat_tables([ending, new])
    changes = changes.append_column("begins", pa.array([False] * end + [True] * begin))
    return lambda ledger: _rolled_back(
        ledger, lambda: member_changes.record(ledger, audience=number, run=1, changes=changes)
    )


def _rolled_back(ledger: Ledger, write: Callable[[], None]) -> int:
    with ledger.sql.transaction(force_rollback=True):
        write()
    return 0


def _assigned(number: int, ledger: Ledger) -> int:
    users = pa.array([f"new_{n:010d}" for n in range(REQUEST)], pa.string())
    assigned = pa.table({"user_id": users, "arm": pa.repeat("target", REQUEST)}).to_reader()
    assignments.record(ledger, campaign=number, run=1, assigned=assigned)
    ledger.sql.execute("delete from audiences.assignment where campaign_id = %s and user_id like 'new%%'", (number,))
    return REQUEST


def _rekeyed(number: int, ledger: Ledger) -> int:
    last = ledger.number("select max(id) from audiences.run where campaign_id = %(id)s", {"id": number})
    few = "select count(*) from audiences.campaign"
    return members.rekeyed(ledger, number, number, last - ledger.number(few))


def _lost(number: int, ledger: Ledger) -> int:
    run = ledger.number("select run_id from audiences.refused_row where audience_id = %(id)s", {"id": number})
    return rejected_rows.lost(ledger, run, number)


def _of_a_person(ledger: Ledger) -> Iterator[Question]:
    """What erasing a person asks, and looking one up."""
    rows = member_history.rows_of(ledger, USER)
    cells = frozenset(cell for row in rows for cell in strong_cells(row))
    trail = Trail(USER, tuple(rows))
    yield _asking("person: memberships by user id", lambda ledger: len(member_history.of_users(ledger, [USER])))
    yield _asking("person: assignments by user id", lambda ledger: len(assignments.of_users(ledger, [USER])))
    yield _asking("person: whose is an address", lambda ledger: len(member_history.with_bytes(ledger, cells)))
    yield _asking("erase: rows of the user", lambda ledger: len(member_history.rows_of(ledger, USER)))
    yield _asking("erase: audiences with the rows", lambda ledger: len(trails.audiences_with(ledger, trail)))
    yield _asking("erase: take it all out", partial(_removed, trail))
    yield _asking("erase: look whether anything is left", lambda ledger: sum(trails.left(ledger, trail).values()))


def _removed(trail: Trail, ledger: Ledger) -> int:
    with ledger.sql.transaction(force_rollback=True):
        return sum(trails.remove(ledger, trail).values())


def _of_a_page(campaigns: list[int]) -> Iterator[Question]:
    """What pages ask of memberships; `benchmarks.answers` times whole pages over many runs."""
    today = datetime.now(UTC).date()
    sizes = partial(audience_sizes.by_day, first=today - timedelta(days=90), last=today, zone="UTC")
    yield _asking("page: who holds members where", lambda ledger: len(members.holding(ledger, campaigns)))
    yield _asking("page: audiences in doubt", lambda ledger: len(content.doubts(ledger)))
    yield _asking("page: sizes of 50 campaigns over 90 days", lambda ledger: len(sizes(ledger, campaigns[:50])))


def _of_upkeep() -> Iterator[Question]:
    """What keeps the tables in order. The first one changes the ledger: the last audience that has members loses them."""
    yield _asking("upkeep: an audience deleted at Facebook", _end_of_last_audience, times=1)
    yield _asking("upkeep: vacuum after that", partial(_do, "vacuum audiences.member"), times=1)
    yield _asking("upkeep: analyze", partial(_do, "analyze audiences.member"), times=1)
    yield _asking(
        "upkeep: vacuum of all pages, against wraparound", partial(_do, "vacuum (freeze) audiences.member"), times=1
    )


def aged(ledger: Ledger) -> Iterator[Question]:
    """What the room that memberships leave does to those who come after: their rows lie where others were."""
    measured = len(SIZES)
    newest = ledger.number("select max(id) from audiences.campaign")
    ended = f"removed_run is null and audience_id > {measured} and hashtext(user_id) % 3 = 0"
    yield _asking("aged: a third of the other memberships ends", partial(_do, ENDED.format(ended)), times=1)
    yield _asking("aged: vacuum after that", partial(_do, "vacuum audiences.member"), times=1)
    yield _asking("aged: 1,000,000 who come after that", partial(_do, CAME.format(newest + 1)), times=1)
    yield _asking("aged: analyze", partial(_do, "vacuum analyze audiences.member"), times=1)
    yield _asking("aged: read who is held of these", partial(_held, newest + 1))
    yield _asking("aged: in how many pages these are", lambda ledger: ledger.number(PAGES.format(newest + 1)), times=1)


ENDED: Final = "update audiences.member set removed_run = 1 where {}"
CAME: Final = (
    "insert into audiences.member (audience_id, campaign_id, user_id, identifiers, present, added_run)"
    " select {0}, {0}, lpad(n::text, 10, '0'), sha256(n::text::bytea) || sha256(('+' || n)::bytea), true, 1"
    " from generate_series(1, 1000000) n"
)
PAGES: Final = (
    "select count(distinct (ctid::text::point)[0]) from audiences.member where audience_id = {} and removed_run is null"
)


def _end_of_last_audience(ledger: Ledger) -> int:
    last = max(
        each.audience for each in members.holding(ledger, ledger.values(int, "select id from audiences.campaign"))
    )
    held = members.memberships(ledger, last)
    member_changes.end_of_audience(ledger, last, run=1)
    return held


def _do(statement: str, ledger: Ledger) -> int:
    ledger.sql.execute(statement.encode())
    return 0
