"""Creates and upgrades the ledger's schema; safe to run twice, and by several processes at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from audiences.errors import FixAccessError, RetryError
from audiences.ledger.database import Ledger
from audiences.ledger.own_session import session

if TYPE_CHECKING:
    from audiences.connections import Connection

_MIGRATIONS = Path(__file__).parent / "migrations"
NEWEST = max(path.name.partition("_")[0] for path in (_MIGRATIONS / "versions").glob("[0-9]*_*.py"))
_LOCK = 0x_A0D1_E0CE_5000  # any constant of our own; every migrating process asks for the same one


@dataclass(eq=False)
class LedgerOlderError(FixAccessError):
    """The ledger's tables are of an earlier version of the product, and who only looks does not migrate them."""

    found: str
    needed: str = NEWEST

    def __str__(self) -> str:
        return (
            f"the ledger is at revision {self.found}, and this version of the product works with {self.needed}; a look changes "
            "nothing, so it does not migrate it. Run `audiences ledger migrate` once, or let any campaign run"
        )


@dataclass(eq=False)
class LedgerNewerError(RetryError):
    """A newer version of the product has migrated the ledger. It passes: the next worker may have that version."""

    found: str
    known: str = NEWEST

    def __str__(self) -> str:
        return (
            f"the ledger is at revision {self.found}, and this version of the product knows no later one than {self.known}: a "
            "newer version has migrated it, as in the middle of an upgrade. This one writes nothing more there. Start what runs "
            "here in that version or a newer one; a task is tried again until a worker has it"
        )


def ensure_newest(ledger: Ledger) -> None:
    """Raise LedgerOlderError or LedgerNewerError unless a ledger that was migrated once is at the newest revision.

    For read-only commands.
    """
    if (found := ensure_not_newer(ledger)) != NEWEST:
        raise LedgerOlderError(found or "none")


def ensure_not_newer(ledger: Ledger) -> str | None:
    """The ledger's revision, None for one that was never migrated. Raises LedgerNewerError."""
    found = None
    if ledger.holds("select to_regclass('audiences.alembic_version') is not null"):
        found = ledger.value(str, "select version_num from audiences.alembic_version")
    return _known(found)


def migrate(connection: Connection) -> str:
    """Bring the ledger to the newest revision and return that revision. Raises LedgerNewerError."""
    with Ledger(connection) as ledger:
        return migrate_open(ledger)


def migrate_open(ledger: Ledger) -> str:
    """The same with a ledger that is open already; done at every start of a step, so without Alembic where nothing is to do."""
    return NEWEST if ensure_not_newer(ledger) == NEWEST else _upgraded(ledger.connection)


def _known(revision: str | None) -> str | None:
    if revision and revision > NEWEST:
        raise LedgerNewerError(revision)
    return revision


def _upgraded(connection: Connection, to: str = "head") -> str:
    from alembic import command
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from sqlalchemy import create_engine, text
    from sqlalchemy.pool import NullPool

    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: session(connection, application="audiences-migrate"),
        poolclass=NullPool,
    )
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with engine.connect() as database:
        database.execute(text("select pg_advisory_lock(:lock)"), {"lock": _LOCK})
        try:
            database.execute(text("create schema if not exists audiences"))
            database.commit()
            # Anew: another process may have migrated it while the lock was awaited.
            _known(
                MigrationContext.configure(database, opts={"version_table_schema": "audiences"}).get_current_revision()
            )
            config.attributes["connection"] = database
            command.upgrade(config, to)
            database.commit()
            return str(database.execute(text("select version_num from audiences.alembic_version")).scalar_one())
        finally:
            database.rollback()
            database.execute(text("select pg_advisory_unlock(:lock)"), {"lock": _LOCK})
            database.commit()
