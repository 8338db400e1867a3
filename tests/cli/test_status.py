"""`audiences status`, `runs` and `run-detail`: the same answers for people and for programs, and no value steers a terminal."""

from __future__ import annotations

import json

import pytest
from tests.pipeline import conftest as pipeline

pytestmark = pytest.mark.integration
sandbox_server, shop, project = pipeline.sandbox_server, pipeline.shop, pipeline.project  # fixtures
audiences = pipeline.command_line  # a fixture too


@pytest.fixture
def ran(shop, audiences):
    """The campaign `carts` after its first run, of three users."""
    for number in range(1, 4):
        shop.user(number, f"user{number}@example.com")
        shop.event(number)
    return json.loads(audiences("run", "carts", "--json")[1].splitlines()[-1])


def answer(audiences, *arguments):
    code, out, _ = audiences(*arguments, "--json")
    assert code == 0
    return json.loads(out.splitlines()[-1])


def test_status_shows_every_campaign_and_its_last_run(audiences, ran):
    code, out, _ = audiences("status")
    assert code == 0
    assert "✓ carts" in out
    assert "3 members: targeted 3 (added 3); qualified 3; 1 request" in out
    assert "1 to 1 of 1 campaign" in out
    (found,) = answer(audiences, "status")["campaigns"]
    assert (found["id"], found["size"], found["last_run"]["run"]) == ("carts", 3, ran["run"])


def test_status_puts_a_broken_file_first_with_its_place_and_exits_with_0(audiences, project, ran):
    project.write("campaigns/zzz.yml", "name: Odd\nstatus: publishd\n")
    code, out, _ = audiences("status")
    assert code == 0
    assert out.index("✗ zzz") < out.index("✓ carts")
    assert "campaigns/zzz.yml:" in out
    assert "`audiences validate` shows every problem" in out
    assert [each["id"] for each in answer(audiences, "status")["campaigns"]] == ["zzz", "carts"]


def test_status_is_searched_and_paged(audiences, project, ran):
    project.write("campaigns/zzz.yml", "name: [")
    found = answer(audiences, "status", "CARTS")
    assert ([each["id"] for each in found["campaigns"]], found["total"]) == (["carts"], 1)
    found = answer(audiences, "status", "--limit", "1", "--offset", "1")
    assert ([each["id"] for each in found["campaigns"]], found["total"]) == (["carts"], 2)
    assert "no campaign has these words in it" in audiences("status", "nobody")[1]
    assert audiences("status", "--limit", "0")[0] == 2


def test_runs_lists_the_history_with_the_numbers_that_run_detail_takes(audiences, ran):
    code, out, _ = audiences("runs", "carts")
    assert code == 0
    assert f"run {ran['run']} success" in out
    (found,) = answer(audiences, "runs", "carts")["runs"]
    assert found["outcomes"] == ran["outcomes"]
    detail = answer(audiences, "run-detail", str(found["run"]))
    assert detail["run"] == found
    assert detail["funnel"]["targeted"] == 3


def test_run_detail_shows_a_funnel_that_adds_up(audiences, ran):
    code, out, _ = audiences("run-detail", str(ran["run"]))
    assert code == 0
    lines = [line.split() for line in out.splitlines()]
    assert ["qualified", "3"] in lines
    assert ["over", "cap", "0", "3"] in lines
    assert ["targeted", "3"] in lines
    assert ["of", "which", "added", "3"] in lines
    assert "1 request to add, 3 rows: Facebook took it" in out


def test_what_there_is_not_is_said(audiences, ran):
    code, _, err = audiences("run-detail", "404")
    assert (code, "there is no run 404; `audiences runs CAMPAIGN`" in " ".join(err.split())) == (1, True)
    code, out, err = audiences("runs", "cart")
    said = " ".join((out + err).replace("│", " ").split())  # in a box, which breaks its lines
    assert (code, "there are carts; did you mean `carts`?" in said) == (2, True)
    assert audiences("runs")[0] == 2


def test_a_campaign_without_a_file_has_its_history_still(audiences, project, ran):
    (project.path / "campaigns/carts.yml").unlink()
    assert answer(audiences, "runs", "carts")["total"] == 1
    (found,) = answer(audiences, "status")["campaigns"]
    assert (found["status"], found["troubles"][0]["kind"]) == ("no file", "no_file")


def test_texts_on_record_steer_no_terminal(audiences, shop, ran):
    shop.sql("update audiences.run set state = 'failed', error = %s", "\x1b[2J[red]x[/] y", on="ledger")
    for command in (("status",), ("runs", "carts"), ("run-detail", str(ran["run"]))):
        out = audiences(*command)[1]
        assert "\x1b" not in out
        assert "[red]x[/] y" in out


def test_settings_that_are_wrong_are_told_with_their_place(audiences, project, ran):
    project.write("include/settings.yml", "ad_accounts: {}\n")
    code, _, err = audiences("status")
    assert (code, "include/settings.yml:1:" in err) == (1, True)
