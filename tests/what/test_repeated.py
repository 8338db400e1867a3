"""Hashes that come more than once, in whatever arrays they are given."""

from __future__ import annotations

from collections import Counter
from contextlib import closing

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from audiences.what.repeated import RepeatedHashes

# Near the edges of the parts, and anywhere.
hashes = st.one_of(
    st.builds(lambda part, off: (part * 2**60 + off) % 2**64, st.integers(0, 15), st.integers(-2, 2)),
    st.integers(0, 2**64 - 1),
)


@settings(max_examples=50)
@given(st.lists(st.lists(hashes, max_size=12), max_size=6))
def test_those_that_come_more_than_once_are_found_once(tmp_path_factory, given_arrays):
    with closing(RepeatedHashes(tmp_path_factory.getbasetemp() / "hashes")) as repeated:
        for numbers in given_arrays:
            repeated.add(pa.array(numbers, pa.uint64()))
        found = repeated.found().to_pylist()
    counts = Counter(number for numbers in given_arrays for number in numbers)
    assert Counter(found) == Counter(number for number, times in counts.items() if times > 1)
