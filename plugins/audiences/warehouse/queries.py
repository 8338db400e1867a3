"""A saved query put before the server that is to run it: whether it can read it, what it calls, what it returns.

Nothing but Postgres reads all of Postgres's SQL, so Postgres judges; nothing of the query is carried out for it. The functions
come first: a volatile one can act where no read-only transaction holds it back (a request over the network, a lock, a sequence),
and whether a function is volatile stands in the server's own catalog. What this looks up are the functions and operators that
the text names, and one's own operators, casts and aggregates, which need no name (`IN` is `=`). Several may share one name, for
types of their own; which of them is called, the server's own reading of the query says. It does not see what views, domains
and other functions call in turn: against that, the login has no rights.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from psycopg import sql

from audiences.campaign.checks.query import COLUMN
from audiences.campaign.sql_tokens import Token, line_and_column, tokens
from audiences.campaign.wording import shown
from audiences.warehouse.catalog.reflect import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audiences.warehouse.catalog.reflect import Glance

HARMLESS: Final = (
    "array_sample",
    "array_shuffle",
    "clock_timestamp",
    "gen_random_uuid",
    "pg_is_in_recovery",
    "pg_last_xact_replay_timestamp",
    "random",
    "random_normal",
    "timeofday",
    "uuidv4",
    "uuidv7",
)
"""Volatile functions of Postgres itself that only give another value at each call."""
_CALLS: Final = re.compile(r":(?:funcid|opfuncid|aggfnoid|winfnoid)\s+(\d+)")
_LONGEST_NAME: Final = 63  # bytes; Postgres cuts off the rest
# One row without values, that the columns' names come with; of a query that is cut to no row nothing is carried out.
_BEFORE: Final = "SELECT given.* FROM (SELECT) AS one LEFT JOIN (SELECT * FROM (\n"
_AFTER: Final = "\n) AS written LIMIT 0) AS given ON true"
_PASSING: Final = ("08", "40", "53", "57")
# `kind`: f for `name(…)`, a for `value.name`, which calls a function of one argument; o for an operator, c for a cast, g for an
# aggregate, which are few (Postgres itself has none) and may be called without being named: `IN` is `=`.
_VOLATILE: Final = """
with named as (
    select * from unnest({kinds}::text[], {schemas}::text[], {names}::text[]) as n (kind, schema, name)
)
select n.kind, n.schema, n.name, p.oid, p.oid::regprocedure::text as function, s.nspname = 'pg_catalog' as own
from named n
join pg_catalog.pg_proc p on p.proname = n.name
join pg_catalog.pg_namespace s on s.oid = p.pronamespace
where n.kind in ('f', 'a') and p.provolatile = 'v' and p.prokind <> 'p'
    and not (s.nspname = 'pg_catalog' and p.proname = any ({harmless}))
    and p.prorettype not in (select oid from pg_catalog.pg_type where typtype = 'p' and typname ~ '(handler|trigger|internal)$')
    and (s.nspname = n.schema or n.schema = '' and pg_catalog.pg_function_is_visible(p.oid))
    and (n.kind = 'f' or p.pronargs > 0 and (p.pronargs - p.pronargdefaults <= 1 or p.provariadic <> 0))
union all
select 'o', '', o.oprname, p.oid, p.oid::regprocedure::text, false
from pg_catalog.pg_operator o join pg_catalog.pg_proc p on p.oid = o.oprcode
where p.provolatile = 'v'
union all
select 'c', '', 'CAST AS ' || c.casttarget::regtype::text, p.oid, p.oid::regprocedure::text, false
from pg_catalog.pg_cast c join pg_catalog.pg_proc p on p.oid = c.castfunc
where p.provolatile = 'v'
union all
select 'g', '', a.aggfnoid::regproc::text, a.aggfnoid::oid, p.oid::regprocedure::text, false
from pg_catalog.pg_aggregate a join pg_catalog.pg_proc p on p.oid in (a.aggtransfn, a.aggfinalfn)
where p.provolatile = 'v'
order by 1, 2, 3, 5
"""


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with a query, at a line and column of its text (0: as a whole)."""

    what: str
    line: int = 0
    column: int = 0


class NotJudgedError(Exception):
    """The server came to no answer; the query may be right."""


