"""A campaign through real Airflow: people are told by mail, and metrics reach a real StatsD receiver."""

from __future__ import annotations

import pytest
from tests.airflow.receivers import mail_server, statsd_server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
SETTINGS = """
ad_accounts: {main: {id: act_1001, connection: facebook_main}}
notify: {email: crm@example.com, about: [failed, stopped, recovered]}
"""


def test_a_guard_that_stops_a_run_is_one_mail_and_the_run_after_it_another_and_both_are_counted(connected, shop):
    pytest.importorskip("statsd", reason="statsd is not installed; Airflow sends no metrics without it")
    connected.write("include/settings.yml", SETTINGS)
    connected.campaign("carts")
    with mail_server() as mail, statsd_server() as (port, lines):
        connected.environment |= {
            "AIRFLOW_CONN_SMTP_DEFAULT": mail.connection,
            "AIRFLOW__METRICS__STATSD_ON": "true",
            "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
            "AIRFLOW__METRICS__STATSD_PORT": str(port),
        }
        said = connected.airflow("dags", "test", "carts")
        assert [str(found["Subject"]) for found in mail.mails] == [
            "carts was stopped by a guard, and nothing was sent"
        ], said
        for number in range(1, 4):
            shop.user(number, f"user{number}@example.com")
            shop.event(number)
        said = connected.airflow("dags", "test", "carts")
    assert [str(found["Subject"]) for found in mail.mails][1:] == ["carts is right again"], said[-6000:]
    assert "@example.com" not in "".join(found.get_body(("html",)).get_content() for found in mail.mails)
    ours = {line.partition("|")[0] for line in lines if line.startswith("airflow.audiences.")}
    assert {
        "airflow.audiences.runs_stopped.carts:1",
        "airflow.audiences.runs_success.carts:1",
        "airflow.audiences.users_added.carts:3",
        "airflow.audiences.users_added:3",
        "airflow.audiences.members.carts:3",
    } <= ours
