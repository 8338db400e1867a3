"""`audiences report` as programs and people use it."""

from __future__ import annotations

import csv
import io
import json

import pytest
from rich.console import Console
from tests.cli import test_commands as commands
from tests.goal.conftest import CATALOG
from tests.pipeline import conftest as pipeline

from audiences.cli import goal_table
from audiences.goal.report import ArmFigures, Data, Report

pytestmark = pytest.mark.integration
sandbox_server, shop, project = pipeline.sandbox_server, pipeline.shop, pipeline.project  # fixtures
audiences = commands.audiences
GOAL = "\ngoal: {event: Charged, within: 5 days, revenue: amount}\n"
LATER = ("--at", "2026-11-30T12:00:00+00:00")


def assigned_at_noon(shop):
    """As if all runs had been at the noon of the tests: a command runs by the real clock, and `LATER` is a week after noon."""
    shop.sql("update audiences.run set as_of = %s, assigned_at = %s", pipeline.NOON, pipeline.NOON, on="ledger")


@pytest.fixture
def measured(audiences, project, shop):
    """A campaign with a goal that has run over 400 users, of whom 60 targets and 40 of the control group converted."""
    project.write("include/warehouse.yml", json.dumps(CATALOG))
    held_out = "who: {did: {event: Added To Cart}, control_group: {percent: 50}}"
    carts = pipeline.CARTS.replace("who: {did: {event: Added To Cart}}", held_out)
    project.write("campaigns/carts.yml", carts + GOAL)
    project.write("campaigns/without_goal.yml", carts.replace("Carts", "Other"))
    shop.sql("alter table events add more jsonb")
    shop.sql("insert into users (id, email) select i, 'u' || i || '@example.com' from generate_series(1, 400) i")
    shop.sql(
        "insert into events (user_id, name, occurred_at) select i, 'Added To Cart', %s from generate_series(1, 400) i",
        pipeline.NOON - pipeline.timedelta(days=1),
    )
    assert audiences("run", "carts", "--json")[0] == 0
    assigned_at_noon(shop)
    for arm, users in (("target", 60), ("campaign", 40)):
        chosen = shop.sql(
            "select user_id::bigint from audiences.assignment where arm = %s limit %s", arm, users, on="ledger"
        )
        shop.sql(
            "insert into events (user_id, name, occurred_at, amount) select u, 'Charged', %s, 10 from unnest(%s::bigint[]) u",
            pipeline.NOON + pipeline.timedelta(days=1),
            [user for (user,) in chosen],
        )
    return project


def test_a_report_for_programs_has_arms_comparisons_and_what_it_was_made_from(audiences, measured, shop):
    code, out, _ = audiences("report", "carts", *LATER, "--json")
    found = json.loads(out)
    assert code == 0
    assert [arm["arm"] for arm in found["arms"]] == ["target", "campaign"]
    assert found["arms"][0]["users"] + found["arms"][1]["users"] == 400
    assert set(found["arms"][0]) == {
        "arm", "users", "open_windows", "converters", "conversions", "rate", "revenue", "revenue_per_user",
    }  # fmt: skip
    (comparison,) = found["comparisons"]
    assert set(comparison["conversions"]) == {
        "target", "control", "difference", "low", "high", "p_value", "significant", "boost_percent",
        "incremental", "incremental_low", "incremental_high",
    }  # fmt: skip
    assert set(comparison["revenue"]) == set(comparison["conversions"])
    assert found["data"] == {
        "warehouse": "warehouse",
        "events": 100,
        "newest_event": "2026-11-24T12:00:00Z",
        "first_assigned": "2026-11-23T12:00:00Z",
        "last_assigned": "2026-11-23T12:00:00Z",
        "last_window_ends": "2026-11-28T12:00:00Z",
    }
    (kept,) = shop.sql("select report from audiences.goal_result", on="ledger")
    assert kept == (found,)


def test_a_report_for_people_has_bars_and_sentences(audiences, measured):
    code, out, _ = audiences("report", "carts", *LATER)
    assert code == 0
    assert "Charged within 5 days of assignment" in out
    assert "█" in out
    assert "95 % interval" in out
    assert "boost +" in out
    assert " % against " in out
    early = audiences("report", "carts", "--at", "2026-11-24T13:00:00+00:00")[1]
    assert "windows still open" in early
    assert "boost" not in early


