"""Versions sort by component."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.who.naive import compare_versions

from audiences.query.versions import version_key

IN_ORDER = [
    "rc1",
    "0",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-beta",
    "1.0",
    "1.0.1",
    "3.9",
    "3.10",
    "3.10.1",
    "4",
    "10.0.0-1",
]


def test_versions_stand_in_their_order() -> None:
    keys = [version_key(version) for version in IN_ORDER]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("left", "right"), [("3.1", "3.1.0.0"), ("v3.1", "3.1"), ("V3", "3"), ("1.0.0-BETA", "1-beta"), ("003.09", "3.9")]
)
def test_ways_of_writing_the_same_version_are_equal(left: str, right: str) -> None:
    assert version_key(left) == version_key(right)


@pytest.mark.parametrize("text", ["", "...", "-", "名前", "٣"])
def test_text_without_digits_or_letters_is_no_version(text: str) -> None:
    assert version_key(text) is None


def test_a_component_of_any_length_is_compared_as_a_number() -> None:
    assert version_key("1" + "0" * 150) > version_key("9" * 150)
    assert version_key("1" * 100_000) is not None


releases = st.lists(st.integers(0, 12), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))
versions = st.builds(str.__add__, releases, st.sampled_from(("", "-beta", "-rc2", "a", " build 7")))


@given(left=versions, right=versions)
def test_the_order_is_that_of_the_naive_comparison(left: str, right: str) -> None:
    a, b = version_key(left), version_key(right)
    assert (a > b) - (a < b) == compare_versions(left, right)
