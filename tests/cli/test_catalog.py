"""`audiences catalog` as people and programs use it."""

from __future__ import annotations

import json

import pytest
import yaml
from tests.cli import test_commands as commands
from tests.pipeline import conftest as pipeline

pytestmark = pytest.mark.integration
sandbox_server, shop, project = pipeline.sandbox_server, pipeline.shop, pipeline.project  # fixtures
audiences = commands.audiences


def test_check_names_the_place_in_the_file_and_ends_with_1_for_a_failure(audiences, project, shop):
    code, out, _ = audiences("catalog", "check")
    assert code == 0  # the little shop has no index, and needs none
    assert "! events: no index for the event scan: every rule reads all events" in out
    assert "CREATE INDEX ON events (name, occurred_at, user_id);" in out
    shop.sql("CREATE INDEX ON events (name, occurred_at, user_id)")
    assert audiences("catalog", "check")[0] == 0
    wrong = {**pipeline.CATALOG, "users": {**pipeline.CATALOG["users"], "phone": "fone"}}
    project.write("include/warehouse.yml", yaml.safe_dump(wrong))
    line = next(n for n, text in enumerate(yaml.safe_dump(wrong).splitlines(), 1) if "phone" in text)
    code, out, _ = audiences("catalog", "check", "--json")
    assert code == 1
    found = json.loads(out)
    (failed,) = [each for each in found["checks"] if each["state"] == "fail"]
    assert found["ok"] is False
    assert failed["name"] == "users.phone"
    assert failed["found"] == "`users` has no column `fone`"
    assert failed["remedy"].startswith(f"include/warehouse.yml:{line}:10: Name one of its columns")
    assert failed["remedy"].endswith("did you mean `phone`?")


def test_check_of_a_catalog_with_mistakes_says_them_as_validate_does(audiences, project):
    project.write("include/warehouse.yml", "users: {relation: users, kee: id}\n")
    code, out, err = audiences("catalog", "check")
    assert code == 1
    assert "include/warehouse.yml:1:26" in err + out
    assert "did you mean `key`?" in err + out


def test_check_without_the_warehouse_says_what_to_correct(audiences, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", '{"conn_type": "postgres", "host": "127.0.0.1", "port": 1}')
    code, _, err = audiences("catalog", "check")
    assert code == 1
    assert "the warehouse cannot be reached by the Airflow connection `warehouse`" in err


def test_init_writes_what_validate_accepts_and_never_overwrites_unasked(audiences, project, shop):
    shop.user(1, "one@example.com")
    shop.event(1)
    given = ("catalog", "init", "--users", "users", "--events", "events")
    before = (project.path / "include/warehouse.yml").read_text()
    code, _, err = audiences(*given)
    assert code == 1
    assert "include/warehouse.yml is there already and was left as it is; --force replaces it" in err
    assert (project.path / "include/warehouse.yml").read_text() == before
    code, out, _ = audiences(*given, "--force")
    assert code == 0
    assert "replaced include/warehouse.yml" in out
    assert audiences("validate")[0] == 0
    (project.path / "include/warehouse.yml").unlink()
    (project.path / "include/settings.yml").rename(project.path / "settings.yml")
    assert json.loads(audiences(*given, "--json")[1]) == {"written": "include/warehouse.yml", "replaced": False}
    assert audiences("catalog", "init", "--users", "users", "--to", "include/other.yml")[0] == 0
    assert (project.path / "include/other.yml").exists()


@pytest.mark.parametrize(("users", "words"), [("user", "did you mean `users`?"), ('"x"."y"', "no table or view")])
def test_init_of_a_table_that_is_not_there(audiences, users, words):
    code, _, err = audiences("catalog", "init", "--users", users, "--to", "include/other.yml")
    assert code == 1
    assert words in err


def test_a_draft_that_lacks_something_is_written_and_says_so(audiences, project, shop):
    shop.sql("CREATE TABLE bare (id int PRIMARY KEY)")
    code, out, err = audiences("catalog", "init", "--users", "bare", "--to", "include/other.yml")
    assert code == 1
    assert "maps neither `email` nor `phone`" in out + err
    assert (project.path / "include/other.yml").exists()


def test_recorded_names_and_values_are_what_validate_holds_campaigns_to(audiences, project, shop):
    for number in range(10):
        shop.user(number, f"{number}@example.com", tier="Gold" if number % 2 else "Silver")
        shop.event(number, "purchase")
    project.write("campaigns/odd.yml", ODD)
    code, out, _ = audiences("catalog", "check")
    assert code == 0
    assert "✓ users.properties.tier: `tier` text: `Gold`, `Silver`" in out
    assert "✓ events.name: `name` text: `purchase`" in out
    assert "--record adds, so that `validate` knows them: users.properties.tier.values, events.names" in out
    assert audiences("validate", "odd")[0] == 0
    assert "added: users.properties.tier.values, events.names" in audiences("catalog", "check", "--record")[1]
    assert json.loads(audiences("catalog", "check", "--record", "--json")[1])["recorded"] == []
    code, out, _ = audiences("validate", "odd")
    assert code == 1
    assert "unknown event `Purchase`; did you mean `purchase`?" in out
    assert "`gold` is not a value of `tier`; allowed: Gold, Silver; did you mean `Gold`?" in out
    assert "example.com" not in project.text("include/warehouse.yml")


def test_a_draft_holds_campaigns_to_what_it_saw(audiences, project, shop):
    for number in range(10):
        shop.user(number, f"{number}@example.com", tier="Gold")
        shop.event(number, "purchase")
    project.write("campaigns/odd.yml", ODD)
    assert audiences("catalog", "init", "--users", "users", "--events", "events", "--force")[0] == 0
    assert "names: [purchase]" in project.text("include/warehouse.yml")
    assert "unknown event `Purchase`; did you mean `purchase`?" in audiences("validate", "odd")[1]


ODD = """
name: Odd
who: {did: {event: Purchase}, with_properties: {tier: gold}}
what: {audience: {create: {name: Odd}}}
when: now
"""
