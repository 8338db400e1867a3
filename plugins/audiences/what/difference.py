"""The difference between who is wanted in an audience and who is held there, as requests to send and memberships to record.

What is to be compared is given here, and the answers are had from here. Where nobody is held, or nobody comes or goes, they need
no comparison (`all_begin.py`); all others are compared by DuckDB (`comparison.py`).
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from audiences.sql import statement
from audiences.user_ids import USERS
from audiences.what.all_begin import AllBegin
from audiences.what.changes import ADDED, CHANGES, Counts, numbered, placed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from audiences.campaign.what import Action
    from audiences.what.comparison import OthersOnRecord, Tables

_PLACE: Final = "if(shares, concat_ws(chr(0), first_user, hex(identifiers), user_id), user_id)"
"""As `first_user, identifiers, user_id`: no user id holds the character before all others."""


class Difference:
    """One comparison; give `held` and `wanted`, then `compute`, then read the changes.

    `anew`: who was taken out before (`remove_matching`) may be in again, and is to be taken out once more.
    """

    def __init__(self, *, campaign: int, action: Action, spill: Path, anew: bool = False) -> None:
        self._campaign, self._spill = campaign, spill
        self._parameters = {"campaign": campaign, "action": action, "anew": anew}
        self._limit: int | None = None
        self._others: OthersOnRecord | None = None
        self._kept = 0
        self._nobody_given = True
        self._held: pa.RecordBatchReader | None = None
        self._candidates: pa.RecordBatchReader | None = None
        self._hashes: Iterable[pa.Array] = ()
        self._opened: Tables | None = None
        """What is to be looked at besides candidates, once there is anything."""
        self._all: AllBegin | None = None
        """What takes the place of a comparison where nobody is held, or nobody comes or goes."""
        self._again = True
        self.revision = 0
        """The revision of the audience, in the ledger's count, that was held when it was compared."""

    @property
    def _tables(self) -> Tables:
        """Has whatever is to be compared; opened when it is first needed."""
        if self._opened is None:
            from audiences.what.comparison import Tables  # of most runs nothing is compared

            self._opened = Tables(self._spill, self._parameters)
        return self._opened

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
        if self._opened is not None:
            self._opened.close()

    def hold(self, held: pa.RecordBatchReader, *, others: OthersOnRecord | None = None, kept: int = 0) -> None:
        """Say who is in the audience now: `campaign_id`, `user_id`, `identifiers`, `present`.

        With `others` only whom the campaign itself holds; of them the comparison asks for those who share a row with somebody
        who comes or goes. That is enough for the actions `mirror` and `add`, unless the whole set is to be sent. So many users
        are `kept` besides: wanted, and held under just the same identifiers. They are among the others, and no candidates.
        """
        self._nobody_given, held = _nobody_in(held)
        if self._nobody_given:
            self._held = held
        else:
            self._tables.take("held", held)
        self._others, self._kept = others, kept

    def want(self, candidates: pa.RecordBatchReader, *, hashes: Iterable[pa.Array] = ()) -> None:
        """Say who is to be in it: `user_id`, `identifiers`, and `rank` where there is a cap. Read when it is computed at last.

        `hashes` of their identifiers, as `row_hashes` gives them, in any order, spare computing them anew; if there are more or
        fewer than candidates, they are not used.
        """
        self._candidates, self._hashes = candidates, hashes

    def want_held(self, kept: pa.RecordBatchReader) -> int:
        """Say who is wanted under what they are held with: `user_id`, and `row_hash` of that; after `hold` and `want`.

        Gives how many are held with nothing of the kind, so that it is not known under what they are wanted.
        """
        self._read_all()
        self._tables.take("kept_users", kept)
        self._tables.run(f"insert into candidates {statement('difference/held_as_wanted')}")
        return int(
            self._tables.run(
                "select (select count(*) from kept_users) - count(*) from kept_users semi join candidates using (user_id)"
            )[0][0]
        )

    def withdraw(self, opted_out: pa.RecordBatchReader) -> None:
        """Say who (`user_id`) has opted out since the candidates were found, and is none any more; after `want`."""
        self._read_all()
        self._tables.take("opted_out_since", opted_out)
        self._tables.run("delete from candidates where user_id in (select user_id from opted_out_since)")

    def cap(self, limit: int, exempt: pa.Table) -> None:
        """Keep at most `limit` candidates, none if it is negative, and those `exempt` (`user_id`), who are counted already."""
        self._limit = limit
        self._tables.show("exempt", exempt)

    def expire(self, expiring: pa.Table, expired: pa.Table, *, again: bool) -> None:
        """Say whose time is up now and whose was before (`user_id`). `again`: who qualifies comes back all the same."""
        for name, users in (("expiring", expiring), ("expired", expired)):
            if users.num_rows:
                self._tables.show(name, users)
        self._again = again

    def leave_out(self, opted_out: pa.RecordBatchReader) -> None:
        """Say who has opted out (`user_id`) and is not to stay even where members do, since the whole set is uploaded anew."""
        self._tables.hide("opted_out")
        self._tables.take("opted_out", opted_out)

    def quarantine(self, refused: pa.Table) -> None:
        """Say which rows (`identifiers`) are not to be added, because Facebook refused them before."""
        if refused.num_rows:
            self._tables.show("refused", refused)

    def compute(self) -> Counts:
        """Compare; `changes` can be read afterwards."""
        if self._opened is not None or not (self.nobody_held or self._nobody_comes_or_goes()):
            return self._compare()
        self._all = AllBegin(self._campaign, self._spill)
        if not self._all.want(self._candidates or (), self._hashes):
            return self._compare()
        found, others = self._with_kept(self._all.counts()), self._others
        if others is None:
            return found
        memberships, rows = found.memberships_after + others.memberships, found.rows_after + others.rows
        return replace(found, memberships_after=memberships, rows_after=rows)

    def _compare(self) -> Counts:
        """Compare in DuckDB."""
        from audiences.what.comparison import compare

        self._read_all()
        found = compare(
            self._tables, limit=self._limit, again=self._again, nobody_held=self.nobody_held, others=self._others
        )
        return self._with_kept(found)

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
        nobody, self._candidates = _nobody_in(self._candidates)
        return nobody

    def wants(self, user: str) -> bool:
        """Whether the user is among the targets, those under the cap; after `compute`."""
        return bool(self._compared.run("select 1 from wanted where user_id = $user", user=user))

    def wanted(self) -> pa.RecordBatchReader:
        """The targets (`user_id`), those under the cap; after `compute`."""
        return self._compared.read("select user_id from wanted")

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
        batches = self._tables.read(query, wanted=action)
        yield from numbered(batches, same) if action != "none" else (placed(batch, None, same) for batch in batches)

    def full_set(self) -> int:
        """How many distinct rows the audience has afterwards; `lasting` can be read then."""
        self._compared.run(f"create temp table whole as {statement('difference/full_set')}")
        return int(self._tables.run("select coalesce(max(position) + 1, 0) from whole")[0][0])

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
        return self._compared.read(query).read_all()

    def assigned(self, held_out: pa.RecordBatchReader, *, added: bool) -> pa.RecordBatchReader:
        """Who is assigned to which group by this run, in the order of `user_id`: `user_id`, `arm`.

        Those whose membership begins are targets; `held_out` has the others (`user_id`, `arm`). With `added` those are left out
        whom `changes("add")` has: all of them are targets. Read it to its end before anything else is asked: two large answers
        at a time do not fit into the memory limit.
        """
        if self._all is not None:
            return self._all.assigned(held_out, added=added)
        self._tables.show("held_out", held_out)
        return self._tables.read(statement("difference/assigned"), added=added)

    def held_otherwise(self) -> pa.Table:
        """The users (`user_id`) whom the campaign goes on to hold though they are not wanted, or under something else too."""
        if self._all is not None:
            return USERS.empty_table()
        return self._tables.read(statement("snapshot/otherwise"), campaign=self._campaign).read_all()

    def not_sent(self) -> pa.Table:
        """The targets (`user_id`) who are not added, as Facebook refused their rows before; after `compute`."""
        if self._all is not None:
            return USERS.empty_table()
        query = "select user_id from wanted where identifiers in (select identifiers from quarantined)"
        return self._tables.read(query).read_all()

    def moved_to_control(self, held_out: pa.RecordBatchReader) -> int:
        """How many of those who leave are held out now (`user_id`, `arm`); after `compute`."""
        if self._all is not None:
            return 0
        self._tables.show("held_out", held_out)
        return int(self._tables.run(statement("difference/moved_to_control"))[0][0])

    @property
    def _compared(self) -> Tables:
        """The tables with all of it compared, also where nothing has asked for that so far."""
        if self._all is not None:
            self._compare()
        return self._tables

    def _read_all(self) -> None:
        """Read into tables who is held, and who is wanted, unless they are there."""
        if self._all is not None:
            self._candidates, self._all = self._all.rows(), None
        if self._held is not None:
            self._tables.take("held", self._held)
        if self._candidates is not None:
            self._tables.take("candidates", self._candidates)
        self._held = self._candidates = None

    def _batches(self, query: str) -> Iterator[pa.RecordBatch]:
        for batch in self._tables.read(query):
            yield batch.cast(CHANGES)


def _nobody_in(rows: pa.RecordBatchReader) -> tuple[bool, pa.RecordBatchReader]:
    """Whether there are none, and a reader of all of them: to find out takes the first batch."""
    first = next(filter(len, rows), None)
    if first is None:  # the one that was read to its end may be closed
        return True, rows.schema.empty_table().to_reader()
    return False, pa.RecordBatchReader.from_batches(rows.schema, chain([first], rows))
