"""Creates and upgrades the ledger's schema; safe to run twice, and by several processes at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from audiences.connections import opened

if TYPE_CHECKING:
    from audiences.connections import Connection

_LOCK = 0x_A0D1_E0CE_5000  # any constant of our own; every migrating process asks for the same one


def migrate(connection: Connection) -> str:
    """Bring the ledger to the newest revision and return that revision."""
    from psycopg import connect

    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: opened(lambda: connect(connection.dsn(application="audiences-migrate"))),
        poolclass=NullPool,
    )
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.connect() as database:
        database.execute(text("select pg_advisory_lock(:lock)"), {"lock": _LOCK})
        try:
            database.execute(text("create schema if not exists audiences"))
            database.commit()
            config.attributes["connection"] = database
            command.upgrade(config, "head")
            database.commit()
            return str(database.execute(text("select version_num from audiences.alembic_version")).scalar_one())
        finally:
            database.rollback()
            database.execute(text("select pg_advisory_unlock(:lock)"), {"lock": _LOCK})
            database.commit()
