"""Who is wanted beside who is held, compared in DuckDB: both sides can be larger than memory is meant to be.

The statements are in `include/sql/difference/`; each names the tables it reads. `Difference` gives those, and has the answers.
"""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final, Protocol

from audiences.larger_than_memory import session
from audiences.sql import statement
from audiences.user_ids import USERS
from audiences.what.changes import CANDIDATES, Counts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pyarrow as pa

MOST_ASKED: Final = 50_000
"""Of so many different rows it is asked which of them others hold; of more, what others hold is looked at as a whole."""
_RECORD_BATCH_ROWS: Final = 20_000


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


class Tables:
    """The tables of one comparison, on disk where they need it, and the parameters that its statements may have."""

    def __init__(self, spill: Path, parameters: dict[str, Any]) -> None:
        self.parameters = parameters
        self._opened = ExitStack()
        self._database = self._opened.enter_context(session(spill))
        for name in ("expiring", "expired", "opted_out"):
            self.show(name, USERS.empty_table())
        self.show("refused", CANDIDATES.empty_table())

    def close(self) -> None:
        """Free memory and files."""
        self._opened.close()

    def show(self, name: str, rows: pa.Table | pa.RecordBatchReader) -> None:
        """Let statements read these rows where they are, under that name; a reader's once."""
        self._database.register(name, rows)

    def hide(self, name: str) -> None:
        """Let nobody read the rows that are shown under that name."""
        self._database.unregister(name)

    def take(self, name: str, rows: pa.RecordBatchReader) -> None:
        """Read rows into a table, which goes to disk before it goes over the memory limit."""
        self.show("given", rows)
        self.run(f"create temp table {name} as from given")
        self.hide("given")

    def run(self, query: str, **more: object) -> list[Any]:
        """Run a statement with those of the parameters that it names; its answer is small."""
        known = {**self.parameters, **more}
        used = {name: value for name, value in known.items() if re.search(rf"\${name}\b", query)}
        return self._database.execute(query, used).fetchall()

    def read(self, query: str, **parameters: object) -> pa.RecordBatchReader:
        """The answer of a query, however long; to be read to its end before anything else is asked."""
        return self._database.sql(query, params=parameters).to_arrow_reader(_RECORD_BATCH_ROWS)


def compare(
    tables: Tables, *, limit: int | None, again: bool, nobody_held: bool, others: OthersOnRecord | None
) -> Counts:
    """Find who comes and who goes, from the tables `held` and `candidates`.

    Only `limit` candidates are wanted, if that is given; with `again` also those whose time was up. `nobody_held` is known of the
    audience as a whole, and so is what `others` hold.
    """
    tables.run(f"create temp view eligible as {'from candidates' if again else statement('difference/eligible')}")
    if limit is None:
        tables.run("create temp view wanted as select user_id, identifiers from eligible")
    else:
        tables.run(f"create temp table wanted as {statement('difference/capped')}", limit=limit)
    if nobody_held:
        _all_begin(tables)
    else:
        for table in ("differs", "begun", "ended"):
            tables.run(f"create temp table {table} as {statement(f'difference/{table}')}")
    _hold_others(tables, others)
    for table in ("shared", "kept", "quarantined"):
        tables.run(f"create temp table {table} as {statement(f'difference/{table}')}")
    tables.run(f"create temp view changes as {statement('difference/changes')}")
    return Counts(*tables.run(statement("difference/counts"))[0])


def _all_begin(tables: Tables) -> None:
    """What is wanted begins, all of it, and nothing ends: views in place of tables that would repeat it twice."""
    tables.run(f"create temp view differs as {statement('difference/all_begin')}")
    begun = statement("difference/begun")
    for name, value in tables.parameters.items():  # a view takes none
        begun = begun.replace(f"${name}", f"'{value}'" if isinstance(value, str) else str(value))
    tables.run(f"create temp view begun as {begun}")
    tables.run(f"create temp table ended as {statement('difference/ended')} limit 0")


def _hold_others(tables: Tables, others: OthersOnRecord | None) -> None:
    """Hold those too who share a row with a membership that begins or ends; count those who do not."""
    tables.run("create temp table elsewhere (memberships bigint, rows bigint)")
    given = int(tables.run("select count(*) from held")[0][0])
    tables.run(f"create temp view held_as_given as from held where rowid < {given}")
    if others is None:
        return
    tables.run("insert into elsewhere values ($memberships, $rows)", memberships=others.memberships, rows=others.rows)
    query = "select identifiers from begun union select identifiers from ended limit $most"
    concerned = [row for (row,) in tables.run(query, most=MOST_ASKED + 1)]
    if concerned:
        with others.with_rows(concerned if len(concerned) <= MOST_ASKED else None) as shared:
            tables.show("given", shared)
            # Of those that are held already there may be some among them.
            tables.run(
                "insert into held select * from given anti join held using (campaign_id, user_id, identifiers, present)"
            )
            tables.hide("given")
