from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from audiences.ledger.database import Ledger
from audiences.ledger.migrate import _LOCK as LOCK
from audiences.ledger.migrate import NEWEST, LedgerNewerError, LedgerOlderError, ensure_newest, migrate

pytestmark = pytest.mark.integration


def at_revision(connection, revision: str) -> None:
    """Leave the ledger as if that version of the product had migrated it last."""
    with Ledger(connection) as ledger:
        ledger.sql.execute("update audiences.alembic_version set version_num = %s", (revision,))


@pytest.fixture
def connection(new_database):
    made = new_database("ledger")
    migrate(made)
    return made


def test_a_look_at_the_ledger_of_an_earlier_version_says_how_to_migrate_it(connection):
    at_revision(connection, "0004")
    with Ledger(connection) as ledger, pytest.raises(LedgerOlderError, match=r"0004.*audiences ledger migrate"):
        ensure_newest(ledger)


def test_a_ledger_at_the_newest_revision_is_looked_at(connection):
    with Ledger(connection) as ledger:
        ensure_newest(ledger)


def test_a_ledger_that_a_newer_version_migrated_is_left_alone(connection):
    at_revision(connection, "9001")
    with pytest.raises(LedgerNewerError, match=rf"9001.*{NEWEST}.*newer version has migrated it"):
        migrate(connection)
    with Ledger(connection) as ledger, pytest.raises(LedgerNewerError):
        ensure_newest(ledger)


def test_a_ledger_that_a_newer_version_migrates_while_this_one_waits_for_its_turn_is_left_alone(connection):
    with Ledger(connection) as newer:
        at_revision(connection, "0004")
        newer.sql.execute("select pg_advisory_lock(%s)", (LOCK,))
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(migrate, connection)
            while not newer.holds("select exists (select 1 from pg_locks where locktype = 'advisory' and not granted)"):
                assert not waiting.done()
            at_revision(connection, "9001")
            newer.sql.execute("select pg_advisory_unlock(%s)", (LOCK,))
            with pytest.raises(LedgerNewerError, match="9001"):
                waiting.result(30)