@pytest.mark.parametrize("columns", [80, 100, 200])
def test_a_screen_of_80_columns_cuts_no_figure_off(columns):
    arm = {
        "users": 1_000_000, "open_windows": 0, "converters": 123_456, "conversions": 200_000, "rate": 0.123456,
        "revenue": 12_345_678.9, "revenue_per_user": 12_345.68,
    }  # fmt: skip
    arms = [ArmFigures(arm=name, **arm) for name in ("target", "campaign", "custom", "system")]
    data = dict.fromkeys(("newest_event", "first_assigned", "last_assigned", "last_window_ends"))
    note = "a note that is longer than the screen is wide, so that it has to be broken, and is broken between two of its words"
    screen = Console(width=columns, force_terminal=True, color_system=None, file=io.StringIO())
    goal_table.table(
        screen,
        Report(
            campaign="carts", as_of=pipeline.NOON, goal={"event": "Charged", "within": "5 days", "of": "launch"},
            goal_digest="", config_digest="0" * 64, data=Data(warehouse="warehouse", events=3, **data), arms=tuple(arms),
            comparisons=(), notes=(note,),
        ),
    )  # fmt: skip
    lines = screen.file.getvalue().splitlines()
    assert max(map(len, lines)) <= columns
    for figure in ("1,000,000", "123,456", "12.35 %", "12,345.68"):
        assert sum(figure in line for line in lines) == 4
    assert sum("████" in line for line in lines) == 4
    assert not any(line.endswith("…") for line in lines)
    assert " ".join(" ".join(lines).split()).count(note) == 1


def test_a_report_as_csv_has_a_line_per_group(audiences, measured):
    code, out, _ = audiences("report", "carts", *LATER, "--csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0
    assert [row["group"] for row in rows] == ["target", "campaign"]
    assert (rows[0]["converters"], rows[1]["converters"]) == ("60", "40")
    assert rows[0]["conversions_boost_percent"] == ""
    assert float(rows[1]["conversions_low"]) < float(rows[1]["conversions_difference"])
    for row in rows:
        assert json.loads(row["goal"])["within"] == "5 days"
        assert (row["warehouse"], row["events"], row["newest_event"]) == ("warehouse", "100", "2026-11-24T12:00:00Z")


def test_a_report_for_a_time_to_come_warns(audiences, measured):
    code, _, err = audiences("report", "carts", "--at", "2199-01-01")
    assert code == 0
    assert "2199-01-01T00:00+00:00 is still to come" in err


def test_all_campaigns_with_a_goal_are_reported_and_one_that_fails_is_named(audiences, measured, shop):
    code, out, _ = audiences("report", *LATER, "--json")
    found = json.loads(out)
    assert (code, [report["campaign"] for report in found["reports"]], found["failed"]) == (0, ["carts"], {})
    carts = (measured.path / "campaigns/carts.yml").read_text()
    measured.write("campaigns/wrong.yml", carts.replace("Carts", "Wrong").replace("amount", "price"))
    catalog = json.loads((measured.path / "include/warehouse.yml").read_text())
    catalog["events"]["properties"]["price"] = {"column": "no_such", "type": "number"}
    measured.write("include/warehouse.yml", json.dumps(catalog))
    assert audiences("run", "wrong")[0] == 0
    assigned_at_noon(shop)
    code, out, err = audiences("report", *LATER, "--json")
    found = json.loads(out)
    assert (code, [report["campaign"] for report in found["reports"]], list(found["failed"])) == (
        1,
        ["carts"],
        ["wrong"],
    )
    assert "no_such" in err


def test_a_campaign_without_a_goal_or_unknown_is_exit_code_1(audiences, measured):
    code, _, err = audiences("report", "without_goal")
    assert code == 1
    assert "has no goal" in err
    assert audiences("report", "cart")[0] == 1
    assert audiences("report", "carts", "--json", "--csv")[0] == 2


def test_a_campaign_that_never_ran_is_reported_in_words(audiences, measured):
    carts = (measured.path / "campaigns/carts.yml").read_text()
    measured.write("campaigns/fresh.yml", carts.replace("Carts", "Fresh"))
    code, out, _ = audiences("report", "fresh")
    assert code == 0
    assert "nobody has been assigned yet" in out