def mistake_in(query: str, glance: Glance) -> Mistake | None:
    """What keeps the text of a saved query, as `read_query` gives it, from being run; None when nothing does.

    Raises NotJudgedError.
    """
    found = tokens(query)
    named = _named(found)
    asked = f"{_BEFORE}{query}{_AFTER}"
    for row in _called(_answer(glance.ask(_asking(named))), named, asked, glance):
        place = _place(row, named)
        at = (0, 0) if place is None else line_and_column(query, place)
        return Mistake(_volatile(row.name, row.function, own=row.own), *at)
    answer = glance.ask(asked)
    if isinstance(answer, Refusal) and not _passing(answer):
        return _refused(query, found, answer)
    columns = _answer(answer)[0]._fields
    if len(columns) != 1:
        listed = ", ".join(map(shown, columns[:5])) + (", …" if len(columns) > 5 else "")
        return Mistake(f"must return exactly one column, `{COLUMN}`; found {len(columns)}: {listed}")
    if columns[0] != COLUMN:
        return Mistake(f"must call its column `{COLUMN}`; found {shown(columns[0])}")
    return None


def _called(volatile: list[Any], named: Mapping[tuple[str, str, str], int], asked: str, glance: Glance) -> list[Any]:
    """Those of the volatile functions that the query calls; where the server does not show how it reads it, that it names."""
    tree = glance.parsed(asked) if volatile else ""
    if isinstance(tree, Refusal):  # which says more, unless it would be held back once it is corrected
        return [row for row in volatile if row.own]
    if not tree:
        return [row for row in volatile if _place(row, named) is not None]
    calls = set(map(int, _CALLS.findall(tree)))
    # One function may have several names; the one that stands in the text says most.
    return sorted((row for row in volatile if row.oid in calls), key=lambda row: _place(row, named) is None)


def _place(row: Any, named: Mapping[tuple[str, str, str], int]) -> int | None:
    """Where the text names it first; None where it is called without its name."""
    places = (place for (kind, _, name), place in named.items() if (kind, name) == (row.kind, row.name))
    return next(places, None)


def _answer(answer: list[Any] | Refusal) -> list[Any]:
    if isinstance(answer, Refusal):
        raise NotJudgedError(answer.words)
    return answer


def _passing(refusal: Refusal) -> bool:
    return not refusal.sqlstate or refusal.sqlstate.startswith(_PASSING)


def _refused(query: str, found: list[Token], refusal: Refusal) -> Mistake:
    """The server's refusal at its place in the file; what is wrong with the end of the query is at its end."""
    said = f"the warehouse refuses it (SQLSTATE {refusal.sqlstate}): {refusal.words}"
    if not refusal.position:
        return Mistake(said)
    place = min(refusal.position - 1 - len(_BEFORE), len(query.rstrip()))
    at = next((query[token.start : token.end] for token in found if token.start == place), "")
    if at and shown(at) not in said:
        said += f", at {shown(at)}"
    return Mistake(said if at else f"{said}, at its end", *line_and_column(query, place))


def _volatile(name: str, function: str, *, own: bool) -> str:
    begins = (
        f"calls {shown(name)}, which is VOLATILE ({function}): it may act where no read-only transaction holds it back. "
        "Leave it out"
    )
    return begins if own else f"{begins}, or, if it only reads, declare it so: ALTER FUNCTION {function} STABLE"


def _named(found: list[Token]) -> dict[tuple[str, str, str], int]:
    """The functions and operators that a text names: kind, schema (or empty) and name, with the place of the first of each."""
    places: dict[tuple[str, str, str], int] = {}
    for number, token in enumerate(found):
        schema, called = _schema(found, number), number + 1 < len(found) and found[number + 1].text == "("
        if token.kind == "operator":
            places.setdefault(("o", schema, "<>" if token.text == "!=" else token.text), token.start)
        elif token.kind in ("word", "name") and called:
            for name in _read_as(token):
                places.setdefault(("f", schema, name), token.start)
        elif token.kind in ("word", "name") and number and found[number - 1].text == ".":
            for name in _read_as(token):
                places.setdefault(("a", "", name), token.start)
    return places


def _read_as(token: Token) -> set[str]:
    """The names that a server may take it for: one that is no UTF-8 server folds other letters than ASCII, too."""
    return {_cut(token.text), _cut(token.text.lower() if token.kind == "word" else token.text)}


def _asking(named: dict[tuple[str, str, str], int]) -> str:
    """The query for those of them that are volatile."""
    kinds, schemas, names = (sql.Literal([key[part] for key in named]) for part in range(3))
    query = sql.SQL(_VOLATILE).format(kinds=kinds, schemas=schemas, names=names, harmless=sql.Literal(list(HARMLESS)))
    return query.as_string(None)


def _schema(found: list[Token], number: int) -> str:
    """What stands before a dot before a name; empty for a name alone."""
    if number < 2 or found[number - 1].text != "." or found[number - 2].kind not in ("word", "name"):
        return ""
    return _cut(found[number - 2].text)


def _cut(name: str) -> str:
    """A name as the server cuts it."""
    return name.encode()[:_LONGEST_NAME].decode(errors="ignore")
