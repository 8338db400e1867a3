"""The difference between who is wanted in an audience and who is held there, as requests to send and memberships to record.

Both sides can be larger than memory is meant to be, so the sets are compared by DuckDB under a memory limit, on disk where
needed. The statements are in `include/sql/difference/`.
"""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import replace
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from audiences.sql import statement
from audiences.user_ids import USER_ID, USERS
from audiences.what.all_begin import AllBegin
from audiences.what.changes import ADDED, CHANGES, Counts, numbered, placed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    import duckdb

    from audiences.campaign.what import Action

_RECORD_BATCH_ROWS = 20_000
MOST_ASKED = 50_000
"""Of so many different rows it is asked which of them others hold; of more, what others hold is looked at as a whole."""

CANDIDATES = pa.schema([USER_ID, ("identifiers", pa.binary()), ("rank", pa.binary())])
_PLACE = "if(shares, concat_ws(chr(0), first_user, hex(identifiers), user_id), user_id)"
"""As `first_user, identifiers, user_id`: no user id holds the character before all others."""


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
        self._opened, self._campaign, self._spill = ExitStack(), campaign, spill
        self._parameters = {"campaign": campaign, "action": action, "anew": anew}
        self._limit: int | None = None
        self._others: OthersOnRecord | None = None
        self._kept = 0
        self._nobody_given = True
        self._held: pa.RecordBatchReader | None = None
        self._candidates: pa.RecordBatchReader | None = None
        self._anything_else = False
        """Whether anything but candidates is there to be looked at."""
        self._all: AllBegin | None = None
        """What takes the place of a comparison where nobody is held, or nobody comes or goes."""
        self._again = True
        self.revision = 0
        """The revision of the audience, in the ledger's count, that was held when it was compared."""

    @cached_property
    def _database(self) -> duckdb.DuckDBPyConnection:
        """Has whatever is to be compared."""
        from audiences.larger_than_memory import session  # many know these columns and compare nothing

        self._anything_else = True
        database = self._opened.enter_context(session(self._spill))
        for name in ("expiring", "expired", "opted_out"):
            database.register(name, USERS.empty_table())
        database.register("refused", CANDIDATES.empty_table())
        return database

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
        first = next(filter(len, held), None)
        self._nobody_given = first is None
        if first is None:
            self._held = held.schema.empty_table().to_reader()
        else:
            self._take("held", pa.RecordBatchReader.from_batches(held.schema, chain([first], held)))
        self._others, self._kept = others, kept

    def want(self, candidates: pa.RecordBatchReader) -> None:
        """Say who is to be in it: `user_id`, `identifiers`, and `rank` where there is a cap. Read when it is computed at last."""
        self._candidates = candidates

    def want_held(self, kept: pa.RecordBatchReader) -> int:
        """Say who is wanted under what they are held with: `user_id`, and `row_hash` of that; after `hold` and `want`.

        Gives how many are held with nothing of the kind, so that it is not known under what they are wanted.
        """
        self._read_all()
        self._take("kept_users", kept)
        self._run(f"insert into candidates {statement('difference/held_as_wanted')}")
        return int(
            self._run(
                "select (select count(*) from kept_users) - count(*) from kept_users semi join candidates using (user_id)"
            )[0][0]
        )

    def withdraw(self, opted_out: pa.RecordBatchReader) -> None:
        """Say who (`user_id`) has opted out since the candidates were found, and is none any more; after `want`."""
        self._read_all()
        self._take("opted_out_since", opted_out)
        self._run("delete from candidates where user_id in (select user_id from opted_out_since)")

    def cap(self, limit: int, exempt: pa.Table) -> None:
        """Keep at most `limit` candidates besides those in `exempt` (`user_id`), who are counted already."""
        self._limit = max(limit, 0)
        self._database.register("exempt", exempt)

    def expire(self, expiring: pa.Table, expired: pa.Table, *, again: bool) -> None:
        """Say whose time is up now and whose was before (`user_id`). `again`: who qualifies comes back all the same."""
        for name, users in (("expiring", expiring), ("expired", expired)):
            if users.num_rows:
                self._database.register(name, users)
        self._again = again

    def leave_out(self, opted_out: pa.RecordBatchReader) -> None:
        """Say who has opted out (`user_id`) and is not to stay even where members do, since the whole set is uploaded anew."""
        self._database.unregister("opted_out")
        self._take("opted_out", opted_out)

    def quarantine(self, refused: pa.Table) -> None:
        """Say which rows (`identifiers`) are not to be added, because Facebook refused them before."""
        if refused.num_rows:
            self._database.register("refused", refused)

    def compute(self) -> Counts:
        """Compare; `changes` can be read afterwards."""
        if self._anything_else or not (self.nobody_held or self._nobody_comes_or_goes()):
            return self._compare()
        self._all = AllBegin(self._campaign, self._spill)
        if not self._all.want(self._candidates or ()):
            return self._compare()
        found, others = self._with_kept(self._all.counts()), self._others
        if others is None:
            return found
        memberships, rows = found.memberships_after + others.memberships, found.rows_after + others.rows
        return replace(found, memberships_after=memberships, rows_after=rows)

    def _compare(self) -> Counts:
        """Compare in DuckDB."""
        self._read_all()
        self._run(
            f"create temp view eligible as {'from candidates' if self._again else statement('difference/eligible')}"
        )
        if self._limit is None:
            self._run("create temp view wanted as select user_id, identifiers from eligible")
        else:
            self._run(f"create temp table wanted as {statement('difference/capped')}", limit=self._limit)
        if self.nobody_held:
            self._all_begin()
        else:
            for table in ("differs", "begun", "ended"):
                self._run(f"create temp table {table} as {statement(f'difference/{table}')}")
        self._hold_others()
        for table in ("shared", "kept", "quarantined"):
            self._run(f"create temp table {table} as {statement(f'difference/{table}')}")
        self._run(f"create temp view changes as {statement('difference/changes')}")
        return self._with_kept(Counts(*self._run(statement("difference/counts"))[0]))

    def _with_kept(self, found: Counts) -> Counts:
        """The figures with those who are wanted and held and not looked at."""
        kept = {name: getattr(found, name) + self._kept for name in ("candidates", "targeted", "held")}
        return replace(found, **kept)

    @property
    def nobody_held(self) -> bool:
        """Whether nobody is in the audience, by anybody, and nobody comes to be on a list of those taken out; after `hold`."""
        empty = self._others is None or not self._others.memberships
        return self.compares_own and empty and self._nobody_given

    def _nobody_comes_or_goes(self) -> bool:
        """Whether those who are kept are all who are wanted, and all whom the campaign holds."""
        if not (self.compares_own and self._nobody_given and self._candidates):
            return False
        first = next(filter(len, self._candidates), None)
        if first is not None:
            self._candidates = pa.RecordBatchReader.from_batches(CANDIDATES, chain([first], self._candidates))
        return first is None

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
        return bool(self._compared.execute("select 1 from wanted where user_id = $user", {"user": user}).fetchall())

    def wanted(self) -> pa.RecordBatchReader:
        """The targets (`user_id`), those under the cap; after `compute`."""
        return self._compared.sql("select user_id from wanted").to_arrow_reader(_RECORD_BATCH_ROWS)

    def changes(self, action: str) -> Iterator[pa.RecordBatch]:
        """The memberships that hang on requests of that action (`add`, `remove`), or on none (`none`), by position.

        Those who share a row come one after the other. To be read to its end before anything else is asked.
        """
        if self._all is not None:
            yield from self._all.changes(action)
            return
        if action == "add":
            # One column in nearly all cases a user id, and two to carry, are sorted in half the time.
            query = f"select user_id, identifiers from changes where action = $wanted order by {_PLACE}"  # noqa: S608  # our own text
            same = {**ADDED, "campaign_id": self._campaign}
        else:
            query = "select * from changes where action = $wanted order by first_user, identifiers, user_id, begins"
            same = {}
        batches = self._database.sql(query, params={"wanted": action}).to_arrow_reader(_RECORD_BATCH_ROWS)
        yield from numbered(batches, same) if action != "none" else (placed(batch, None, same) for batch in batches)

    def full_set(self) -> int:
        """How many distinct rows the audience has afterwards; `lasting` can be read then."""
        self._compared.execute(f"create temp table whole as {statement('difference/full_set')}")
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
        return self._compared.sql(query).to_arrow_table()

    def assigned(self, held_out: pa.RecordBatchReader, *, added: bool) -> pa.RecordBatchReader:
        """Who is assigned to which group by this run, in the order of `user_id`: `user_id`, `arm`.

        Those whose membership begins are targets; `held_out` has the others (`user_id`, `arm`). With `added` those are left out
        whom `changes("add")` has: all of them are targets. Read it to its end before anything else is asked: two large answers
        at a time do not fit into the memory limit.
        """
        if self._all is not None:
            return self._all.assigned(held_out, added=added)
        self._database.register("held_out", held_out)
        query = statement("difference/assigned")
        return self._database.sql(query, params={"added": added}).to_arrow_reader(_RECORD_BATCH_ROWS)

    def held_otherwise(self) -> pa.Table:
        """The users (`user_id`) whom the campaign goes on to hold though they are not wanted, or under something else too."""
        if self._all is not None:
            return USERS.empty_table()
        return self._database.sql(statement("snapshot/otherwise"), params={"campaign": self._campaign}).to_arrow_table()

    def not_sent(self) -> pa.Table:
        """The targets (`user_id`) who are not added, as Facebook refused their rows before; after `compute`."""
        if self._all is not None:
            return USERS.empty_table()
        query = "select user_id from wanted where identifiers in (select identifiers from quarantined)"
        return self._database.sql(query).to_arrow_table()

    def moved_to_control(self, held_out: pa.RecordBatchReader) -> int:
        """How many of those who leave are held out now (`user_id`, `arm`); after `compute`."""
        if self._all is not None:
            return 0
        self._database.register("held_out", held_out)
        return int(self._run(statement("difference/moved_to_control"))[0][0])

    @property
    def _compared(self) -> duckdb.DuckDBPyConnection:
        """DuckDB with all of it compared, also where nothing has asked for that so far."""
        if self._all is not None:
            self._compare()
        return self._database

    def _read_all(self) -> None:
        """Read into tables who is held, and who is wanted, unless they are there."""
        if self._all is not None:
            self._candidates, self._all = self._all.rows(), None
        if self._held is not None:
            self._take("held", self._held)
        if self._candidates is not None:
            self._take("candidates", self._candidates)
        self._held = self._candidates = None

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
