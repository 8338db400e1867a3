"""Whether the SQL of a saved segment is one harmless SELECT of one column `user_id`.

The run's read-only transaction and the warehouse role are what keeps a query from changing anything; this check says so
at commit time, and also refuses functions that act outside of what a transaction can hold back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlglot import exp

COLUMN = "user_id"

_ACTING = re.compile(
    r"(pg_|lo_|dblink|postgres_fdw_|txid_|adbc_).*|(query|table|cursor|schema|database)_to_xml.*|"
    r"set_config|nextval|setval|ts_stat|crosstab\w*|connectby"
)
_PLAIN_NAME = re.compile(r"\w+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Query:
    """The query without closing semicolon, or what is wrong with it at a line and column of its text (0: as a whole)."""

    sql: str
    mistake: str = ""
    line: int = 0
    column: int = 0


def read_query(text: str) -> Query:
    """Check the text of a `.sql` segment."""
    import sqlglot  # only projects with SQL segments pay for the import
    from sqlglot.errors import ParseError, SqlglotError

    try:
        tokens = sqlglot.tokenize(text, read="postgres")
        while tokens and tokens[-1].text == ";":
            text = text[: tokens.pop().start]
        if not tokens:
            return Query("", "holds no query")
        if tokens[0].text.upper() not in ("SELECT", "WITH", "("):
            return Query("", _only_select(tokens[0].text), tokens[0].line, _column(text, tokens[0].start))
        statements = sqlglot.parse(text, read="postgres")
        mistake = _several(len(statements)) if len(statements) != 1 else _mistake(statements[0])
    except ParseError as error:
        return Query("", "is not a SELECT that Postgres could read", *_place(error.errors))
    except SqlglotError:
        return Query("", "is not SQL; is a quote or a comment not closed?")
    except RecursionError:
        return Query("", "is nested too deeply")
    return Query("" if mistake else f"{text.rstrip()}\n", mistake)


def _place(errors: list[dict[str, Any]]) -> tuple[int, int]:
    """Line and column of the first error; sqlglot counts to the end of the word."""
    if not errors or not errors[0].get("line"):
        return 0, 0
    return errors[0]["line"], max(1, errors[0]["col"] - len(errors[0].get("highlight") or " ") + 1)


def _column(text: str, offset: int) -> int:
    return offset - text.rfind("\n", 0, offset)


def _only_select(found: str) -> str:
    return f"must be one SELECT (WITH is fine); found {found.upper()[:20]}"


def _several(number: int) -> str:
    return f"must be one SELECT; found {number} statements"


def _mistake(query: exp.Expr | None) -> str:
    from sqlglot import exp

    if query is None or not isinstance(query.unnest(), exp.Select | exp.SetOperation):
        return _only_select(query.key if query else "nothing")
    for node in query.walk():
        if isinstance(
            node, exp.Insert | exp.Update | exp.Delete | exp.Merge | exp.DDL | exp.Command
        ) and not isinstance(node, exp.Query):
            return f"must only read; found {node.key.upper()}"
        if isinstance(node, exp.Into):
            return "must only read; found SELECT … INTO"
        if isinstance(node, exp.Lock):
            return "must only read; found a locking clause (FOR UPDATE or FOR SHARE)"
        if isinstance(node, exp.Placeholder | exp.Parameter | exp.SessionParameter):
            return "takes no parameters; write the values out"
        if isinstance(node, exp.Anonymous | exp.AnonymousAggFunc) and (acting := _acting(node)):
            return f"must only read; the function `{acting}` is not allowed"
    return _column_mistake(query.unnest())


def _acting(function: exp.Expr) -> str:
    name = function.name.lower()
    return name[:60] if _ACTING.fullmatch(name) or not _PLAIN_NAME.fullmatch(name) else ""


def _column_mistake(query: exp.Expr) -> str:
    from sqlglot import exp

    columns = query.selects if isinstance(query, exp.Query) else []
    if any(column.is_star for column in columns):
        return f"must name its one column: SELECT … AS {COLUMN}, not *"
    if len(columns) != 1:
        return f"must return exactly one column, `{COLUMN}`; found {len(columns)} columns"
    name = columns[0].output_name
    if name != COLUMN and (name.lower() != COLUMN or _quoted(columns[0])):
        return f"must call its column `{COLUMN}`; found {f'`{name[:60]}`' if name else 'a column without a name'}"
    return ""


def _quoted(column: exp.Expr) -> bool:
    from sqlglot import exp

    named = column.args.get("alias") or column.this
    return isinstance(named, exp.Identifier) and bool(named.args.get("quoted"))
