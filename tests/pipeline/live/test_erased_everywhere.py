"""A person planted in every table, text, file and sandbox record that runs touch; after the erasure all of it is searched."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from psycopg import sql
from tests.pipeline.conftest import sha256
from tests.pipeline.test_erase import ledger_text, planned, resources_of

from audiences.ledger.texts import COLUMNS
from audiences.pipeline.erase import erase

pytestmark = pytest.mark.integration
PERSON, EMAIL, PHONE = 987654321, "erika.mustermann@example.com", "+4930901820"
HASHES = (sha256(EMAIL), sha256("4930901820"))
WHO = {"did": {"event": "Added To Cart"}}
FREE = (
    "error",
    "warnings",
    "in_doubt",
    "report",
    "config",
    "still_to_do",
)  # columns for texts, and not for one word of a few


def everything(live, caplog):
    """By place, all that there is as text."""
    staged = b"".join(file.read_bytes() for file in live.shop.staging.rglob("*") if file.is_file())
    admin = live.shop.sandbox.admin
    return {
        "ledger": ledger_text(live.shop),
        "staging": staged.hex() + staged.decode("latin-1"),
        "sandbox": json.dumps([admin.state(), admin.requests()]),
        "logs": caplog.text,
    }


def named(text):
    """What of the person is in a text."""
    return [each for each in (str(PERSON), EMAIL, "erika.mustermann", "4930901820", *HASHES) if each in text.lower()]


def plant(live):
    shop = live.shop
    shop.user(PERSON, EMAIL, PHONE)
    live.event(PERSON)
    shop.user(100, EMAIL.upper())  # the same address under another id
    live.event(100)
    shop.run(shop.campaign("plain", who={**WHO, "never_hold_out": [PERSON]}), at=live.now + timedelta(hours=1))
    kept = shop.campaign(
        "kept", who=WHO, what={"keep_for": "30 days", "guards": {"max_removal": 100, "allow_empty": True}}
    )
    for days in (1, 31):
        shop.run(kept, at=live.now + timedelta(days=days))
    shop.sandbox.admin.add_fault("refuse_rows", path="*/users", values=[HASHES[0]], times=20)
    shop.run(shop.campaign("refused", who=WHO), at=live.now + timedelta(hours=1))
    shop.sandbox.admin.clear_faults()
    live.campaign("live")
    live.poll()
    live.event(PERSON)
    live.poll_and_run()
    shop.sql("insert into audiences.goal_result (campaign_id, goal_digest, config_digest, as_of, report)"
             " select id, 'x', 'y', now(), '{}' from audiences.campaign limit 1", on="ledger")  # fmt: skip
    shop.sql("insert into audiences.erasure (asked_at, done_at) values (now(), now())", on="ledger")
    with shop.resources(shop.campaign("broken off", who=WHO)) as resources:
        planned(resources, shop)
    shop.sql("update audiences.audience set busy_until = null", on="ledger")
    shop.sql("update audiences.run set state = 'failed', ended_at = now() where state = 'running'", on="ledger")
    shop.sql("update audiences.chunk set state = 'dropped' where state in ('planned', 'sending')", on="ledger")
    text = f"cannot handle {EMAIL.upper()}, {PHONE}, user {PERSON} ({HASHES[0]})"
    planted = set()
    for table, column, kind in shop.sql(COLUMNS, on="ledger"):
        if column in FREE:
            value = {"text": "%s", "jsonb": f"{column} || jsonb_build_object(%s::text, {PERSON}, 'said', %s::text)"}
            new = value.get(kind, f"{column} || %s::text")
            words = ("number", text) if kind == "jsonb" else (text,)
            statement = sql.SQL("update audiences.{} set {} = " + new).format(
                sql.Identifier(table), sql.Identifier(column)
            )
            shop.sql(statement.as_string(None), *words, on="ledger")
            planted.add((table, column))
    return planted


def test_an_erased_person_is_nowhere(live, caplog):
    caplog.set_level("DEBUG")
    planted = plant(live)
    assert planted >= {
        ("run", "config"),
        ("run", "error"),
        ("run", "warnings"),
        ("chunk", "error"),
        ("goal_result", "report"),
    }
    before = everything(live, caplog)
    assert named(before["logs"]) == [], "no log, at any time"
    for place in ("ledger", "staging", "sandbox"):
        assert named(before[place]), place
    for (table,) in live.shop.sql(
        "select distinct table_name from information_schema.columns where table_schema = 'audiences'"
        " and column_name in ('user_id', 'identifiers')",
        on="ledger",
    ):
        rows = str(live.shop.sql(f'select t::text from audiences."{table}" t', on="ledger"))
        assert named(rows), f"nobody planted the person in {table}"
    with resources_of(live.shop) as resources:
        found = erase(resources, str(PERSON), datetime.now(UTC))
    assert (found.state, found.still_to_do, set(found.left.values())) == ("done", (), {0})
    for place, text in everything(live, caplog).items():
        assert named(text) == [], place
