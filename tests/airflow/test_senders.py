"""Notices reach real receivers; what fails is told in the log and raises nothing."""

from __future__ import annotations

import json
import logging
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from socketserver import StreamRequestHandler, ThreadingTCPServer

import pytest
from tests.airflow.receivers import http_server, mail_server
from tests.notices.test_what_holds import HOSTILE

from audiences.airflow import senders
from audiences.airflow.senders import Delivery, send
from audiences.campaign.notify import Notify
from audiences.ledger.notices import LEASE, LONGEST_DELIVERY
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
    assert send(Notify(email=("crm@example.com", "ops@example.com")), PLAIN) == Delivery(frozenset({"email"}))
    (found,) = mail.mails
    assert mail.recipients == [["crm@example.com", "ops@example.com"]]
    assert (found["Subject"], found["From"]) == ("Carts failed", "audiences@example.com")
    text = found.get_body(("html",)).get_content()
    assert "<p>the warehouse does not answer</p>" in text
    assert "What to do: " in text


def test_a_hostile_name_adds_no_receiver_and_no_markup_and_is_no_template(mail):
    assert send(Notify(email=("crm@example.com",)), failure(subject="carts", name=HOSTILE, reason=HOSTILE)).taken
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
    assert send(Notify(webhook="ops"), PLAIN).taken
    ((path, headers, body),) = http.requests
    assert (path, headers["X-Team"], headers["Authorization"]) == ("/hooks/crm", "crm", "Basic bWU6c2VjcmV0")
    assert {key: body[key] for key in ("condition", "kind", "subject", "title", "reason")} == {
        "condition": "failed",
        "kind": "campaign",
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
        assert send(Notify(email=("crm@example.com",), webhook="ops"), PLAIN) == Delivery(
            frozenset({"email"}), {"webhook": f"by webhook, connection `ops`: the receiver answered with {status}"}
        )
        mail.refuse = True
        found = send(Notify(email=("crm@example.com",), webhook="ops"), PLAIN)
    assert (found.taken, set(found.failed)) == (frozenset(), {"email", "webhook"})
    assert found.failed["email"] == "by mail, connection `smtp_default`: SMTPDataError; the log of the task says more"
    assert (
        f"could not be sent by webhook, connection `ops`: OSError: the receiver answered with {status}" in caplog.text
    )
    assert "could not be sent by mail, connection `smtp_default`: SMTPDataError" in caplog.text
    assert "secret" not in caplog.text
    assert len(http.requests) == 2  # a redirect is not followed


def test_a_connection_that_is_not_there_and_a_provider_that_is_not_installed_are_told_in_the_log(caplog):
    with caplog.at_level(logging.ERROR):
        assert not send(Notify(email=("crm@example.com",), smtp="nowhere", webhook="nowhere"), PLAIN).taken
    assert "by mail, connection `nowhere`: " in caplog.text
    assert "the Airflow connection `nowhere` does not exist" in caplog.text
    try:
        import airflow.providers.slack  # noqa: F401
    except ImportError:
        with caplog.at_level(logging.ERROR):
            found = send(Notify(slack="nowhere"), PLAIN)
        assert "in Slack, connection `nowhere`: install the Airflow provider for it" in caplog.text
        assert found.failed == {"slack": "in Slack, connection `nowhere`: the Airflow provider for it is not installed"}


def test_slack_gets_a_text_in_which_nobody_is_called(http, monkeypatch):
    pytest.importorskip("airflow.providers.slack", reason="apache-airflow-providers-slack is not installed")
    base = f"http://127.0.0.1:{http.port}"
    connection = {"conn_type": "slackwebhook", "host": base, "password": "T0/B0/X0", "extra": {"base_url": base}}
    monkeypatch.setenv("AIRFLOW_CONN_OPS", json.dumps(connection))
    assert send(Notify(slack="ops"), failure(subject="carts", name=HOSTILE, reason="no")).taken
    ((_, _, body),) = http.requests
    assert "&lt;!channel&gt;" in body["text"]
    assert "<!channel>" not in body["text"]


def test_a_notice_goes_only_by_the_ways_that_are_asked_for(mail, http, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_OPS", http.connection())
    both = Notify(email=("crm@example.com",), webhook="ops")
    assert send(both, PLAIN, only={"webhook"}) == Delivery(frozenset({"webhook"}))
    assert send(both, PLAIN, only={"slack"}) == Delivery()
    assert (len(mail.mails), len(http.requests)) == (0, 1)


def test_the_address_of_a_webhook_is_in_no_log(monkeypatch, caplog):
    connection = {"conn_type": "http", "host": "127.0.0.1", "port": 1, "extra": {"endpoint": "/hooks/secret"}}
    monkeypatch.setenv("AIRFLOW_CONN_OPS", json.dumps(connection))
    with caplog.at_level(logging.ERROR):
        found = send(Notify(webhook="ops"), PLAIN)
    assert found.failed == {"webhook": "by webhook, connection `ops`: no answer from the receiver (ConnectionError)"}
    assert "secret" not in caplog.text


def test_all_ways_together_end_well_before_another_process_may_send_the_notice():
    """What a connection itself says of its patience, ten minutes in these tests, lengthens nothing."""
    ways = list(senders._ways(Notify(email=("crm@example.com",), slack="x", webhook="y")))
    assert len(ways) * senders.SECONDS <= LONGEST_DELIVERY.total_seconds() < LEASE.total_seconds() * 0.7


def test_a_mail_server_that_is_silent_is_asked_once_and_not_waited_for(mail, monkeypatch):
    monkeypatch.setattr(senders, "SECONDS", 0.2)
    mail.slow = 3
    begun = time.monotonic()
    found = send(Notify(email=("crm@example.com",)), PLAIN)
    assert time.monotonic() - begun < 2
    assert found.failed == {"email": "by mail, connection `smtp_default`: the receiver took longer than 0 seconds"}
    assert mail.mails == []


def test_a_talk_that_takes_too_long_is_hung_up_and_the_mail_does_not_arrive_after_all(monkeypatch, caplog):
    """The server says something again and again, so that no silence is too long."""
    monkeypatch.setattr(senders, "SECONDS", 0.3)
    slow = {}
    with talkative_server() as (port, heard):
        extra = {"disable_ssl": True, "disable_tls": True, "from_email": "audiences@example.com"}
        connection = {"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(connection))
        monkeypatch.setattr(senders, "_SLOW_SECONDS", 0.2)
        begun = time.monotonic()
        found = send(Notify(email=("crm@example.com",)), PLAIN, slow=slow)
        again = send(Notify(email=("crm@example.com",)), PLAIN, slow=slow)
        assert time.monotonic() - begun < 1.5
        assert heard.over.wait(5)
    assert found.failed == {"email": "by mail, connection `smtp_default`: the receiver took longer than 0 seconds"}
    assert again == found  # and the server was not asked again
    assert heard.connections == 1
    assert not heard.mail


@dataclass
class _Heard:
    """What a server heard that never comes to an end."""

    connections: int = 0
    mail: bool = False
    over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def talkative_server():
    """Greets line by line without an end, as a mail server may."""
    heard = _Heard()

    class Talk(StreamRequestHandler):
        def handle(self) -> None:
            heard.connections += 1
            with suppress(OSError):
                self.wfile.write(b"220 hello\r\n")
                self.connection.settimeout(0.05)
                said = b"?"
                while said and not heard.over.is_set():
                    self.wfile.write(b"250-still here\r\n")
                    with suppress(TimeoutError):
                        said = self.connection.recv(1000)
                        heard.mail |= b"DATA" in said.upper()
            heard.over.set()

    with ThreadingTCPServer(("127.0.0.1", 0), Talk) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield server.server_address[1], heard
        finally:
            heard.over.set()
            server.shutdown()
