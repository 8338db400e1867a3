"""What every question to the warehouse is asked under: read-only, and with values that look the same on every server.

The settings are made inside the transaction and read back there. A pooler between us and the server drops those that come
with the connection, and hands the next transaction to another session.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from psycopg import sql

from audiences.errors import FixAccessError
from audiences.libpq import setting_again

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# What a value looks like as text must not depend on how a server, a database or a login is set up.
_ALWAYS: Final = {
    "standard_conforming_strings": "on",
    "datestyle": "ISO, MDY",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "client_encoding": "UTF8",
}
_COSTS: Final = {
    # A cursor-like COPY reads everything, so plans are to be costed for all rows.
    "cursor_tuple_fraction": "1",
    # Handing a row of a worker to its leader costs ten times as much as reading one by the server's default, which made it a
    # matter of chance whether workers were used where most users qualify. Rows here are a key and a few short values.
    "parallel_tuple_cost": "0.01",
}
"""What the planner believes where a whole answer is read; a connection's own `options` go before it."""
_READ_ONLY: Final = ("transaction_read_only", "on")
_SNAPSHOT: Final = ("transaction_isolation", "repeatable read")
SESSION: Final = "audiences"
"""The name of a session that reads for one campaign after another."""
_NAMED: Final = sql.SQL(
    "pg_catalog.set_config('application_name', CASE pg_catalog.current_setting('application_name') WHEN {} THEN {}"
    " ELSE pg_catalog.current_setting('application_name') END, true)"
)


@dataclass(eq=False)
class WarehouseSettingError(FixAccessError):
    """A setting without which the warehouse may not be asked has not come about."""

    setting: str
    wanted: str
    found: str
    place: str

    def __str__(self) -> str:
        return (
            f"the warehouse was asked for `{self.setting}` = `{self.wanted}`, and has `{self.found}` ({self.place}), so nothing "
            "was read. A pooler or proxy in between seems to change sessions inside a transaction: set it to transaction or "
            "session mode, or lead the connection straight to the server"
        )


@dataclass(frozen=True, slots=True)
class TransactionSettings:
    """Under which terms a transaction reads; `asked` are the settings of the connection's own `options`.

    Where both name a setting, ours stands, but for what the planner believes (_COSTS). A session of the name SESSION is
    called `application` for the time of the transaction; one whose connection gives it a name of its own keeps that.
    """

    timezone: str
    timeout: str
    asked: Mapping[str, str] = field(default_factory=dict)
    snapshot: bool = False
    """One state of the database for the whole transaction."""
    application: str = ""

    @property
    def first(self) -> str:
        """Makes a transaction that has just begun a read-only one."""
        return f"SET TRANSACTION {'ISOLATION LEVEL REPEATABLE READ, ' if self.snapshot else ''}READ ONLY"

    @property
    def setting(self) -> tuple[str, ...]:
        """The queries that make the settings, for this transaction only; each is one statement with rows."""
        return tuple(filter(None, (self._theirs(), self._ours())))

    @property
    def reading_back(self) -> str:
        """The query that tells what the settings are, in the order of `wanted`."""
        values = (
            sql.SQL("pg_catalog.current_setting({}) AS {}").format(sql.Literal(name), sql.Identifier(name))
            for name, _ in self.wanted
        )
        return sql.SQL("SELECT {}").format(sql.SQL(", ").join(values)).as_string()

    @property
    def wanted(self) -> tuple[tuple[str, str], ...]:
        """All that must be as it was asked for."""
        return (_READ_ONLY, *([_SNAPSHOT] if self.snapshot else []), *self._own().items())

    def ensure(self, found: Sequence[Any], *, place: str) -> None:
        """Raise WarehouseSettingError unless this is what `reading_back` should give."""
        for (setting, wanted), value in zip(self.wanted, found, strict=True):
            if str(value).lower() != wanted.lower():
                raise WarehouseSettingError(setting, wanted, str(value), place)

    def _own(self) -> dict[str, str]:
        own = {**_ALWAYS, "timezone": self.timezone, "statement_timeout": self.timeout}
        theirs = {name: value for name, value in _COSTS.items() if name not in self.asked}
        return {**own, **theirs} if self.snapshot else own

    def _ours(self) -> str:
        calls = (
            sql.SQL("pg_catalog.set_config({}, {}, true)").format(sql.Literal(name), sql.Literal(value))
            for name, value in self._own().items()
        )
        named = [_NAMED.format(sql.Literal(SESSION), sql.Literal(self.application))] if self.application else []
        return sql.SQL("SELECT {}").format(sql.SQL(", ").join([*calls, *named])).as_string()

    def _theirs(self) -> str:
        ours = {name for name, _ in self.wanted} | {"default_transaction_read_only"}
        return setting_again({name: value for name, value in self.asked.items() if name not in ours}, local=True)
