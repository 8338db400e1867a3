"""The difference between who is wanted in an audience and who is held there, as requests to send and memberships to record.

Both sides can be larger than memory is meant to be, so the sets are compared by DuckDB under a memory limit, on disk where
needed. The statements are in `include/sql/difference/`.
"""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from audiences.sql import statement
from audiences.user_ids import USER_ID, USERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from audiences.campaign.what import Action

_RECORD_BATCH_ROWS = 50_000
MOST_ASKED = 50_000
"""Of so many different rows it is asked which of them others hold; of more, what others hold is looked at as a whole."""

CANDIDATES = pa.schema([USER_ID, ("identifiers", pa.binary()), ("rank", pa.binary())])
CHANGES = pa.schema(
    [
        ("action", pa.string()),
        ("position", pa.int64()),
        ("campaign_id", pa.int32()),
        USER_ID,
        ("identifiers", pa.binary()),
        ("present", pa.bool_()),
        ("begins", pa.bool_()),
        ("gone", pa.bool_()),
    ]
)
_ADDED = {"action": "add", "present": True, "begins": True, "gone": False}
"""What is the same of all memberships that hang on a request to add."""
_PLACE = "if(shares, concat_ws(chr(0), first_user, hex(identifiers), user_id), user_id)"
"""As `first_user, identifiers, user_id`: no user id holds the character before all others."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many users and request rows a difference concerns.

    `targeted` users are wanted after the cap; of them `begun` are new or, those `rekeyed`, members with new identifiers. `left`
    users are held by the campaign and no longer wanted; `expired` ones leave because their time is up; `gone` are all who
    leave, members of other campaigns too where users are taken out; `held` is how many it holds before. `add` and `remove`
    count rows to send; `quarantined` of those begun are not sent, as their rows were refused before. Once all of it is done,
    there are `memberships_after` of all campaigns in the audience, with `rows_after` different rows.
    """

    candidates: int
    targeted: int
    begun: int
    rekeyed: int
    left: int
    expired: int
    gone: int
    held: int
    add: int
    remove: int
    quarantined: int
    memberships_after: int
    rows_after: int


class OthersOnRecord(Protocol):
    """What is on record of an audience besides what is held for a comparison, asked for as far as that needs it."""

    @property
    def memberships(self) -> int:
        """The memberships of all in the audience."""

    @property
    def rows(self) -> int:
        """Their different rows."""

    def with_rows(self, identifiers: Sequence[bytes] | None) -> AbstractContextManager[pa.RecordBatchReader]:
        """The memberships not held yet that have one of these rows, as in `hold`; None for all that are not held yet."""


