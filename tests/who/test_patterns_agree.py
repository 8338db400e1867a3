"""Regular expressions mean the same to pandas' engine, to Postgres and to Python, or are refused."""

from __future__ import annotations

import re
import string
from typing import TYPE_CHECKING, Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from audiences.campaign.patterns import check_pattern, postgres_pattern, re2_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

PARTS = (
    "a", "b", "A", "0", "é", "É", " ", "\n", ".", "-", r"\d", r"\w", r"\s", r"\S", r"\b", r"\.", r"\\", "^", "$", "|", "(", ")",
    "(?:", "*", "+", "?", "{2}", "{0,2}", "{1,}", "[ab]", "[^a]", r"[\d.]", "[]b]", "[a-c-]", "}", "]", "%", "'", "[[]", "*?",
)  # fmt: skip
VALUES = (
    "", "a", "ab", "aab", "A", "0", "a0", "é", "É", "aé", "a b", "a\nb", ".", "b.", "-", "a\\", "}", "]", "%'", "[", "a\n", "~",
)  # fmt: skip
MARKS = tuple(f"\\{mark}" for mark in string.punctuation if mark != "_")
patterns = st.builds(
    lambda flag, parts: flag + "".join(parts),
    st.sampled_from(("", "", "(?i)")),
    st.lists(st.sampled_from(PARTS), max_size=6),
)


@pytest.fixture(scope="session")
def connection(who_database: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(who_database, autocommit=True) as connection:
        yield connection


@pytest.mark.integration
@pytest.mark.filterwarnings("ignore::FutureWarning")  # Python warns of `[[`, which it may read otherwise one day
@settings(deadline=None, max_examples=1500, suppress_health_check=list(HealthCheck))
@given(pattern=patterns)
@example(pattern=r"a{255}")
@example(pattern=r"\ba\b|^\s$")
@example(pattern="(?i)ÉA?|É$")
@example(pattern=f"{'?'.join(MARKS)}?$")
@example(pattern=f"[{''.join(MARKS)}]")
def test_an_accepted_pattern_finds_the_same_texts_everywhere(connection: psycopg.Connection[Any], pattern: str) -> None:
    try:
        check_pattern(pattern)
    except ValueError:
        assume(False)
    arrow = pc.match_substring_regex(pa.array(VALUES), re2_pattern(pattern)).to_pylist()
    query = 'SELECT value COLLATE "C" ~ %s FROM unnest(%s::text[]) WITH ORDINALITY AS v(value, place) ORDER BY place'
    postgres = [row[0] for row in connection.execute(query, [postgres_pattern(pattern), list(VALUES)]).fetchall()]
    assert arrow == postgres
    if pattern.isascii() or not pattern.startswith("(?i)"):  # Python cannot have ASCII's `\w` and all letters' cases
        python = re.compile(pattern if r"\$" in pattern else pattern.replace("$", r"\Z"), re.DOTALL | re.ASCII)
        assert arrow == [python.search(value) is not None for value in VALUES]
