from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.what.identifiers.messy import TODAY

from audiences.what.identifiers.outcome import Context
from audiences.what.identifiers.rule_table import normalise_one

if TYPE_CHECKING:
    from audiences.campaign.identifier_fields import DateOrder

DAYS = st.dates(date(1900, 1, 1), TODAY)


def normalise(field: str, value: str, date_order: DateOrder | None = None) -> str | None:
    return normalise_one(field, value, Context(today=TODAY, date_order=date_order)).normalised


@given(
    day=DAYS,
    separator=st.sampled_from("-/._ |"),
    order=st.sampled_from([None, "month_first", "day_first", "year_first"]),
)
def test_a_date_that_begins_with_the_year_is_read_in_one_way(day: date, separator: str, order: DateOrder | None):
    for written in (f"{day:%Y%m%d}", f"{day:%Y{separator}%m{separator}%d}", f"{day.isoformat()}T23:59:59.999+02:00"):
        assert normalise("date_of_birth", written, order) == f"{day:%Y%m%d}"


@given(day=DAYS, separator=st.sampled_from("-/. "))
def test_a_date_that_ends_with_the_year_is_read_in_the_order_that_is_set(day: date, separator: str):
    assert normalise("date_of_birth", f"{day:%d{separator}%m{separator}%Y}", "day_first") == f"{day:%Y%m%d}"
    assert normalise("date_of_birth", f"{day:%m{separator}%d{separator}%Y}", "month_first") == f"{day:%Y%m%d}"
    assert normalise("date_of_birth", f"{day:%m{separator}%d{separator}%Y}") == f"{day:%Y%m%d}"


@given(day=DAYS.filter(lambda day: day.day > 12))
def test_a_date_with_one_reading_is_read_whatever_the_order(day: date):
    for order in (None, "month_first", "day_first", "year_first"):
        for written in (f"{day:%d.%m.%Y}", f"{day:%m/%d/%Y}"):
            assert normalise("date_of_birth", written, order) == f"{day:%Y%m%d}"


@pytest.mark.parametrize(
    ("value", "order", "normalised"),
    [
        ("2/16/1997 (mm/dd/yyyy)", None, "19970216"),
        ("16–2–1997", None, "19970216"),
        ("Born: 12-31-1990, at noon", None, "19901231"),
        ("1990年12月31日", None, "19901231"),
        ("1990년 2월 3일", None, "19900203"),
        ("٢٠٠٠-٠١-٠٢", None, "20000102"),
        ("2000-02-29", None, "20000229"),
        ("05.11.1990", None, "19900511"),
        ("05.11.1990", "day_first", "19901105"),
        ("05.11.1990", "month_first", "19900511"),
        ("05.11.1990", "year_first", None),
        ("05.05.1990", "year_first", "19900505"),
        ("02161997", "month_first", "19970216"),
        ("16021997", "day_first", "19970216"),
        ("02161997", None, None),
        ("1900-02-29", None, None),
        ("2001-02-29", None, None),
        ("04/31/1990", None, None),
        ("00/10/1990", None, None),
        ("12/31/90", None, None),
        ("31-1990-12", None, None),
        ("12345-10-10", None, None),
        ("1990-12", None, None),
        ("1990", None, None),
        ("856051200", None, None),
        ("December 31, 1990", None, None),
        ("5 Nov 1990 10:11", None, None),
        ("1990 Dec 5 10:30", None, None),
        ("0000-00-00", None, None),
    ],
)
def test_only_whole_dates_of_the_calendar_are_read(value: str, order: DateOrder | None, normalised: str | None):
    assert normalise("date_of_birth", value, order) == normalised


def test_births_lie_between_1900_and_today():
    assert normalise("date_of_birth", "1900-01-01") == "19000101"
    assert normalise("date_of_birth", "1899-12-31") is None
    assert normalise("date_of_birth", TODAY.isoformat()) == f"{TODAY:%Y%m%d}"
    assert normalise("date_of_birth", (TODAY + timedelta(days=1)).isoformat()) is None
    assert normalise("year_of_birth", "1900") == "1900"
    assert normalise("year_of_birth", "1899") is None
    assert normalise("year_of_birth", str(TODAY.year)) == str(TODAY.year)
    assert normalise("year_of_birth", str(TODAY.year + 1)) is None


@pytest.mark.parametrize(
    ("field", "value", "normalised"),
    [
        ("year_of_birth", " 1997 ", "1997"),
        ("year_of_birth", "1997.0", "1997"),
        ("year_of_birth", "１９９７", "1997"),
        ("year_of_birth", "97", None),
        ("year_of_birth", "-1997", None),
        ("year_of_birth", "1997-02-16", None),
        ("month_of_birth", "2", "02"),
        ("month_of_birth", "02", "02"),
        ("month_of_birth", "Feb", "02"),
        ("month_of_birth", "FEBRUARY", "02"),
        ("month_of_birth", "Sept.", "09"),
        ("month_of_birth", "002", None),
        ("month_of_birth", "+2", None),
        ("month_of_birth", "Febr", None),
        ("day_of_birth", "9", "09"),
        ("day_of_birth", "31", "31"),
        ("day_of_birth", "31.0", "31"),
        ("day_of_birth", "32", None),
        ("day_of_birth", "9th", None),
        ("day_of_birth", "²", None),
    ],
)
def test_the_parts_of_a_date_are_padded_and_bounded(field: str, value: str, normalised: str | None):
    assert normalise(field, value) == normalised
