"""The command line as programs and people use it: exit codes, the shape of its JSON, and no traceback ever."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys

import pytest
from tests.pipeline import conftest as pipeline

from audiences.cli import main
from audiences.errors import RefusedError

pytestmark = pytest.mark.integration
sandbox_server, shop, project = pipeline.sandbox_server, pipeline.shop, pipeline.project  # fixtures
audiences = pipeline.command_line  # a fixture too
COUNTED = {
    "filtered_out", "opted_out", "no_identifier", "control_system", "control_custom", "control_campaign", "over_cap",
    "targeted", "added", "kept", "failed", "removed", "qualified",
}  # fmt: skip
AT = ("--at", "2026-11-23T12:00:00+00:00")


@pytest.fixture
def process(project):
    """Gives a command line to a process of its own."""

    def give(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "audiences.cli", *arguments],
            env={**os.environ, **project.environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return give


@pytest.fixture
def filled(shop):
    """Three users with a cart event; one of them cannot be found by anything."""
    for number, email in enumerate(["one@example.com", "two@example.com", None], start=1):
        shop.user(number, email)
        shop.event(number)
    return shop


def last_line(out: str) -> dict:
    return json.loads(out.splitlines()[-1])


def test_the_help_says_how_to_begin_and_lists_the_commands_in_order_of_use(audiences):
    code, out, _ = audiences("--help")
    said = " ".join(out.split())
    assert code == 0
    assert "Begin with audiences validate" in said
    names = (
        "validate",
        "preview",
        "explain",
        "schedule",
        "run",
        "report",
        "adopt",
        "erase",
        "preflight",
        "catalog",
        "sandbox",
    )
    places = [said.index(f"│ {name} ") for name in names]
    assert places == sorted(places)


def test_a_right_project_is_valid(audiences):
    code, out, _ = audiences("validate")
    assert code == 0
    assert "carts" in out
    assert "1 campaign is right, 0 problems found" in out
    assert last_line(audiences("validate", "--json")[1]) == {"valid": ["carts"], "problems": [], "warnings": []}


def test_a_schedule_that_never_runs_is_a_warning_wherever_its_times_are_looked_at(audiences, project, filled):
    when = "{repeat: {every: 1 week, on: mon, at: '09:00'}, start: 2026-12-01, end: 2026-12-06}"
    what = "{audience: {create: {name: Idle}}}"
    project.write(
        "campaigns/idle.yml",
        f"name: Idle\nstatus: published\nwho: {{did: {{event: Added To Cart}}}}\nwhat: {what}\nwhen: {when}\n",
    )
    why = "no time of this schedule falls between the start, `2026-12-01`, and the end, `2026-12-06`"
    code, out, _ = audiences("validate")
    assert (code, why in " ".join(out.split())) == (0, True)
    (warning,) = last_line(audiences("validate", "--json")[1])["warnings"]
    assert (warning["file"], warning["code"]) == ("campaigns/idle.yml", "never-runs")
    assert why in " ".join(last_line(audiences("preview", "idle", "--json")[1])["warnings"])
    assert why in " ".join(audiences("schedule", "idle")[1].split())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: [unclosed", "campaigns/odd.yml:2:1"),
        ("", "campaigns/odd.yml"),
        ("- a\n- list\n", "campaigns/odd.yml:1:1"),
        ("name: Odd\nstatus: publishd\n", "campaigns/odd.yml:2:9"),
        ("name: !!python/object:os.system x\n", "campaigns/odd.yml:1"),
    ],
)
def test_a_wrong_file_is_named_with_its_place_and_others_stay_right(audiences, project, text, words):
    project.write("campaigns/odd.yml", text)
    code, out, _ = audiences("validate")
    assert code == 1
    assert words in out
    found = last_line(audiences("validate", "--json")[1])
    assert found["valid"] == ["carts"]
    assert {problem["file"] for problem in found["problems"]} == {"campaigns/odd.yml"}
    assert set(found["problems"][0]) == {"file", "line", "column", "key", "code", "message"}
    assert audiences("validate", "carts")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("validate", "no_such"), "no such campaign: no_such"),
        (("run", "carts", "--allow", "everything"), "no such guard: everything"),
        (("preview", "carts", "--at", "tomorrow"), "`tomorrow` is not an ISO 8601 time"),
        (("preview", "carts", "--at", "noon"), "`2026-12-01T09:00:00+05:30`"),
        (("explain", "carts"), "--user"),
        (("schedule", "carts", "--next", "0"), "--next"),
        (("frobnicate",), "frobnicate"),
        (("--project", "/no/such/folder", "validate"), "/no/such/folder"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_says_what_is_wrong(audiences, monkeypatch, arguments, words):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERMINAL_WIDTH", "200")
    code, _, err = audiences(*arguments)
    assert code == 2
    assert words in err


def test_an_unknown_campaign_draws_the_nearest_name(audiences):
    code, _, err = audiences("preview", "cart")
    assert code == 1
    assert "did you mean `carts`?" in err
    assert "there are carts" in audiences("preview", "zzz")[2]
    found = last_line(audiences("run", "cart", "--json")[1])
    assert (found["state"], found["problems"][0]["code"]) == ("failed", "unknown-campaign")


def test_a_preview_has_the_outcomes_the_changes_and_the_sql(audiences, filled):
    code, out, _ = audiences("preview", "carts", *AT, "--sql", "--json")
    found = last_line(out)
    assert code == 0
    assert set(found["outcomes"]) == COUNTED
    assert (found["outcomes"]["qualified"], found["outcomes"]["targeted"]) == (3, 2)
    assert found["changes"] == {"add": 2, "remove": 0}
    assert filled.sql(f"select count(*) from ({found['sql'].rstrip().rstrip(';')}) q") == [(3,)]
    assert "example.com" not in out


def test_a_preview_for_people_shows_the_sql_on_request(audiences, filled):
    assert "SELECT" in audiences("preview", "carts", *AT, "--sql")[1].upper()
    code, out, _ = audiences("preview", "carts", *AT)
    assert code == 0
    assert "SELECT" not in out.upper()
    assert "nothing was written" in out


def test_a_preview_and_a_schedule_name_the_next_runs_in_the_campaigns_own_zone(audiences, filled, project):
    daily = 'when: {repeat: {every: 1 day, at: "09:00"}, timezone: Asia/Kolkata}'
    project.write("campaigns/carts.yml", re.sub(r"(?m)^when: .*$", daily, pipeline.CARTS))
    assert "  Tue 24 Nov 2026 09:00 IST\n" in audiences("preview", "carts", *AT)[1]
    assert last_line(audiences("preview", "carts", *AT, "--json")[1])["next_runs"][0] == "2026-11-24T09:00:00+05:30"
    assert audiences("schedule", "carts", *AT)[1].startswith("Tue 24 Nov 2026 09:00 IST\n")


def test_the_sql_for_people_can_be_run_as_it_was_printed(audiences, filled, project):
    name = "long  [bold]x[/] 'quoted' \\ " + "word " * 60 + "\t end"
    project.write("campaigns/carts.yml", pipeline.CARTS.replace("Added To Cart", json.dumps(name)))
    filled.sql("update events set name = %s where user_id = 1", json.loads(json.dumps(name)).strip())
    out = audiences("preview", "carts", *AT, "--sql")[1]
    printed = out[: out.index("\ncarts as of ")]
    assert len(filled.sql(printed)) == 1


def test_a_dry_run_writes_nothing_anywhere(audiences, filled):
    filled.never_migrated()
    code, out, _ = audiences("run", "carts", *AT, "--dry-run", "--json")
    found = last_line(out)
    assert code == 0
    assert (found["run"], found["state"], found["changes"]) == (None, "dry_run", {"add": 2, "remove": 0})
    assert filled.sql("select to_regnamespace('audiences')", on="ledger") == [(None,)]
    assert {entry["method"] for entry in filled.sandbox.admin.requests()} == {"GET"}
    assert not filled.staging.exists()


def test_a_run_ends_with_one_line_of_json_and_logs_elsewhere(process, filled):
    ended = process("run", "carts", "--json")
    assert ended.returncode == 0, ended.stderr
    (line,) = ended.stdout.splitlines()
    found = json.loads(line)
    assert (found["campaign"], found["state"], found["requests"]) == ("carts", "success", 1)
    assert isinstance(found["run"], int)
    assert set(found["outcomes"]) == COUNTED
    assert (found["outcomes"]["qualified"], found["outcomes"]["added"]) == (3, 2)
    assert found["audience"]["members"] == 2
    assert len(filled.members(found["audience"]["id"])) == 2
    assert "example.com" not in ended.stdout + ended.stderr


def test_a_run_that_a_guard_stops_is_exit_code_1(audiences, shop):
    code, out, _ = audiences("run", "carts", "--json")
    found = last_line(out)
    assert (code, found["state"], found["requests"]) == (1, "stopped", 0)
    assert "audiences run carts --allow allow_empty" in found["error"]
    assert audiences("run", "carts", "--allow", "allow_empty", "--json")[0] == 0


def test_of_several_campaigns_each_runs_whatever_becomes_of_the_others(audiences, filled, project):
    project.write("campaigns/more.yml", pipeline.CARTS.replace("published", "draft"))
    names = ("carts", "nowhere", "more", "carts", "carts_too")
    project.write("campaigns/carts_too.yml", pipeline.CARTS.replace("name: Carts", "name: Carts too"))
    code, out, _ = audiences("run", *names, *AT, "--allow", "past", "--json")
    found = [json.loads(line) for line in out.splitlines()]
    assert code == 1
    assert [(each["campaign"], each["state"]) for each in found] == [
        ("carts", "success"),
        ("nowhere", "failed"),
        ("more", "stopped"),
        ("carts_too", "success"),
    ]
    assert "there is no campaign `nowhere`" in found[1]["problems"][0]["message"]
    code, out, _ = audiences("run", "carts", "more", "--dry-run")
    assert code == 0
    assert out.count("would add") == 2
    assert "more error" in audiences("run", "carts", "more")[2]


def test_a_defect_of_ours_in_one_campaign_keeps_no_other_from_running(audiences, filled, project, monkeypatch, capsys):
    from audiences.pipeline import run

    real = run.run_campaign

    def defective(resources, request):
        return 1 // 0 if resources.spec.id == "carts" else real(resources, request)

    monkeypatch.setattr(run, "run_campaign", defective)
    project.write("campaigns/carts_too.yml", pipeline.CARTS.replace("name: Carts", "name: Carts too"))
    with pytest.raises(ZeroDivisionError) as raised:
        audiences("run", "carts", "carts_too", "--json")
    assert raised.value.__notes__ == ["This was raised by `carts`; the campaigns after it were run all the same."]
    assert last_line(capsys.readouterr().out)["state"] == "success"


def test_a_run_as_of_another_time_only_looks_and_sends_when_it_is_allowed_to(audiences, filled):
    for moment in (AT, ("--at", "2199-01-01")):
        code, out, _ = audiences("run", "carts", *moment, "--json")
        found = last_line(out)
        assert (code, found["state"], found["kind"]) == (1, "stopped", "StoppedError")
        assert "--allow past" in found["error"]
        assert "--dry-run" in found["error"]
        assert audiences("run", "carts", *moment, "--dry-run", "--json")[0] == 0
    assert {entry["method"] for entry in filled.sandbox.admin.requests()} == {"GET"}
    found = last_line(audiences("run", "carts", *AT, "--allow", "past", "--json")[1])
    assert (found["state"], found["outcomes"]["added"], found["at"]) == ("success", 2, "2026-11-23T12:00:00Z")
    ((since,),) = filled.sql("select now() - assigned_at from audiences.run", on="ledger")
    assert since < pipeline.timedelta(minutes=5)  # assigned now, whatever the time that was looked at


@pytest.mark.parametrize("status", ["draft", "stopped"])
def test_a_campaign_that_is_not_published_runs_only_when_it_is_allowed_to(audiences, filled, project, status):
    project.write("campaigns/carts.yml", pipeline.CARTS.replace("published", status))
    code, out, _ = audiences("run", "carts", "--json")
    found = last_line(out)
    assert (code, found["state"], found["kind"]) == (1, "stopped", "NotInForceError")
    assert "--allow status" in found["error"]
    assert filled.sandbox.admin.requests() == []
    assert audiences("run", "carts", "--dry-run", "--json")[0] == 0
    assert last_line(audiences("run", "carts", "--allow", "status", "--json")[1])["outcomes"]["added"] == 2


def test_a_guard_that_does_not_exist_draws_the_nearest_name(audiences, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERMINAL_WIDTH", "200")
    code, _, err = audiences("run", "carts", "--allow", "passt")
    said = " ".join(err.replace("│", " ").split())  # the box in which it stands breaks its lines
    assert (code, "did you mean `past`?" in said) == (2, True)
    assert "--dry-run" in audiences("run", "carts", "--dryrun")[2]


def test_an_explanation_names_the_step_that_decides(audiences, filled):
    code, out, _ = audiences("explain", "carts", "--user", "3", *AT, "--json")
    found = last_line(out)
    assert code == 0
    assert set(found) == {"campaign", "user", "known", "at", "outcome", "because", "steps", "assignment", "history"}
    assert (found["campaign"], found["user"], found["outcome"]) == ("carts", "3", "no_identifier")
    assert set(found["steps"][-1]) == {"text", "value", "passed", "depth"}


def test_a_user_whom_nobody_knows_is_exit_code_1(audiences, filled):
    code, out, _ = audiences("explain", "carts", "--user", "[bold]x[/bold]:b:", *AT)
    assert code == 1
    assert "user [bold]x[/bold]:b: in carts: unknown" in out
    assert "there is no user with this id in `users`, column `id`" in out
    assert "nor is there anything in the ledger" in out
    code, out, err = audiences("explain", "carts", "--user", "x@y.z")
    assert (code, "which no id may be; `audiences explain CAMPAIGN --email -`" in err) == (1, True)
    assert "x@y.z" not in f"{out}{err}"


def test_what_the_ledger_has_of_a_user_is_told_when_the_warehouse_has_them_no_more(audiences, filled):
    assert audiences("run", "carts", *AT, "--allow", "past")[0] == 0
    filled.sql("delete from users where id = 1")
    code, out, _ = audiences("explain", "carts", "--user", "1", *AT)
    assert code == 1
    assert "the ledger knows the user still" in out
    assert "• added in run 1 of carts" in out
    code, out, _ = audiences("explain", "carts", "--email", "One@example.com", *AT, "--json")
    found = last_line(out)
    assert (code, [(one["user"], one["known"]) for one in found["users"]]) == (0, [("1", False)])


@pytest.mark.parametrize(("option", "given"), [("--email", "One@example.com"), ("--phone", "+1 415 555 2671")])
@pytest.mark.parametrize("way", ["argument", "input", "json"])
def test_a_person_is_found_by_an_address_that_is_not_repeated(audiences, filled, monkeypatch, option, given, way):
    filled.sql("update users set phone = '+14155552671' where id = 1")
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{given}\n"))
    more = ("--json",) if way == "json" else ()
    code, out, err = audiences("--verbose", "explain", "carts", option, "-" if way != "argument" else given, *AT, *more)
    assert code == 0
    if more:
        found = last_line(out)
        assert (found["asked_by"], found["users"][0]["user"], found["more"]) == (option[2:], "1", [])
    else:
        assert "one user has this " in out
        assert "user 1 in carts: targeted" in out
    shown = (out + err).lower()
    assert not any(each in shown for each in ("one@", "555", pipeline.sha256("one@example.com")))


def test_an_address_that_nobody_has_or_can_have(audiences, filled):
    code, out, _ = audiences("explain", "carts", "--email", "nobody@example.com", *AT)
    assert code == 1
    assert "nobody has this e-mail address, neither in the warehouse nor on record" in out
    code, out, err = audiences("explain", "carts", "--email", "no address", *AT)
    assert code == 1
    assert "not an e-mail address" in err
    assert "no address" not in out + err
    assert audiences("explain", "carts", "--email", "a@example.com", "--user", "1")[0] == 2


def test_the_schedule_is_in_the_campaigns_zone(audiences, project):
    when = 'when: {timezone: Asia/Kolkata, start: 2026-12-01, repeat: {every: 1 day, at: "09:00"}}'
    project.write(
        "campaigns/daily.yml", pipeline.CARTS.replace("when: now", when).replace("name: Carts", "name: Daily")
    )
    code, out, _ = audiences("schedule", "daily", "--next", "2", *AT, "--json")
    found = last_line(out)
    assert (code, found["campaign"], found["timezone"]) == (0, "daily", "Asia/Kolkata")
    assert len(found["next"]) == 2
    assert "Tue 01 Dec 2026 09:00 IST" in audiences("schedule", "daily", *AT)[1]


def test_the_schedule_of_a_campaign_that_runs_once_says_that_it_may_have_run(audiences, project):
    out = audiences("schedule", "carts", "--next", "3", *AT)[1]
    assert out.splitlines()[1:] == ["once, if it has not run yet: `audiences runs carts` says"]


def test_the_schedule_of_a_campaign_without_times_says_what_it_waits_for(audiences, project):
    waits = "when: {on: {event: Added To Cart}, unless: {event: Charged, within: 30 minutes}}"
    live = pipeline.CARTS.replace("when: now", f"qualification: live\n{waits}").replace("name: Carts", "name: Left")
    project.write("campaigns/left.yml", live)
    code, out, _ = audiences("schedule", "left", *AT)
    assert (code, " ".join(out.split())) == (
        0,
        "left has no times of its own: it runs when a user does Added To Cart, unless Charged follows within 30 minutes",
    )


def test_normalise_answers_line_by_line(audiences, monkeypatch):
    asked = [{"field": "email", "input": " One@Example.com "}, {"field": "email", "input": "none"}]
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(map(json.dumps, asked))))
    code, out, _ = audiences("normalise")
    accepted, rejected = map(json.loads, out.splitlines())
    assert code == 0
    assert accepted == {"normalised": "one@example.com", "sha256": pipeline.sha256("one@example.com")}
    assert (rejected["normalised"], rejected["sha256"]) == (None, None)
    monkeypatch.setattr(sys, "stdin", io.StringIO("{not json\n"))
    code, out, _ = audiences("normalise")
    assert code == 1
    assert set(json.loads(out)) == {"error"}


def test_the_ledger_can_be_migrated_again(audiences, shop):
    for _ in range(2):
        code, out, _ = audiences("ledger", "migrate")
        assert code == 0
        assert "the ledger is at revision" in out
    assert shop.sql("select count(*) from audiences.run", on="ledger") == [(0,)]


@pytest.mark.parametrize("command", [("run", "carts"), ("preview", "carts"), ("explain", "carts", "--user", "1")])
def test_a_missing_connection_is_named(audiences, monkeypatch, command):
    monkeypatch.delenv("AIRFLOW_CONN_LEDGER")
    code, _, err = audiences(*command)
    assert code == 1
    assert "the Airflow connection `ledger` does not exist" in err


def test_a_process_without_the_connection_ends_with_a_message(process, project):
    del project.environment["AIRFLOW_CONN_WAREHOUSE"]
    ended = process("preview", "carts", "--json")
    found = json.loads(ended.stdout)
    assert (ended.returncode, found["state"], found["kind"]) == (1, "failed", "ConnectionMissingError")
    assert "AIRFLOW_CONN_WAREHOUSE" in found["error"]
    assert "Traceback" not in ended.stderr


def test_preflight_says_per_line_what_is_fine_and_what_a_person_must_do(audiences, shop):
    code, shown, _ = audiences("preflight", "--json")
    assert (code, json.loads(shown)["ok"], json.loads(shown)["staging"]["state"]) == (0, True, "ok")
    shop.sandbox.admin.settings(accounts={"act_1001": {"tos_accepted": False}})
    code, shown, _ = audiences("preflight")
    assert "staging" in shown
    shop.sandbox.admin.settings(accounts={"act_1001": {"tos_accepted": True}})
    assert code == 1
    assert "terms" in shown.lower()


def test_preflight_names_the_campaign_whose_hours_are_on_another_clock_than_the_ad_accounts(audiences, project, shop):
    hours = "when: {now: true, windows: [{from: '09:00', to: '18:00'}], timezone: Asia/Kolkata}"
    what = "what: {audience: {create: {name: Hours}}, ad_sets: ['23861234567890124'], schedule: campaign}"
    project.write(
        "campaigns/hours.yml", f"name: Hours\nstatus: published\nwho: {{did: {{event: Charged}}}}\n{what}\n{hours}\n"
    )
    code, shown, _ = audiences("preflight", "--json")
    (line,) = [one for one in json.loads(shown)["accounts"]["act_1001"] if one["name"] == "schedule of campaign hours"]
    assert (code, line["state"], "Asia/Kolkata" in line["found"], "when.timezone" in line["remedy"]) == (
        1,
        "fail",
        True,
        True,
    )
    code, shown, _ = audiences("preview", "hours", "--json")
    assert (code, "stopped before anything is sent" in json.loads(shown)["stopped"]) == (0, True)


def test_preflight_looks_at_every_account_and_at_every_audience_that_a_campaign_feeds(audiences, project, shop):
    given = [shop.sandbox.admin.put_audience(account="act_1001", name=f"Given {n}")["id"] for n in (1, 2)]
    for number, identifier in enumerate(given):
        what = f"what: {{audience: {{update: {{id: '{identifier}', action: add}}}}}}"
        text = f"name: Feeds {number}\nstatus: published\nwho: {{did: {{event: Charged}}}}\n{what}\nwhen: now\n"
        project.write(f"campaigns/feeds_{number}.yml", text)
    shop.sandbox.admin.put_account(id="act_2002", tos_accepted=False)
    settings = project.text("include/settings.yml").replace(
        "ad_accounts:\n", "ad_accounts:\n  second: {id: act_2002, connection: facebook_main}\n"
    )
    project.write("include/settings.yml", settings)
    shop.user(1, "one@example.com")
    shop.event(1)
    code, out, _ = audiences("run", "carts", "--json")
    created = json.loads(out.splitlines()[-1])["audience"]["id"]
    for identifier, status in ((given[0], 471), (given[1], 450), (created, 411)):
        shop.sandbox.admin.put_audience(id=identifier, operation_status=status)
    code, out, _ = audiences("preflight", "--json")
    told = json.loads(out)["accounts"]
    states = {line["name"]: line["state"] for line in told["act_1001"]}
    assert code == 1
    assert [states[f"audience {one}"] for one in (*given, created)] == ["fail", "warn", "warn"]
    assert {line["name"]: line["state"] for line in told["act_2002"]}["Custom Audience terms"] == "fail"
    assert all(line["remedy"] for lines in told.values() for line in lines if line["state"] != "ok")


def test_a_preflight_that_nobody_answers_is_not_fine(audiences, shop):
    shop.sandbox.admin.add_fault("throttle", minutes=2, times=None)
    code, out, _ = audiences("preflight", "--json")
    found = json.loads(out)
    assert (code, found["ok"]) == (1, False)
    assert "not known" in str(found)


def test_preflight_without_a_connection_or_a_ledger_says_so_in_a_line(audiences, project, monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_LEDGER")
    code, out, _ = audiences("preflight", "--json")
    lines = {line["name"]: line for line in json.loads(out)["accounts"]["act_1001"]}
    assert (code, lines["ledger"]["state"], lines["access token"]["state"]) == (1, "warn", "ok")
    monkeypatch.delenv("AIRFLOW_CONN_FACEBOOK_MAIN")
    code, out, _ = audiences("preflight", "--json")
    (line,) = json.loads(out)["accounts"]["act_1001"]
    assert (code, line["state"], "does not exist; create it" in line["found"]) == (1, "fail", True)
    project.write("include/settings.yml", "ad_accounts: {main: {id: 1001, connection: facebook_main}}")
    assert audiences("preflight")[0] == 1


def test_a_ledger_that_cannot_be_reached_is_said_in_words(audiences, project, monkeypatch):
    gone = json.loads(project.environment["AIRFLOW_CONN_LEDGER"]) | {"host": "/nowhere"}
    monkeypatch.setenv("AIRFLOW_CONN_LEDGER", json.dumps(gone))
    code, out, _ = audiences("run", "carts", "--json")
    assert (code, json.loads(out)["kind"]) == (1, "LedgerLostError")


def test_adopting_says_what_it_does_asks_and_takes_yes_from_scripts(audiences, filled, monkeypatch):
    theirs = filled.sandbox.admin.put_audience(account="act_1001", name="Carts")["id"]
    assert "`audiences adopt" not in audiences("run", "carts")[2]  # the name exists; another one is the way
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    code, out, _ = audiences("adopt", "carts")
    assert code == 1
    assert f"Audience {theirs} `Carts` in ad account act_1001" in out
    assert "the next run sends the whole set" in out
    assert audiences("adopt", "carts", "--json")[0] == 2
    code, out, _ = audiences("adopt", "carts", "--yes", "--json")
    assert (code, last_line(out)["audience"]) == (0, theirs)
    assert audiences("run", "carts")[0] == 0
    assert audiences("adopt", "carts", "--yes")[0] == 1


def test_one_request_is_one_request(audiences, filled):
    assert " in 1 request;" in audiences("preview", "carts", *AT)[1]


def test_the_name_of_a_campaign_begins_no_line_of_its_own(audiences, project):
    project.write("campaigns/carts.yml", re.sub(r"(?m)^name: .*$", r'name: "[/bold] one\\n✓ fake"', pipeline.CARTS))
    code, out, _ = audiences("validate")
    assert code == 0
    assert "[/bold] one ✓ fake" in out


def test_an_error_shows_square_brackets_as_they_are(monkeypatch, capsys):
    def refuse(_: list[str]) -> None:
        raise RefusedError(what="the mark [audiences:carts] and [/bold]")

    monkeypatch.setattr("audiences.cli.one_command.app", refuse)
    with pytest.raises(SystemExit):
        main(["preview", "carts"])
    assert "the mark [audiences:carts] and [/bold]" in capsys.readouterr().err


def test_a_ledger_that_refuses_a_statement_is_one_line_without_rows(audiences, filled, shop):
    audiences("run", "carts", *AT, "--allow", "past")
    shop.sql("alter table audiences.run rename to ran", on="ledger")
    code, _, err = audiences("run", "carts", *AT, "--allow", "past")
    assert code == 1
    assert "SQLSTATE 42P01" in err
