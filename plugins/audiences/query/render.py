"""A statement as plain text that any reader of the warehouse can run: every value quoted by the Postgres driver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import sql
from sqlalchemy.dialects.postgresql.base import PGCompiler, PGDialect, PGIdentifierPreparer

from audiences.query.keywords import KEYWORDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Select


class _Compiler(PGCompiler):
    def render_literal_value(self, value: Any, type_: Any) -> str:  # noqa: ARG002  # SQLAlchemy's signature
        # psycopg marks a text with backslashes as E'…', so that it reads the same under every server setting.
        return sql.Literal(value).as_string(None)


class _Preparer(PGIdentifierPreparer):
    reserved_words = PGIdentifierPreparer.reserved_words | KEYWORDS


class _Dialect(PGDialect):
    statement_compiler = _Compiler
    preparer = _Preparer
    supports_statement_cache = False


# Under the parameter style of psycopg every % would be doubled; there are no parameters left.
_DIALECT = _Dialect(paramstyle="named")  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it unannotated


def render(statement: Select[Any]) -> str:
    """The full SQL text of a statement, values included: what runs, and what people are shown, to the letter."""
    return str(statement.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))


def quoted(name: str) -> str:
    """A name of one part as SQL, in double quotes where it needs them."""
    return _DIALECT.identifier_preparer.quote(name)


def quoted_list(values: Iterable[str]) -> str:
    """An array of texts as a literal without a type, which Postgres reads as one of whatever type it is compared with."""
    escaped = (value.replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return sql.Literal("{" + ",".join(f'"{value}"' for value in escaped) + "}").as_string(None)
