"""`audiences catalog check` on dates that can be read day first or month first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from audiences.campaign.catalog import Catalog
from audiences.checklist import State
from audiences.warehouse.catalog.check import Line, check_catalog
from audiences.warehouse.catalog.reflect import Glance

if TYPE_CHECKING:
    from collections.abc import Callable

    from audiences.connections import Connection

pytestmark = pytest.mark.integration


@pytest.fixture
def connection(new_database: Callable[[str], Connection]) -> Connection:
    made = new_database("dates")
    with psycopg.connect(made.dsn(application="test"), autocommit=True) as opened:
        opened.execute(
            "CREATE TABLE people (id int PRIMARY KEY, email text, day date, iso text, either text, days_first text,"
            " months_first text, same text);"
            "INSERT INTO people VALUES"
            " (1, 'a@b.de', '1990-11-05', '1990-11-05', '05.11.1990', '05.11.1990', '05/11/1990', '05.05.1990'),"
            " (2, 'c@d.de', '1990-11-25', '1990-11-25', '6-7-1990 10:30', '25.11.1990', '11/25/1990', 'unknown'),"
            " (3, 'e@f.de', NULL, '19901105', NULL, 'Born 26.11.1990', NULL, '26.11.90')"
        )
    return made


def born(connection: Connection, column: str, order: str | None = None) -> Line:
    source = {"column": column} | ({"date_order": order} if order else {})
    users = {"relation": "people", "key": "id", "email": "email", "date_of_birth": source}
    with Glance(connection) as glance:
        found = {line.path: line for line in check_catalog(Catalog.model_validate({"users": users}), glance)}
    return found["users", "date_of_birth"]


@pytest.mark.parametrize("column", ["day", "iso", "same"])
@pytest.mark.parametrize("order", [None, "day_first", "month_first", "year_first"])
def test_dates_of_one_reading_need_no_order(connection: Connection, column: str, order: str | None) -> None:
    line = born(connection, column, order)
    assert (line.state, line.remedy) == (State.OK, "")


@pytest.mark.parametrize(
    ("column", "found", "remedy"),
    [
        ("either", "2 values", "Add `date_order: day_first` or `date_order: month_first`."),
        (
            "days_first",
            "1 value",
            "Add `date_order: day_first`: 2 other values can only be read day first, 0 only month first.",
        ),
        (
            "months_first",
            "1 value",
            "Add `date_order: month_first`: 1 other value can only be read month first, 0 only day first.",
        ),
    ],
)
def test_dates_of_two_readings_without_an_order_are_worth_a_warning(
    connection: Connection, column: str, found: str, remedy: str
) -> None:
    line = born(connection, column)
    assert line.state is State.WARN
    assert line.found == f"`{column}` text: {found} can be read day first or month first, and are read month first"
    assert line.remedy == remedy


@pytest.mark.parametrize(
    ("column", "order"), [("either", "day_first"), ("either", "month_first"), ("days_first", "day_first")]
)
def test_dates_that_do_not_contradict_the_order_are_right(connection: Connection, column: str, order: str) -> None:
    assert born(connection, column, order).state is State.OK


def test_dates_that_contradict_the_order_are_worth_a_warning(connection: Connection) -> None:
    line = born(connection, "days_first", "month_first")
    assert line.state is State.WARN
    assert line.found.endswith(": 2 values can only be read day first, 0 only as declared")
    assert line.remedy == "See whether `date_order: day_first` is meant."


def test_dates_without_the_year_first_are_not_sent_by_that_order(connection: Connection) -> None:
    line = born(connection, "either", "year_first")
    assert line.state is State.WARN
    assert line.found.endswith("and as the year does not come first they are not sent")
