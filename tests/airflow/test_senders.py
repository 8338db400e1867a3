"""Notices reach real receivers; what fails is told in the log and raises nothing."""

from __future__ import annotations

import json
import logging

import pytest
from tests.airflow.receivers import http_server, mail_server
from tests.notices.test_what_holds import HOSTILE

from audiences.airflow.senders import send
from audiences.campaign.notify import Notify
from audiences.notices.what_holds import failure

pytestmark = pytest.mark.integration  # importing Airflow takes a second or two
PLAIN = failure(subject="carts", name="Carts", reason="the warehouse does not answer")


@pytest.fixture
def mail(monkeypatch):
    with mail_server() as server:
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", server.connection)
        yield server


@pytest.fixture
def http():
    with http_server() as server:
        yield server


def test_a_mail_reaches_everybody_with_the_reason_and_the_remedy(mail):
    assert send(Notify(email=("crm@example.com", "ops@example.com")), PLAIN)
    (found,) = mail.mails
    assert mail.recipients == [["crm@example.com", "ops@example.com"]]
    assert (found["Subject"], found["From"]) == ("Carts failed", "audiences@example.com")
    text = found.get_body(("html",)).get_content()
    assert "<p>the warehouse does not answer</p>" in text
    assert "What to do: " in text


def test_a_hostile_name_adds_no_receiver_and_no_markup_and_is_no_template(mail):
    assert send(Notify(email=("crm@example.com",)), failure(subject="carts", name=HOSTILE, reason=HOSTILE))
    (found,) = mail.mails
    assert mail.recipients == [["crm@example.com"]]
    assert found["Bcc"] is None
    assert "{{ 7 * 7 }}" in found["Subject"]
    text = found.get_body(("html",)).get_content()
    assert "{{ 7 * 7 }}" in text
    assert "<script" not in text


def test_a_webhook_gets_json_at_its_path_with_headers_and_login(http, monkeypatch):
    extra = {"endpoint": "/hooks/crm", "headers": {"X-Team": "crm"}}
    monkeypatch.setenv("AIRFLOW_CONN_OPS", http.connection(login="me", password="secret", extra=extra))
    assert send(Notify(webhook="ops"), PLAIN)
    ((path, headers, body),) = http.requests
    assert (path, headers["X-Team"], headers["Authorization"]) == ("/hooks/crm", "crm", "Basic bWU6c2VjcmV0")
    assert {key: body[key] for key in ("condition", "subject", "title", "reason")} == {
        "condition": "failed",
        "subject": "carts",
        "title": "Carts failed",
        "reason": "the warehouse does not answer",
    }


@pytest.mark.parametrize("status", [302, 400, 500])
def test_a_receiver_that_does_not_take_it_is_told_in_the_log_and_keeps_no_other_from_it(
    mail, http, monkeypatch, caplog, status
):
    http.status = status
    monkeypatch.setenv("AIRFLOW_CONN_OPS", http.connection(password="secret"))
    with caplog.at_level(logging.ERROR):
        assert send(Notify(email=("crm@example.com",), webhook="ops"), PLAIN)
        mail.refuse = True
        assert not send(Notify(email=("crm@example.com",), webhook="ops"), PLAIN)
    assert (
        f"could not be sent by webhook, connection `ops`: OSError: the receiver answered with {status}" in caplog.text
    )
    assert "could not be sent by mail, connection `smtp_default`: SMTPDataError" in caplog.text
    assert "secret" not in caplog.text
    assert len(http.requests) == 2  # a redirect is not followed


def test_a_connection_that_is_not_there_and_a_provider_that_is_not_installed_are_told_in_the_log(caplog):
    with caplog.at_level(logging.ERROR):
        assert not send(Notify(email=("crm@example.com",), smtp="nowhere", webhook="nowhere"), PLAIN)
    assert "by mail, connection `nowhere`: " in caplog.text
    assert "the Airflow connection `nowhere` does not exist" in caplog.text
    try:
        import airflow.providers.slack  # noqa: F401
    except ImportError:
        with caplog.at_level(logging.ERROR):
            assert not send(Notify(slack="nowhere"), PLAIN)
        assert "in Slack, connection `nowhere`: install the Airflow provider for it" in caplog.text


def test_slack_gets_a_text_in_which_nobody_is_called(http, monkeypatch):
    pytest.importorskip("airflow.providers.slack", reason="apache-airflow-providers-slack is not installed")
    base = f"http://127.0.0.1:{http.port}"
    connection = {"conn_type": "slackwebhook", "host": base, "password": "T0/B0/X0", "extra": {"base_url": base}}
    monkeypatch.setenv("AIRFLOW_CONN_OPS", json.dumps(connection))
    assert send(Notify(slack="ops"), failure(subject="carts", name=HOSTILE, reason="no"))
    ((_, _, body),) = http.requests
    assert "&lt;!channel&gt;" in body["text"]
    assert "<!channel>" not in body["text"]
