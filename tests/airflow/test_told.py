"""A campaign through real Airflow: people are told by mail."""

from __future__ import annotations

import pytest
from tests.airflow.receivers import mail_server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
SETTINGS = """
ad_accounts: {main: {id: act_1001, connection: facebook_main}}
notify: {email: crm@example.com, about: [failed, stopped, recovered]}
"""


def test_a_guard_that_stops_a_run_is_one_mail_and_the_run_after_it_another(connected, shop):
    connected.write("include/settings.yml", SETTINGS)
    connected.campaign("carts")
    with mail_server() as mail:
        connected.environment["AIRFLOW_CONN_SMTP_DEFAULT"] = mail.connection
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
