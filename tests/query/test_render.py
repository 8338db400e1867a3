"""The statement as text: what is in it survives, for the server and for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects.postgresql import ARRAY

from audiences.query.render import render

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20) | st.text(
    "'\"\\%:;-/*$ E\n{}(),\t[]_", max_size=20
)
_shared = settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="session")
def connection(who_database: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(who_database, autocommit=True) as connection:
        yield connection


@pytest.mark.integration
@_shared
@given(text=texts, items=st.lists(texts, max_size=4), conforming=st.booleans())
@example(text="__[POSTCOMPILE_x] %(x)s :x", items=["NULL", "", "{}"], conforming=False)
def test_values_arrive_as_they_are_under_every_server_setting(
    connection: psycopg.Connection[Any], text: str, items: list[str], conforming: bool
) -> None:
    connection.execute(f"SET standard_conforming_strings = {'on' if conforming else 'off'}".encode())
    connection.execute("SET escape_string_warning = off")
    statement = sa.select(sa.literal(text), sa.cast(sa.literal(items, ARRAY(sa.Text)), ARRAY(sa.Text)))
    row = connection.execute(render(statement.where(sa.literal(text).in_([text, "x"]))).encode()).fetchone()
    assert row == (text, items)
