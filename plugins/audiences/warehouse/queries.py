"""A saved query put before the server that is to run it: whether it can read it, what it calls, what it returns.

Nothing but Postgres reads all of Postgres's SQL, so Postgres judges; nothing of the query is carried out for it. The functions
come first: a volatile one can act where no read-only transaction holds it back (a request over the network, a lock, a sequence),
and whether a function is volatile stands in the server's own catalog. What this looks up are the functions and operators that
the text names. It does not see what views, casts, and other functions call in turn: against that, the login has no rights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from psycopg import sql

from audiences.campaign.checks.query import COLUMN
from audiences.campaign.sql_tokens import Token, line_and_column, tokens
from audiences.campaign.wording import shown
from audiences.warehouse.reflect import Refusal

if TYPE_CHECKING:
    from audiences.warehouse.reflect import Glance

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
_LONGEST_NAME: Final = 63  # bytes; Postgres cuts off the rest
# One row without values, that the columns' names come with; of a query that is cut to no row nothing is carried out.
_BEFORE: Final = "SELECT given.* FROM (SELECT) AS one LEFT JOIN (SELECT * FROM (\n"
_AFTER: Final = "\n) AS written LIMIT 0) AS given ON true"
_PASSING: Final = ("08", "40", "53", "57")
# `kind`: f for `name(…)`, a for `value.name`, which calls a function of a row type, o for an operator.
_VOLATILE: Final = """
with named as (
    select * from unnest({kinds}::text[], {schemas}::text[], {names}::text[]) as n (kind, schema, name)
)
select n.kind, n.schema, n.name, p.oid::regprocedure::text as function, s.nspname = 'pg_catalog' as own
from named n
join pg_catalog.pg_proc p on p.proname = n.name
join pg_catalog.pg_namespace s on s.oid = p.pronamespace
where n.kind in ('f', 'a') and p.provolatile = 'v' and p.prokind <> 'p'
    and not (s.nspname = 'pg_catalog' and p.proname = any ({harmless}))
    and p.prorettype not in (select oid from pg_catalog.pg_type where typtype = 'p' and typname ~ '(handler|trigger|internal)$')
    and (s.nspname = n.schema or n.schema = '' and pg_catalog.pg_function_is_visible(p.oid))
    and (n.kind = 'f' or p.pronargs = 1 and exists (
        select from pg_catalog.pg_type t where t.oid = p.proargtypes[0] and t.typtype = 'c'
    ))
union all
select n.kind, n.schema, n.name, p.oid::regprocedure::text, false
from named n
join pg_catalog.pg_operator o on o.oprname = n.name
join pg_catalog.pg_namespace s on s.oid = o.oprnamespace
join pg_catalog.pg_proc p on p.oid = o.oprcode
where n.kind = 'o' and p.provolatile = 'v'
    and (s.nspname = n.schema or n.schema = '' and pg_catalog.pg_operator_is_visible(o.oid))
order by 1, 2, 3, 4
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
    for row in _answer(glance.ask(_asking(named))):
        place = named[row.kind, row.schema, row.name]
        return Mistake(_volatile(row.name, row.function, own=row.own), *line_and_column(query, place))
    answer = glance.ask(f"{_BEFORE}{query}{_AFTER}")
    if isinstance(answer, Refusal) and not _passing(answer):
        return _refused(query, found, answer)
    columns = _answer(answer)[0]._fields
    if len(columns) != 1:
        listed = ", ".join(map(shown, columns[:5])) + (", …" if len(columns) > 5 else "")
        return Mistake(f"must return exactly one column, `{COLUMN}`; found {len(columns)}: {listed}")
    if columns[0] != COLUMN:
        return Mistake(f"must call its column `{COLUMN}`; found {shown(columns[0])}")
    return None


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
            places.setdefault(("o", schema, token.text), token.start)
        elif token.kind in ("word", "name") and called:
            places.setdefault(("f", schema, _cut(token.text)), token.start)
        elif token.kind in ("word", "name") and number and found[number - 1].text == ".":
            places.setdefault(("a", "", _cut(token.text)), token.start)
    return places


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
