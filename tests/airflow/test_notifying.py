"""People are told once of what needs them: by runs, failed tasks, deadlines and the upkeep, with real receivers."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from pydantic import TypeAdapter
from tests.airflow.receivers import http_server, mail_server

from audiences.airflow.campaign_dag import _deadline
from audiences.airflow.failures import NotDoneError, TaskFailed
from audiences.airflow.notifying import (
    OnFailure,
    OnOwnFailure,
    deadline_missed,
    tell_late,
    tell_of_accounts,
    tell_of_run,
)
from audiences.campaign.notify import Notify
from audiences.campaign.project import Project
from audiences.campaign.windows import Length
from audiences.errors import StoppedError
from audiences.ledger import approvals
from audiences.ledger.approvals import ApprovalState
from audiences.pipeline.preconditions.approved import NotApprovedError

pytestmark = pytest.mark.integration
TO = "crm@example.com"


@pytest.fixture
def mail(monkeypatch, shop):
    with mail_server() as server:
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", server.connection)
        for name, connection in shop.connections.items():
            fields = {key: getattr(connection, key) for key in ("host", "port", "login", "password", "schema", "extra")}
            kind = "facebook_social" if name == "facebook_main" else "postgres"
            monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps({"conn_type": kind, **fields}))
        yield server


def told(mail) -> list[str]:
    return [str(found["Subject"]) for found in mail.mails]


def telling(shop, **more):
    return shop.campaign().model_copy(update={"notify": Notify(email=(TO,), **more)})


def ran(shop, spec):
    """A run with what its last step tells."""
    summary = shop.run(spec)
    with shop.resources(spec) as resources:
        tell_of_run(resources, summary)
    return summary


def failed(spec, error, *, conf=None, task="extract"):
    context = {
        "exception": error,
        "ti": SimpleNamespace(task_id=task, log_url="http://airflow/x?a=1&b=2"),
        "dag_run": SimpleNamespace(conf=conf or {}),
    }
    OnFailure(spec)(context)


GUARD = StoppedError(guard="allow_empty", found="nobody qualifies", allow_once="Allow it once: `--allow allow_empty`.")


def test_a_failure_is_told_once_however_often_airflow_calls_back_and_its_end_once(shop, mail):
    spec = telling(shop)
    failed(spec, TaskFailed(GUARD))
    failed(spec, TaskFailed(GUARD))
    failed(spec, NotDoneError("the step that closes the run has told it"))
    assert told(mail) == [f"{spec.campaign.name} was stopped by a guard, and nothing was sent"]
    text = mail.mails[0].get_body(("html",)).get_content()
    assert "nobody qualifies" in text
    assert "--allow allow_empty" in text
    assert '<a href="http://airflow/x?a=1&amp;b=2">Open in Airflow</a>' in text
    shop.user(1, "one@example.com")
    shop.event(1)
    ran(shop, spec)
    ran(shop, spec)
    # Of one person's audience it is told as well, and once.
    assert sorted(told(mail)[1:]) == [
        f"The audience of {spec.campaign.name} has fewer than 100 people",
        f"{spec.campaign.name} is right again",
    ]
    failed(spec, TaskFailed(GUARD))
    assert len(told(mail)) == 4
    assert "one@example.com" not in str([found.as_string() for found in mail.mails])


def test_a_worker_that_was_killed_leaves_no_word_and_it_is_told_all_the_same(shop, mail):
    spec = telling(shop)
    failed(spec, None, task="add")
    failed(spec, None, task="add")
    assert told(mail) == [f"{spec.campaign.name} failed"]
    assert "the task `add` was ended from outside" in mail.mails[0].get_body(("html",)).get_content()


def test_an_error_of_others_is_told_by_its_class_and_no_text_of_it_gets_out(shop, mail):
    failed(telling(shop), ValueError("erika@example.com"))
    assert "ValueError in the task `extract`" in mail.mails[0].get_body(("html",)).get_content()
    assert "erika" not in mail.mails[0].as_string()


def test_without_a_ledger_a_failure_is_told_all_the_same(shop, mail, monkeypatch):
    spec = telling(shop)
    monkeypatch.setenv("AIRFLOW_CONN_LEDGER", json.dumps({"conn_type": "postgres", "host": "127.0.0.1", "port": 1}))
    failed(spec, TaskFailed(GUARD))
    assert len(told(mail)) == 1


def test_a_mail_server_that_refuses_fails_nothing_and_the_next_failure_tries_again(shop, mail):
    spec = telling(shop)
    mail.refuse = True
    failed(spec, TaskFailed(GUARD))
    assert undelivered(shop) == [("stopped", ["email"])]
    mail.refuse = False
    failed(spec, TaskFailed(GUARD))
    assert len(told(mail)) == 1
    assert undelivered(shop) == []


def test_who_never_heard_of_a_failure_hears_nothing_of_its_end(shop, mail):
    spec = telling(shop, about=("stopped", "recovered"))
    mail.refuse = True
    failed(spec, TaskFailed(GUARD))
    shop.user(1, "one@example.com")
    shop.event(1)
    mail.refuse = False
    ran(shop, spec)
    assert told(mail) == []


def test_who_heard_of_a_failure_hears_of_its_end_however_late_and_once(shop, mail):
    spec = telling(shop, about=("stopped", "recovered"))
    failed(spec, TaskFailed(GUARD))
    shop.user(1, "one@example.com")
    shop.event(1)
    mail.refuse = True
    ran(shop, spec)
    assert undelivered(shop) == [("recovered", ["email"])]
    mail.refuse = False
    ran(shop, spec)
    ran(shop, spec)
    assert told(mail)[1:] == [f"{spec.campaign.name} is right again"]
    assert "Over are: stopped" in mail.mails[1].get_body(("html",)).get_content()


def undelivered(shop):
    """Conditions that are still to be told, each with the ways by which nobody took it."""
    return shop.sql(
        "select condition, array(select jsonb_object_keys(undelivered)) from audiences.notice"
        " where over_at is null and (sent_at is null or undelivered <> '{}') order by id",
        on="ledger",
    )


def test_a_webhook_that_was_down_is_told_later_and_the_mail_is_not_sent_twice(shop, mail, monkeypatch):
    spec = telling(shop, webhook="ops")
    with http_server() as http:
        http.status = 500
        monkeypatch.setenv("AIRFLOW_CONN_OPS", http.connection())
        failed(spec, TaskFailed(GUARD))
        http.status = 200
        failed(spec, TaskFailed(GUARD))
        failed(spec, TaskFailed(GUARD))
        assert len(http.requests) == 2
    assert len(told(mail)) == 1


def test_of_a_dry_run_and_of_what_a_file_does_not_want_nobody_is_told(shop, mail):
    failed(telling(shop), TaskFailed(GUARD), conf={"dry_run": True})
    failed(telling(shop, about=("failed",)), TaskFailed(GUARD))
    failed(shop.campaign(), TaskFailed(GUARD))
    assert told(mail) == []


def test_a_size_that_changed_is_told_for_each_run_in_which_it_did_also_when_nobody_took_the_mail_at_first(shop, mail):
    spec = telling(shop, about=("size_changed",))
    users = iter(range(1, 100))
    for more in (4, 1, 3, 5):  # 4, 5 (+25 %), 8 (+60 %), 13 (+62 %)
        mail.refuse = more == 3
        for user in (next(users) for _ in range(more)):
            shop.user(user, f"user{user}@example.com")
            shop.event(user)
        ran(shop, spec)
    assert told(mail) == [f"The audience of {spec.campaign.name} grew by {share}" for share in ("60%", "62%")]


PROJECT = """
ad_accounts: {main: {id: act_1001, connection: facebook_main}}
notify: {email: crm@example.com, about: [token, api_version, deadline_missed]}
"""


@pytest.fixture
def project(tmp_path):
    from tests.airflow.conftest import CATALOG

    for name, text in {
        "include/warehouse.yml": CATALOG,
        "include/settings.yml": PROJECT,
        "campaigns/carts.yml": "name: Carts\nstatus: published\nwhen: now\nwho: {did: {event: Added To Cart}}\n"
        "what: {audience: {create: {name: carts}}}\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_token_that_expires_within_two_weeks_is_told_once_and_again_after_a_new_one(shop, mail, project, monkeypatch):
    def token_expires(days: int) -> None:
        connection = json.loads(os.environ["AIRFLOW_CONN_FACEBOOK_MAIN"])
        connection["extra"]["token_expires"] = str((datetime.now(UTC) + timedelta(days=days)).date())
        monkeypatch.setenv("AIRFLOW_CONN_FACEBOOK_MAIN", json.dumps(connection))
        shop.sandbox.admin.put_token(
            token=connection["extra"]["access_token"],
            expires_at=int((datetime.now(UTC) + timedelta(days=days)).timestamp()),
        )

    token_expires(13)
    assert tell_of_accounts(project) == ["Ad account act_1001: access token"]
    tell_of_accounts(project)
    assert told(mail) == ["Ad account act_1001: access token"]
    text = mail.mails[0].get_body(("html",)).get_content()
    assert "expires on" in text
    assert "Make a new token" in text
    token_expires(60)
    assert tell_of_accounts(project) == []
    token_expires(10)
    tell_of_accounts(project)
    assert len(told(mail)) == 2


def test_a_task_of_the_upkeep_that_fails_is_told_once_a_day_for_each_campaign(shop, mail, project):
    (project / "include/settings.yml").write_text(PROJECT.replace("[token, api_version, deadline_missed]", "failed"))
    for day in (1, 1, 2):
        for campaign in ("carts", "other"):
            run = SimpleNamespace(dag_id="audiences_upkeep", run_after=datetime(2026, 11, day, tzinfo=UTC), conf={})
            task = SimpleNamespace(campaign=campaign)
            OnOwnFailure(project)(
                {"exception": TaskFailed(GUARD), "ti": SimpleNamespace(task_id="expire"), "dag_run": run, "task": task}
            )
    carts, other = (f"The task expire of audiences_upkeep for {campaign} failed" for campaign in ("carts", "other"))
    assert told(mail) == [carts, other, carts, other]


@pytest.mark.parametrize(("state", "mails"), [("running", 1), ("queued", 1), ("failed", 0), ("success", 0)])
def test_a_deadline_is_told_once_and_not_of_a_run_that_had_failed_before(shop, mail, project, state, mails):
    context = {"dag_run": {"state": state, "dag_run_id": "manual__1", "conf": {}}}
    spec = Project.load_campaign(project, "carts").model_copy(
        update={"deadline": TypeAdapter(Length).validate_python("2 hours")}
    )
    passed = _deadline(spec).callback.kwargs
    assert str(project) not in repr(passed), "the triggerer may have the project elsewhere, or not at all"
    asyncio.run(deadline_missed(**passed, context=context))
    asyncio.run(deadline_missed("carts", str(project), "2 hours", context=context))  # as an earlier version passed it
    assert told(mail) == ["Carts has not ended within 2 hours"] * mails


def test_that_a_run_waits_for_an_approval_and_that_none_came_are_told_as_such(shop, mail, project):
    file = project / "campaigns/carts.yml"
    file.write_text(f"{CARTS.format(status='published').partition('notify')[0]}approval: required\n")
    settings = (project / "include/settings.yml").read_text()
    (project / "include/settings.yml").write_text(settings.replace("deadline_missed]", "deadline_missed, stopped]"))
    spec = Project.load_campaign(project, "carts")
    with shop.resources(spec) as resources, resources.working() as known:
        approvals.ask(
            resources.ledger,
            campaign=known.id,
            run=None,
            asked_in="manual__1",
            digest=spec.digest,
            shown="",
            body="",
            at=resources.now(),
            until=datetime.now(UTC) + timedelta(hours=1),
        )
    for run in ("manual__1", "manual__2"):
        context = {"dag_run": {"state": "running", "dag_run_id": run, "conf": {}}}
        asyncio.run(deadline_missed("carts", str(project), "2 hours", context=context))
    late = mail.mails[0].get_body(("html",)).get_content()
    assert "It waits for somebody to approve it, until" in late
    assert "Answer under Required Actions in the Airflow UI" in late
    error = NotApprovedError(
        guard="approval", found="nobody answered", allow_once="", question=ApprovalState.UNANSWERED
    )
    failed(spec, TaskFailed(error))
    failed(spec, TaskFailed(GUARD))
    assert told(mail) == [
        "Carts has not ended within 2 hours",
        "Carts: nobody answered in time whether it may send, and nothing was sent",
        "Carts was stopped by a guard, and nothing was sent",
    ]


CARTS = (
    "name: Carts\nstatus: {status}\nwhen: now\nwho: {{did: {{event: Added To Cart}}}}\n"
    "what: {{audience: {{create: {{name: carts}}}}}}\nnotify: {{about: [stopped, recovered]}}\n"
)


def test_the_upkeep_sends_what_could_not_be_sent_once_to_those_whom_the_files_name_by_now(shop, mail, project):
    (project / "include/settings.yml").write_text(
        PROJECT.replace("[token, api_version, deadline_missed]", "[failed, stopped]")
    )
    (project / "campaigns/carts.yml").write_text(CARTS.format(status="published"))
    spec = Project.load_campaign(project, "carts")
    run = SimpleNamespace(dag_id="audiences_upkeep", run_after=datetime(2026, 11, 29, tzinfo=UTC), conf={})
    mail.refuse = True
    failed(spec, TaskFailed(GUARD))
    OnOwnFailure(project)({"exception": TaskFailed(GUARD), "ti": SimpleNamespace(task_id="expire"), "dag_run": run})
    (project / "campaigns/carts.yml").write_text("name: [")  # whom it names is not known
    (project / "campaigns/other.yml").write_text(CARTS.format(status="published").replace("carts", "other"))
    assert tell_late(project) == 1
    (project / "campaigns/carts.yml").unlink()
    (project / "campaigns/acme").symlink_to("/nowhere/acme")  # it may be there
    assert tell_late(project) == 1
    (project / "campaigns/acme").unlink()
    mail.refuse = False
    (project / "campaigns/carts.yml").write_text(CARTS.format(status="published"))
    assert (tell_late(project), tell_late(project)) == (2, 0)
    assert told(mail) == [
        "Carts was stopped by a guard, and nothing was sent",
        "The task expire of audiences_upkeep failed",
    ]
    text = mail.mails[0].get_body(("html",)).get_content()
    assert '<a href="http://airflow/x?a=1&amp;b=2">Open in Airflow</a>' in text


@pytest.mark.parametrize(("status", "about"), [("stopped", "[stopped]"), ("published", "[failed]"), ("gone", "")])
def test_the_upkeep_sends_nothing_that_nobody_awaits_any_more(shop, mail, project, status, about):
    (project / "campaigns/other.yml").write_text(CARTS.format(status="published").replace("carts", "other"))
    (project / "campaigns/carts.yml").write_text(CARTS.format(status="published"))
    mail.refuse = True
    failed(Project.load_campaign(project, "carts"), TaskFailed(GUARD))
    mail.refuse = False
    if status == "gone":
        (project / "campaigns/carts.yml").unlink()
    else:
        file = CARTS.format(status=status).replace("[stopped, recovered]", about)
        (project / "campaigns/carts.yml").write_text(file)
    assert tell_late(project) == 0
    assert undelivered(shop) == []
    assert told(mail) == []


def test_a_campaign_that_is_named_like_an_ad_account_is_told_of_apart_from_it(shop, mail, project):
    (project / "campaigns/act_1001.yml").write_text(CARTS.format(status="published").replace("carts", "x"))
    spec = Project.load_campaign(project, "act_1001")
    failed(spec, TaskFailed(GUARD))
    tell_of_accounts(project)  # whose token is right
    failed(spec, TaskFailed(GUARD))
    assert told(mail) == ["Carts was stopped by a guard, and nothing was sent"]
