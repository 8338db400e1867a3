"""`audiences run` of a live campaign: one look, and what is due is exported; without Airflow."""

from __future__ import annotations

import json

import pytest
from tests.cli import test_commands as commands

sandbox_server, shop, project, audiences = commands.sandbox_server, commands.shop, commands.project, commands.audiences

pytestmark = pytest.mark.integration
LIVE = """
name: Live
status: published
qualification: live
who: {control_group: {system: false}}
what: {audience: {create: {name: Live}}, keep_for: 30 days}
when: {on: {event: Added To Cart}}
"""


def test_a_live_campaign_exports_what_is_due_and_says_so_when_there_is_nothing(audiences, project, shop):
    project.write("campaigns/live.yml", LIVE)
    shop.user(1, "one@example.com")
    shop.sql("insert into events (user_id, name, occurred_at) values (1, 'Added To Cart', now())")
    code, out, _ = audiences("run", "live", "--json")
    first = json.loads(out.splitlines()[-1])
    assert (code, first["state"], first["outcomes"]["added"]) == (0, "success", 1)
    assert first["batch"]["decided"] == {"exported": 1}
    code, out, _ = audiences("run", "live", "--json")
    second = json.loads(out.splitlines()[-1])
    assert (code, second["run"], second["state"], second["requests"]) == (0, None, "success", 0)
    assert (second["events"], second["audience"]["members"]) == ({"exported": 1}, 1)
    assert audiences("run", "live", "--full-refresh")[0] == 2