class Difference:
    """One comparison; give `held` and `wanted`, then `compute`, then read the changes.

    `anew`: who was taken out before (`remove_matching`) may be in again, and is to be taken out once more.
    """

    def __init__(self, *, campaign: int, action: Action, spill: Path, anew: bool = False) -> None:
        from audiences.larger_than_memory import session  # many know these columns and compare nothing

        self._opened = ExitStack()
        self._database = self._opened.enter_context(session(spill))
        self._parameters = {"campaign": campaign, "action": action, "anew": anew}
        self._limit: int | None = None
        self._others: OthersOnRecord | None = None
        self._kept = 0
        self._again = True
        self.revision = 0
        """The revision of the audience, in the ledger's count, that was held when it was compared."""
        for name in ("expiring", "expired", "opted_out"):
            self._database.register(name, USERS.empty_table())
        self._database.register("refused", CANDIDATES.empty_table())

    @property
    def kept(self) -> int:
        """How many users are wanted and held who are not looked at."""
        return self._kept

    @property
    def compares_own(self) -> bool:
        """Whether who comes and goes is decided by what the campaign itself holds."""
        return self._parameters["action"] in ("mirror", "add")

    def close(self) -> None:
        """Free the comparison's memory and files."""
        self._opened.close()

    def hold(self, held: pa.RecordBatchReader, *, others: OthersOnRecord | None = None, kept: int = 0) -> None:
        """Say who is in the audience now: `campaign_id`, `user_id`, `identifiers`, `present`.

        With `others` only whom the campaign itself holds; of them the comparison asks for those who share a row with somebody
        who comes or goes. That is enough for the actions `mirror` and `add`, unless the whole set is to be sent. So many users
        are `kept` besides: wanted, and held under just the same identifiers. They are among the others, and no candidates.
        """
        self._take("held", held)
        self._others, self._kept = others, kept

    def want(self, candidates: pa.RecordBatchReader) -> None:
        """Say who is to be in it: `user_id`, `identifiers`, and `rank` where there is a cap."""
        self._take("candidates", candidates)

    def want_held(self, kept: pa.RecordBatchReader) -> int:
        """Say who is wanted under what they are held with: `user_id`, and `row_hash` of that; after `hold` and `want`.

        Gives how many are held with nothing of the kind, so that it is not known under what they are wanted.
        """
        self._take("kept_users", kept)
        self._run(f"insert into candidates {statement('difference/held_as_wanted')}")
        return int(
            self._run(
                "select (select count(*) from kept_users) - count(*) from kept_users semi join candidates using (user_id)"
            )[0][0]
        )

    def withdraw(self, opted_out: pa.RecordBatchReader) -> None:
        """Say who (`user_id`) has opted out since the candidates were found, and is none any more; after `want`."""
        self._take("opted_out_since", opted_out)
        self._run("delete from candidates where user_id in (select user_id from opted_out_since)")

    def cap(self, limit: int, exempt: pa.Table) -> None:
        """Keep at most `limit` candidates besides those in `exempt` (`user_id`), who are counted already."""
        self._limit = max(limit, 0)
        self._database.register("exempt", exempt)

    def expire(self, expiring: pa.Table, expired: pa.Table, *, again: bool) -> None:
        """Say whose time is up now and whose was before (`user_id`). `again`: who qualifies comes back all the same."""
        self._database.register("expiring", expiring)
        self._database.register("expired", expired)
        self._again = again

    def leave_out(self, opted_out: pa.RecordBatchReader) -> None:
        """Say who has opted out (`user_id`) and is not to stay even where members do, since the whole set is uploaded anew."""
        self._database.unregister("opted_out")
        self._take("opted_out", opted_out)

    def quarantine(self, refused: pa.Table) -> None:
        """Say which rows (`identifiers`) are not to be added, because Facebook refused them before."""
        self._database.register("refused", refused)

    def compute(self) -> Counts:
        """Compare; `changes` can be read afterwards."""
        self._run(
            f"create temp view eligible as {'from candidates' if self._again else statement('difference/eligible')}"
        )
        if self._limit is None:
            self._run("create temp view wanted as select user_id, identifiers from eligible")
        else:
            self._run(f"create temp table wanted as {statement('difference/capped')}", limit=self._limit)
        if self._nobody_held():
            self._all_begin()
        else:
            for table in ("differs", "begun", "ended"):
                self._run(f"create temp table {table} as {statement(f'difference/{table}')}")
        self._hold_others()
        for table in ("shared", "kept", "quarantined"):
            self._run(f"create temp table {table} as {statement(f'difference/{table}')}")
        self._run(f"create temp view changes as {statement('difference/changes')}")
        found = Counts(*self._run(statement("difference/counts"))[0])
        kept = {name: getattr(found, name) + self._kept for name in ("candidates", "targeted", "held")}
        return replace(found, **kept)

    def _nobody_held(self) -> bool:
        """Whether nobody is in the audience, by anybody's doing, and nobody comes to be on a list of those taken out."""
        empty = self._others is None or not self._others.memberships
        return self.compares_own and empty and not self._run("select exists (from held)")[0][0]

    def _all_begin(self) -> None:
        """What is wanted begins, all of it, and nothing ends: views in place of tables that would repeat it twice."""
        self._run(f"create temp view differs as {statement('difference/all_begin')}")
        begun = statement("difference/begun")
        for name, value in self._parameters.items():  # a view takes none
            begun = begun.replace(f"${name}", f"'{value}'" if isinstance(value, str) else str(value))
        self._run(f"create temp view begun as {begun}")
        self._run(f"create temp table ended as {statement('difference/ended')} limit 0")

    def _hold_others(self) -> None:
        """Hold those too who share a row with a membership that begins or ends; count those who do not."""
        self._run("create temp table elsewhere (memberships bigint, rows bigint)")
        given = int(self._run("select count(*) from held")[0][0])
        self._run(f"create temp view held_as_given as from held where rowid < {given}")
        if self._others is None:
            return
        self._database.execute("insert into elsewhere values (?, ?)", [self._others.memberships, self._others.rows])
        query = "select identifiers from begun union select identifiers from ended limit $most"
        concerned = [row for (row,) in self._run(query, most=MOST_ASKED + 1)]
        if concerned:
            with self._others.with_rows(concerned if len(concerned) <= MOST_ASKED else None) as shared:
                self._database.register("given", shared)
                # Of those that are held already there may be some among them.
                self._run(
                    "insert into held select * from given anti join held using (campaign_id, user_id, identifiers, present)"
                )
                self._database.unregister("given")

    def wants(self, user: str) -> bool:
        """Whether the user is among the targets, those under the cap; after `compute`."""
        return bool(self._database.execute("select 1 from wanted where user_id = $user", {"user": user}).fetchall())

    def wanted(self) -> pa.RecordBatchReader:
        """The targets (`user_id`), those under the cap; after `compute`."""
        return self._database.sql("select user_id from wanted").to_arrow_reader(_RECORD_BATCH_ROWS)

    def changes(self, action: str) -> Iterator[pa.RecordBatch]:
        """The memberships that hang on requests of that action (`add`, `remove`), or on none (`none`), by position.

        Those who share a row come one after the other. To be read to its end before anything else is asked.
        """
        if action == "add":
            # One column in nearly all cases a user id, and two to carry, are sorted in half the time.
            query = f"select user_id, identifiers from changes where action = $wanted order by {_PLACE}"  # noqa: S608  # our own text
            same = {**_ADDED, "campaign_id": self._parameters["campaign"]}
        else:
            query = "select * from changes where action = $wanted order by first_user, identifiers, user_id, begins"
            same = {}
        batches = self._database.sql(query, params={"wanted": action}).to_arrow_reader(_RECORD_BATCH_ROWS)
        yield from _numbered(batches, same) if action != "none" else (_placed(batch, None, same) for batch in batches)

    def full_set(self) -> int:
        """How many distinct rows the audience has afterwards; `lasting` can be read then."""
        self._run(f"create temp table whole as {statement('difference/full_set')}")
        return int(self._run("select coalesce(max(position) + 1, 0) from whole")[0][0])

    def lasting(self) -> Iterator[pa.RecordBatch]:
        """The memberships that last or begin, by the position of their row in the whole set; after `whole`."""
        return self._batches("select * from whole order by position, user_id")

    def closing(self) -> Iterator[pa.RecordBatch]:
        """The memberships that change once the whole set has arrived, besides those that begin with its rows."""
        return self._batches(f"{statement('difference/closing')} order by user_id")

    def expired_users(self, *, among_candidates: bool) -> pa.Table:
        """Users (`user_id`) whose time is up, now or before, or those of them who are candidates."""
        query = "select user_id from expiring union select user_id from expired"
        if among_candidates:
            query = f"select user_id from candidates where user_id in ({query})"  # noqa: S608  # constants only
        return self._database.sql(query).to_arrow_table()

    def assigned(self, held_out: pa.RecordBatchReader, *, added: bool) -> pa.RecordBatchReader:
        """Who is assigned to which group by this run, in the order of `user_id`: `user_id`, `arm`.

        Those whose membership begins are targets; `held_out` has the others (`user_id`, `arm`). With `added` those are left out
        whom `changes("add")` has: all of them are targets. Read it to its end before anything else is asked: two large answers
        at a time do not fit into the memory limit.
        """
        self._database.register("held_out", held_out)
        query = statement("difference/assigned")
        return self._database.sql(query, params={"added": added}).to_arrow_reader(_RECORD_BATCH_ROWS)

    def held_otherwise(self) -> pa.Table:
        """The users (`user_id`) whom the campaign goes on to hold though they are not wanted, or under something else too."""
        return self._database.sql(
            statement("snapshot/otherwise"), params={"campaign": self._parameters["campaign"]}
        ).to_arrow_table()

    def not_sent(self) -> pa.Table:
        """The targets (`user_id`) who are not added, as Facebook refused their rows before; after `compute`."""
        query = "select user_id from wanted where identifiers in (select identifiers from quarantined)"
        return self._database.sql(query).to_arrow_table()

    def moved_to_control(self, held_out: pa.RecordBatchReader) -> int:
        """How many of those who leave are held out now (`user_id`, `arm`); after `compute`."""
        self._database.register("held_out", held_out)
        return int(self._run(statement("difference/moved_to_control"))[0][0])

    def _take(self, name: str, rows: pa.RecordBatchReader) -> None:
        """Read rows into a table of DuckDB's, which goes to disk before it goes over the memory limit."""
        self._database.register("given", rows)
        self._run(f"create temp table {name} as from given")
        self._database.unregister("given")

    def _batches(self, query: str) -> Iterator[pa.RecordBatch]:
        for batch in self._database.sql(query).to_arrow_reader(_RECORD_BATCH_ROWS):
            yield batch.cast(CHANGES)

    def _run(self, query: str, **more: int) -> list[Any]:
        known = {**self._parameters, **more}
        used = {name: value for name, value in known.items() if re.search(rf"\${name}\b", query)}
        return self._database.execute(query, used).fetchall()


