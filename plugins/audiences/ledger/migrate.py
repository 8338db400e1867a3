"""Creates and upgrades the ledger's schema; safe to run twice, and by several processes at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from audiences.errors import FixAccessError
from audiences.ledger.database import Ledger
from audiences.ledger.own_session import session

if TYPE_CHECKING:
    from audiences.connections import Connection

_MIGRATIONS = Path(__file__).parent / "migrations"
NEWEST = max(path.name.partition("_")[0] for path in (_MIGRATIONS / "versions").glob("[0-9]*_*.py"))
_LOCK = 0x_A0D1_E0CE_5000  # any constant of our own; every migrating process asks for the same one


@dataclass(eq=False)
class LedgerRevisionError(FixAccessError):
    """The ledger's tables are of another version of the product than this one."""

    found: str
    needed: str = NEWEST

    def __str__(self) -> str:
        which = f"the ledger is at revision {self.found}, and this version of the product works with {self.needed}"
        if self.found > self.needed:
            return (
                f"{which}: a newer version has migrated it. Nothing was changed. Install that version, or a newer one"
            )
        return (
            f"{which}; a look changes nothing, so it does not migrate it. Run `audiences ledger migrate` once, or let any "
            "campaign run"
        )


def ensure_newest(ledger: Ledger) -> None:
    """Raise LedgerRevisionError unless a ledger that was migrated once is at the newest revision; for read-only commands."""
    found = ledger.value(str, "select version_num from audiences.alembic_version")
    if found != NEWEST:
        raise LedgerRevisionError(found or "none")


def migrate(connection: Connection) -> str:
    """Bring the ledger to the newest revision and return that revision.

    Raises LedgerRevisionError for one that a newer version of the product has migrated.
    """
    with Ledger(connection) as ledger:
        return migrate_open(ledger)


def migrate_open(ledger: Ledger) -> str:
    """The same with a ledger that is open already; done at every start of a step, so without Alembic where nothing is to do."""
    return NEWEST if _revision(ledger) == NEWEST else _upgraded(ledger.connection)


def _revision(ledger: Ledger) -> str | None:
    """The ledger's revision; None for one that was never migrated."""
    if not ledger.holds("select to_regclass('audiences.alembic_version') is not null"):
        return None
    return ledger.value(str, "select version_num from audiences.alembic_version")


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
            found = MigrationContext.configure(
                database, opts={"version_table_schema": "audiences"}
            ).get_current_revision()
            if found and found > NEWEST:
                raise LedgerRevisionError(found)
            config.attributes["connection"] = database
            command.upgrade(config, to)
            database.commit()
            return str(database.execute(text("select version_num from audiences.alembic_version")).scalar_one())
        finally:
            database.rollback()
            database.execute(text("select pg_advisory_unlock(:lock)"), {"lock": _LOCK})
            database.commit()
