"""What migrations make of what an earlier version has put on record, beside the tables themselves.

The ledger under dumps/ is that of revision 0010; revision_0010.json beside it says what Facebook held then.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from tests.backups import restore

from audiences.connections import Connection
from audiences.ledger import notices, run_records
from audiences.ledger.database import Ledger
from audiences.ledger.migrate import _upgraded, migrate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audiences.demo.postgres import Postgres

pytestmark = pytest.mark.integration
DUMPS = Path(__file__).parent / "dumps"
OLD_NOTICES = """
insert into audiences.notice (subject, condition, what, title, reason, remedy, raised_at, claimed_at, sent_at) values
    ('carts', 'failed', '', 't', 'r', 'm', now(), now(), null),
    ('act_1001', 'token', '', 't', 'r', 'm', now(), now(), now()),
    ('act_1001', 'stopped', '', 't', 'r', 'm', now(), now(), now()),
    ('audiences_upkeep', 'failed', 'expire carts 2026-11-29', 't', 'r', 'm', now(), now(), now());
"""


@pytest.fixture(scope="module")
def upgraded(postgres: Postgres) -> Iterator[Ledger]:
    """The ledger of then, in which a run had found new identifiers; with notices of revision 0014; brought to the newest."""
    uri = postgres.uri("ledger_0010")
    postgres.create_database("ledger_0010")
    place = {"host": str(postgres.socket_directory), "port": postgres.port, "schema": "ledger_0010"}
    connection = Connection("ledger", login="postgres", **place)
    restore(uri, (DUMPS / "revision_0010.sql").read_bytes())
    with psycopg.connect(uri) as database:
        database.execute(
            """update audiences.run set planned = planned || '{"rekeyed": 3}' where external_id = 'run4'"""
        )
    _upgraded(connection, "0014")
    with psycopg.connect(uri) as database:
        database.execute(OLD_NOTICES)
    migrate(connection)
    with Ledger(connection) as ledger:
        yield ledger


def test_the_last_run_of_each_campaign_knows_the_size_of_its_audience_and_no_earlier_one_does(upgraded: Ledger) -> None:
    at_facebook = {
        one["id"]: len(one["members"]) for one in json.loads((DUMPS / "revision_0010.json").read_text())["audiences"]
    }
    for campaign in ("kept", "carts", "one", "two", "weekly", "live"):
        last, *earlier = run_records.of_campaign(upgraded, campaign)
        assert last.size == at_facebook[last.facebook_id or ""], campaign
        assert [run.size for run in earlier] == [None] * len(earlier)


def test_a_run_that_has_not_ended_has_no_size_and_the_last_one_that_has_ended_has(upgraded: Ledger) -> None:
    under_way, last, *_ = run_records.of_campaign(upgraded, "odd")
    assert (under_way.ended_at, under_way.size) == (None, None)
    assert last.ended_at is not None
    assert last.size is not None


def test_who_had_new_identifiers_was_counted_by_the_plan(upgraded: Ledger) -> None:
    assert {run.external_id: run.rekeyed for run in run_records.of_campaign(upgraded, "carts")} == {
        "run4": 3,
        "run3": 0,
    }


def test_notices_of_before_are_told_apart_by_kind(upgraded: Ledger) -> None:
    kinds = {(each.subject, each.condition): each.kind for each in notices.open_ones(upgraded)}
    assert kinds == {
        ("carts", "failed"): "campaign",
        ("act_1001", "token"): "ad_account",
        ("act_1001", "stopped"): "campaign",
    }
    assert notices.waiting(upgraded)[0].subject == "carts"  # which nobody had taken
    assert upgraded.values(str, "select subject from audiences.notice where kind = 'dag'") == ["audiences_upkeep"]