def _numbered(batches: Iterable[pa.RecordBatch], same: Mapping[str, object]) -> Iterator[pa.RecordBatch]:
    """With the position of each membership's row among those to send: one more wherever the identifiers change."""
    position, last = -1, pa.scalar(None, pa.binary())
    for batch in filter(len, batches):
        rows = batch.column("identifiers")
        before = pa.concat_arrays([pa.array([last], pa.binary()), rows.slice(0, len(rows) - 1)])
        changes = pc.fill_null(pc.not_equal(rows, before), fill_value=True)
        positions = pc.add(pc.cumulative_sum(changes.cast(pa.int64())), position)
        yield _placed(batch, positions, same)
        position, last = positions[-1].as_py(), rows[-1]


def _placed(batch: pa.RecordBatch, positions: pa.Array | None, same: Mapping[str, object]) -> pa.RecordBatch:
    """With these positions, and with what is the `same` in all of them, as CHANGES."""
    columns = {name: batch.column(name) for name in batch.schema.names}
    columns |= {name: pa.repeat(pa.scalar(value), len(batch)) for name, value in same.items()}
    columns["position"] = pa.nulls(len(batch)) if positions is None else positions
    return pa.RecordBatch.from_arrays([columns[field.name].cast(field.type) for field in CHANGES], schema=CHANGES)
