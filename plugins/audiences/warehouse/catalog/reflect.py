"""What the warehouse's own catalog says of a relation, and short questions about its rows, for those who check or draft."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Self

import psycopg
import sqlalchemy as sa
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row
from sqlalchemy.pool import NullPool

from audiences.connecting import OPTIONS
from audiences.connections import opened
from audiences.errors import FixAccessError
from audiences.query.render import render
from audiences.query.sources import schema_and_name
from audiences.warehouse.catalog.relation import POSTGRES, Column, Relation
from audiences.warehouse.catalog.structure import Structure, questions, structure
from audiences.warehouse.driver_errors import fault
from audiences.warehouse.reader import WarehouseQueryError, as_ours
from audiences.warehouse.timeouts import QUESTION_TIMEOUT
from audiences.warehouse.transaction_settings import TransactionSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from audiences.connections import Connection


@dataclass(eq=False)
class WarehouseUnreachableError(FixAccessError):
    """No connection to the warehouse."""

    connection: str
    detail: str
    remedy: str

    def __str__(self) -> str:
        return f"the warehouse cannot be reached by the Airflow connection `{self.connection}`: {self.detail}. {self.remedy}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why Postgres did not answer: SQLSTATE, and what that means in our words, without any value of a row.

    `position`: the place in the query that it is about, from 1 on; 0 where it is about none.
    """

    sqlstate: str
    words: str
    position: int = 0

    @property
    def says_nothing_of_types(self) -> bool:
        """A right that is missing, or a question that took too long: what was asked may be right all the same."""
        return self.sqlstate in ("42501", "57014")


