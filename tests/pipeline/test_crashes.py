"""SIGKILL in the middle of an upload, then the same command again: Facebook, ledger and rules agree."""

from __future__ import annotations

import json
import os
import random
import time

import pytest
from tests.forked import OF_A_RUN, Command, forking

pytestmark = pytest.mark.integration
USERS = 25_000


@pytest.fixture(scope="module")
def commands(tmp_path_factory):
    with forking("audiences", os.environ, tmp_path_factory.mktemp("commands"), imports=OF_A_RUN) as made:
        yield made


@pytest.fixture
def command(commands, project):
    """`audiences run carts --json` as a process of its own, which is forked from one that has imported what it needs."""

    def start() -> Command:
        return commands.start("run", "run", "carts", "--json", environment={**os.environ, **project.environment})

    return start


@pytest.fixture
def finish(audiences):
    """The same command to its end, in this process; what it says."""

    def run() -> dict:
        code, out, err = audiences("run", "carts", "--json")
        assert code == 0, err
        return json.loads(out.splitlines()[-1])

    return run


def wanted(shop) -> int:
    return shop.sql("select count(distinct lower(email)) from users where id in (select user_id from events)")[0][0]


def test_a_killed_upload_ends_right_when_the_command_is_given_again(shop, command, finish):
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
        while process.runs and len(shop.uploads()) < sent + stop_after:
            time.sleep(0.02)
        time.sleep(chance.random() * 0.2)
        process.kill()
        # Meanwhile the world goes on: some leave, some change their address.
        shop.sql("delete from events where user_id %% 9 = %s", round_number)
        shop.sql("update users set email = %s || email where id %% 11 = %s", f"r{round_number}.", round_number)
    summary = finish()
    audience = summary["audience"]["id"]
    assert len(shop.members(audience)) == summary["audience"]["members"] == wanted(shop)
    emails = shop.sql("select email from users where id in (select user_id from events)")
    assert shop.members(audience) == {shop.row_of(email, None) for (email,) in emails}
    before = len(shop.uploads())
    assert finish()["requests"] == 0
    assert len(shop.uploads()) == before


@pytest.mark.parametrize("leave", [False, True], ids=["everybody is still wanted", "some have left"])
def test_a_kill_after_facebook_did_it_and_before_the_receipt_loses_and_keeps_nobody(shop, command, finish, leave):
    """Facebook carries the request out and holds its answer back; then the process is killed."""
    shop.sql("insert into users (id, email) select i, 'user' || i || '@example.com' from generate_series(1, 50) i")
    shop.sql("insert into events (user_id, name, occurred_at) select id, 'Added To Cart', now() from users")
    shop.sandbox.admin.add_fault("hang", path="*/users", apply=True)
    process = command()

    def at_facebook() -> list[dict]:
        return [one for one in shop.sandbox.admin.state(requests=False)["audiences"] if one["name"] == "Carts"]

    until = time.monotonic() + 120
    while not (at_facebook() and at_facebook()[0]["size"]) and time.monotonic() < until:
        time.sleep(0.05)
    process.kill()
    assert at_facebook()[0]["size"] == 50
    assert shop.sql("select count(*) from audiences.member", on="ledger") == [(0,)]
    if leave:
        shop.sql("delete from events where user_id <= 10")
    summary = finish()
    emails = shop.sql("select email from users where id in (select user_id from events)")
    assert shop.members(summary["audience"]["id"]) == {shop.row_of(email, None) for (email,) in emails}
    assert summary["audience"]["members"] == len(emails)
    assert finish()["requests"] == 0


def test_a_killed_replace_ends_right_when_the_command_is_given_again(shop, project, command, finish):
    """Killed in the first batch, between, or in the last: the session is carried through, or done again."""
    project.write(
        "campaigns/carts.yml", project.text("campaigns/carts.yml").replace("what: {", "what: {refresh: replace, ")
    )
    shop.sql(
        "insert into users (id, email) select i, 'user' || i || '@example.com' from generate_series(1, %s) i", USERS
    )
    shop.sql("insert into events (user_id, name, occurred_at) select id, 'Added To Cart', now() from users")
    shop.sandbox.admin.settings(latency_ms=150)

    def sent() -> int:
        return sum(entry["path"].endswith("/usersreplace") for entry in shop.sandbox.admin.requests())

    for round_number in range(3):
        before = sent()
        process = command()
        while process.runs and sent() < before + round_number + 1:
            time.sleep(0.02)
        process.kill()
        shop.sql("delete from events where user_id %% 9 = %s", round_number)
    summary = finish()
    audience = summary["audience"]["id"]
    emails = shop.sql("select email from users where id in (select user_id from events)")
    assert shop.members(audience) == {shop.row_of(email, None) for (email,) in emails}
    assert summary["audience"]["members"] == len(emails)
    assert summary["outcomes"]["failed"] == 0
