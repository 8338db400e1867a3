"""SIGKILL in the middle of an upload, then the same command again: Facebook, ledger and rules agree."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

import audiences

pytestmark = pytest.mark.integration
USERS = 25_000
CATALOG = """
users: {relation: users, key: id, email: email, phone: phone, opt_out: opted_out}
events: {relation: events, id: id, user: user_id, name: name, occurred_at: occurred_at}
"""
CAMPAIGN = """
name: Carts
status: published
who: {did: {event: Added To Cart}}
what: {audience: {create: {name: Carts}}, guards: {max_removal: 100}}
when: now
"""


@pytest.fixture
def command(shop, tmp_path):
    """`audiences run carts --json` as a process of its own."""
    project = tmp_path / "project"
    for name, text in {
        "campaigns/carts.yml": CAMPAIGN,
        "include/warehouse.yml": CATALOG,
        "include/settings.yml": f"ad_accounts: {{main: {{id: act_1001, connection: facebook_main}}}}\nstaging: {shop.staging}\n",
    }.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(audiences.__file__).parents[1]),
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AUDIENCES_PROJECT": str(project),
    }
    for name, connection in shop.connections.items():
        fields = {key: getattr(connection, key) for key in ("host", "port", "login", "password", "schema", "extra")}
        kind = "facebook_social" if name == "facebook_main" else "postgres"
        environment[f"AIRFLOW_CONN_{name.upper()}"] = json.dumps({"conn_type": kind, **fields})
    arguments = [sys.executable, "-m", "audiences.cli", "run", "carts", "--json"]

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(arguments, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    return start


def finish(process: subprocess.Popen[str]) -> dict:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return json.loads(out.splitlines()[-1])


def wanted(shop) -> int:
    return shop.sql("select count(distinct lower(email)) from users where id in (select user_id from events)")[0][0]


def test_a_killed_upload_ends_right_when_the_command_is_given_again(shop, command):
    shop.sql(
        "insert into users (id, email) select i, 'user' || i || '@example.com' from generate_series(1, %s) i", USERS
    )
    shop.sql("insert into events (user_id, name, occurred_at) select id, 'Added To Cart', now() from users")
    shop.sandbox.admin.settings(latency_ms=150)
    chance = random.Random(7)
    for round_number in range(3):
        sent = len(shop.uploads())
        process = command()
        stop_after = chance.randint(1, 3)
        while process.poll() is None and len(shop.uploads()) < sent + stop_after:
            time.sleep(0.02)
        time.sleep(chance.random() * 0.2)
        process.kill()
        process.communicate()
        # Meanwhile the world goes on: some leave, some change their address.
        shop.sql("delete from events where user_id %% 9 = %s", round_number)
        shop.sql("update users set email = %s || email where id %% 11 = %s", f"r{round_number}.", round_number)
    summary = finish(command())
    audience = summary["audience"]["id"]
    assert len(shop.members(audience)) == summary["audience"]["members"] == wanted(shop)
    emails = shop.sql("select email from users where id in (select user_id from events)")
    assert shop.members(audience) == {shop.row_of(email, None) for (email,) in emails}
    before = len(shop.uploads())
    assert finish(command())["requests"] == 0
    assert len(shop.uploads()) == before
