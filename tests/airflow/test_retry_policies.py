from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest

from audiences.airflow.failures import TaskFailed
from audiences.airflow.retry_policies import ByErrorClass
from audiences.errors import FacebookAccessError, FacebookTransientError, StoppedError, ThrottledError
from audiences.ledger.own_session import LedgerPooledError
from audiences.store_faults import ObjectStoreClosedError, ObjectStoreLostError
from audiences.warehouse.reader import WarehouseClosedError, WarehouseQueryError

pytestmark = pytest.mark.integration  # importing Airflow takes a second or two


def decision(error: Exception, tries: int = 1):
    return ByErrorClass().evaluate(error, tries, 8)


def test_a_throttle_waits_as_long_as_facebook_says():
    assert decision(ThrottledError(what="throttled", seconds=120)).retry_delay == timedelta(seconds=120)


def test_a_passing_fault_is_retried_ever_later():
    error = FacebookTransientError(what="HTTP 500")
    assert decision(error, 1).retry_delay < decision(error, 3).retry_delay


@pytest.mark.parametrize(
    "error",
    [FacebookAccessError(what="token expired", remedy="renew it"), StoppedError(guard="g", found="f", allow_once="a")],
)
def test_what_needs_a_person_fails_at_once(error):
    assert decision(error).action.name == "FAIL"


def test_an_unknown_error_is_tried_again_but_not_for_hours_and_its_text_is_kept_out():
    assert decision(ValueError("mary@example.com"), 1).action.name == "RETRY"
    last = decision(ValueError("mary@example.com"), 3)
    assert (last.action.name, last.reason) == ("FAIL", "ValueError")


def test_a_ledger_that_went_away_is_waited_for_longer_than_an_unknown_error():
    last = decision(psycopg.OperationalError("the connection is closed"), 6)
    assert (last.action.name, last.reason) == ("RETRY", "LedgerLostError may pass")


def test_what_the_ledger_refuses_is_tried_again_like_an_unknown_error():
    refused = psycopg.errors.UniqueViolation("Key (user_id)=(mary@example.com) already exists.")
    assert decision(refused, 1).action.name == "RETRY"
    last = decision(refused, 3)
    assert (last.action.name, last.reason) == ("FAIL", "LedgerFaultError")


def test_a_task_that_fails_without_a_traceback_is_tried_again_by_the_class_of_its_error():
    assert decision(TaskFailed(ThrottledError(what="throttled", seconds=120))).retry_delay == timedelta(seconds=120)
    assert decision(TaskFailed(FacebookTransientError(what="HTTP 500")), 6).action.name == "RETRY"
    assert decision(TaskFailed(StoppedError(guard="g", found="f", allow_once="a"))).action.name == "FAIL"


@pytest.mark.parametrize(
    "error",
    [
        WarehouseClosedError(detail="the login or the password is wrong", place="", remedy="Correct it"),
        WarehouseQueryError(sqlstate="57014", detail="too long"),
        LedgerPooledError(place=""),
        psycopg.OperationalError('connection failed: FATAL:  password authentication failed for user "x"'),
        psycopg.OperationalError('connection failed: FATAL:  database "x" does not exist'),
    ],
)
def test_what_a_person_must_put_right_at_a_database_is_not_tried_again(error):
    assert decision(error).action.name == "FAIL"


def test_an_object_store_that_is_away_for_five_minutes_is_waited_for_and_one_that_lets_nobody_in_is_not():
    waits = [decision(ObjectStoreLostError("EndpointConnectionError"), tried) for tried in range(1, 9)]
    assert {each.action.name for each in waits} == {"RETRY"}
    assert sum(each.retry_delay.total_seconds() for each in waits) > 2 * 300
    for error in (
        ObjectStoreClosedError("ClientError: AccessDenied"),
        FileNotFoundError("marketing/audiences/carts/add-0.parquet"),
    ):
        assert decision(error).action.name == "FAIL"
