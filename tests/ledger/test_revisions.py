from __future__ import annotations

import pickle

import pytest

from audiences.ledger.database import Ledger
from audiences.ledger.migrate import NEWEST, LedgerRevisionError, ensure_newest, migrate

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
    with Ledger(connection) as ledger, pytest.raises(LedgerRevisionError, match=r"0004.*audiences ledger migrate"):
        ensure_newest(ledger)


def test_a_ledger_at_the_newest_revision_is_looked_at(connection):
    with Ledger(connection) as ledger:
        ensure_newest(ledger)


def test_a_ledger_that_a_newer_version_migrated_is_left_alone(connection):
    at_revision(connection, "9001")
    with pytest.raises(
        LedgerRevisionError, match=rf"9001.*{NEWEST}.*newer version has migrated it. Nothing was changed"
    ):
        migrate(connection)


def test_the_error_travels_to_other_processes():
    assert str(pickle.loads(pickle.dumps(LedgerRevisionError("0004")))) == str(LedgerRevisionError("0004"))