class Glance:
    """An open warehouse for looking only: each question is a transaction that only reads, and may take `timeout`."""

    def __init__(self, connection: Connection, *, timezone: str = "UTC", timeout: str = QUESTION_TIMEOUT) -> None:
        self._place = connection.place
        self._terms = TransactionSettings(timezone, timeout, connection.settings)

        def connect() -> psycopg.Connection:
            # A pooler in transaction mode keeps no statement that was prepared by name.
            return opened(
                lambda: psycopg.connect(connection.dsn(application="audiences:catalog"), prepare_threshold=None)
            )

        engine = sa.create_engine(
            "postgresql+psycopg://",
            creator=connect,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
        )
        try:
            self._sql = engine.connect()
            with self._reading():
                pass
        except (sa.exc.DBAPIError, psycopg.Error) as error:
            found = fault(getattr(error, "orig", None) or error)
            raise WarehouseUnreachableError(connection.id, found.words, found.remedy or OPTIONS) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._sql.close()

    def ask(
        self, query: sa.Select[*tuple[Any, ...]] | str, *, under: Mapping[str, str] | None = None
    ) -> list[Any] | Refusal:
        """The rows of a query, rendered as a run would send it, or why there are none; `under` are settings for it alone."""
        text = query if isinstance(query, str) else render(query)
        try:
            with self._reading(under):
                return self._rows(text)
        except (sa.exc.DBAPIError, psycopg.Error) as error:
            found = fault(getattr(error, "orig", None) or error, text)
            return Refusal(found.sqlstate, found.words, found.position)

    def parsed(self, query: str) -> str | Refusal:
        """How the server reads a query that gives no rows: its parse tree, which names functions by their oids; may be empty.

        The server's log gets it as well, so this is for a query about which there is a doubt.
        """
        seen: list[str] = []

        def keep(notice: psycopg.errors.Diagnostic) -> None:
            seen.append(notice.message_detail or "")

        shown_to_us = {"client_min_messages": "log", "debug_print_parse": "on", "debug_pretty_print": "off"}
        self._server.add_notice_handler(keep)
        try:
            answer = self.ask(query, under=shown_to_us)
        finally:
            self._server.remove_notice_handler(keep)
        return answer if isinstance(answer, Refusal) else "\n".join(seen)

    def _rows(self, text: str) -> list[Any]:
        # Without this option the driver would look for parameters behind every `%`.
        result = self._sql.execution_options(no_parameters=True).exec_driver_sql(text)
        return list(result.fetchall()) if result.returns_rows else []

    @contextmanager
    def _reading(self, under: Mapping[str, str] | None = None) -> Iterator[None]:
        """A transaction of its own, begun in one round trip."""
        server, terms = self._server, replace(self._terms, asked={**self._terms.asked, **(under or {})})
        begun = "; ".join(("BEGIN", terms.first, *terms.setting, terms.reading_back))
        try:
            with server.cursor(row_factory=tuple_row) as cursor:
                cursor.execute(begun.encode())
                while cursor.nextset():
                    pass
                terms.ensure(cursor.fetchone() or (), place=self._place)
            yield
        finally:
            if not server.broken and server.info.transaction_status != TransactionStatus.IDLE:
                server.execute("ROLLBACK")

    @property
    def _server(self) -> psycopg.Connection[Any]:
        """The driver's own connection, below SQLAlchemy's."""
        server = self._sql.connection.dbapi_connection
        if not isinstance(server, psycopg.Connection):
            message = f"SQLAlchemy gave a {type(server).__name__} for a connection"
            raise TypeError(message)
        return server

    def relation(self, name: str, *, references: bool = False) -> Relation | None:
        """A relation by its name in the catalog, `users` or `shop.users`; None when there is none.

        Its `refers` is empty without `references`, which few ask for and which take as long as all the rest.
        """
        with _told():
            return self._relation(name, references=references)

    def _relation(self, name: str, *, references: bool) -> Relation | None:
        schema, table = schema_and_name(name)
        inspector = sa.inspect(self._sql)
        with warnings.catch_warnings(), self._reading():
            # A type that SQLAlchemy does not know, geometry say, comes as NullType with a warning.
            warnings.simplefilter("ignore", sa.exc.SAWarning)
            try:
                columns = inspector.get_columns(table, schema=schema)
            except sa.exc.NoSuchTableError:
                return None
            keys = inspector.get_foreign_keys(table, schema=schema) if references else []
        inside = self.structure(name)
        if inside is None:
            return None
        return Relation(
            **{each.name: getattr(inside, each.name) for each in fields(inside)},
            columns={
                name: Column(name, _plain(each["type"]), virtual=name in inside.virtual, loose=name in inside.loose)
                for each in columns
                for name in [each["name"]]
            },
            refers={
                each["constrained_columns"][0]: (each["referred_table"], each["referred_columns"][0])
                for each in keys
                if len(each["constrained_columns"]) == 1
            },
        )

    def names(self) -> list[str]:
        """The names of all relations that the role can see, as the catalog would write them."""
        with _told(), self._reading():
            return self._names()

    def _names(self) -> list[str]:
        inspector = sa.inspect(self._sql)
        (default,) = self._rows("SELECT current_schema()")[0]
        found: list[str] = []
        for schema in inspector.get_schema_names():
            if schema == "information_schema" or schema.startswith("pg_"):
                continue
            tables = inspector.get_table_names(schema)
            views = [*inspector.get_view_names(schema), *inspector.get_materialized_view_names(schema)]
            prefix = "" if schema == default else f"{in_catalog(schema)}."
            found += [f"{prefix}{in_catalog(name)}" for name in (*tables, *views)]
        return found

    def structure(self, name: str) -> Structure | None:
        """The relation of that name without its columns' types, which take longer than all the rest; None when there is none."""
        full = ".".join(POSTGRES.identifier_preparer.quote_identifier(part) for part in schema_and_name(name) if part)
        found = []
        for question in questions(full):
            answer = self.ask(question)
            if isinstance(answer, Refusal):
                raise WarehouseQueryError(sqlstate=answer.sqlstate, detail=answer.words)
            found.append(answer)
        return structure(name, *found)


@contextmanager
def _told() -> Iterator[None]:
    """A driver's error in the middle of it becomes ours."""
    try:
        yield
    except (sa.exc.DBAPIError, psycopg.Error) as error:
        raise as_ours(getattr(error, "orig", None) or error) from None


def in_catalog(name: str) -> str:
    """A schema or relation as the catalog writes it: in double quotes where it holds a dot or a double quote."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"' if "." in name or '"' in name else name


def _plain(kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    """A domain's own type."""
    from sqlalchemy.dialects.postgresql import DOMAIN

    while isinstance(kind, DOMAIN):
        kind = kind.data_type
    return kind
