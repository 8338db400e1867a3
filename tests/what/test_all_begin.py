"""Where nobody is held nothing is compared: what comes of it is to the row, and in order, what a comparison in DuckDB finds."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.what.test_difference import HELD, ME

from audiences.digests.by_duckdb import row_hashes
from audiences.what import all_begin, sorted_runs
from audiences.what.changes import CANDIDATES
from audiences.what.difference import Difference

ARMS = pa.schema([("user_id", pa.string()), ("arm", pa.string())])
users = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=3)
rows = st.binary(min_size=1, max_size=1)


@dataclass
class Others:
    """What others hold: none of the rows that come or go."""

    memberships: int
    rows: int

    @contextmanager
    def with_rows(self, identifiers):
        assert identifiers
        yield HELD.empty_table().to_reader()


def found(folder, want, *, in_duckdb, others=None, kept=0, hashes=()):
    """The counts, all changes, and the assignments with and without those who are added."""
    with closing(Difference(campaign=ME, action="mirror", spill=folder)) as difference:
        difference.hold(HELD.empty_table().to_reader(), others=others, kept=kept)
        candidates = [{"user_id": user, "identifiers": row, "rank": None} for user, row in want.items()]
        difference.want(pa.Table.from_pylist(candidates, schema=CANDIDATES).to_reader(max_chunksize=3), hashes=hashes)
        if in_duckdb:
            difference.quarantine(pa.table({"identifiers": pa.array([b"of nobody"], pa.binary())}))
        counts = difference.compute()
        changes = {
            action: [row for batch in difference.changes(action) for row in batch.to_pylist()]
            for action in ("add", "remove", "none")
        }
        out = pa.table([["in control", "before"], ["system", "campaign"]], schema=ARMS)
        assigned = [difference.assigned(out.to_reader(), added=added).read_all().to_pylist() for added in (True, False)]
        others = (
            difference.held_otherwise().column("user_id").to_pylist(),
            difference.not_sent().column("user_id").to_pylist(),
            difference.moved_to_control(out.to_reader()),
        )
    return counts, changes, [[(row["user_id"], row["arm"]) for row in each] for each in assigned], others


def in_small_runs(patch):
    for constant, value in (("RUN_ROWS", 8), ("PIECE_ROWS", 3), ("_STRIDE", 2), ("_RANGE_ROWS", 4)):
        patch.setattr(sorted_runs, constant, value)


@settings(max_examples=30)
@given(st.dictionaries(users, rows, max_size=40))
def test_it_is_what_a_comparison_finds(tmp_path_factory, want):
    folder = tmp_path_factory.mktemp("files")
    with pytest.MonkeyPatch.context() as patch:
        in_small_runs(patch)
        assert found(folder, want, in_duckdb=False) == found(folder, want, in_duckdb=True)


@given(st.dictionaries(users, rows, max_size=40))
def test_hashes_that_are_known_are_taken_unless_they_are_not_those_of_all_rows(tmp_path_factory, want):
    folder = tmp_path_factory.mktemp("files")
    expected = found(folder, want, in_duckdb=True)
    known = [row_hashes(pa.array([row], pa.binary())) for row in want.values()]
    with pytest.MonkeyPatch.context() as patch:
        in_small_runs(patch)
        assert found(folder, want, in_duckdb=False, hashes=known[1:]) == expected
        if want:
            patch.setattr(all_begin, "_hashed", lambda *_: pytest.fail("computed"))
        assert found(folder, want, in_duckdb=False, hashes=known) == expected


@given(st.dictionaries(users, rows, max_size=2), st.integers(0, 3), st.integers(0, 3))
def test_beside_those_who_are_kept_and_what_others_hold_it_is_too(tmp_path_factory, want, kept, more):
    folder, others = tmp_path_factory.mktemp("files"), Others(memberships=kept + more, rows=kept + more // 2)
    expected = found(folder, want, in_duckdb=True, others=others, kept=kept)
    assert found(folder, want, in_duckdb=False, others=others, kept=kept) == expected


def test_where_nobody_comes_or_goes_nothing_is_compared(tmp_path, monkeypatch):
    monkeypatch.setattr(Difference, "_compare", lambda _: pytest.fail("compared"))
    counts, changes, _, _ = found(tmp_path, {}, in_duckdb=False, others=Others(memberships=7, rows=6), kept=5)
    assert (counts.targeted, counts.held, counts.memberships_after, counts.rows_after) == (5, 5, 7, 6)
    assert changes == {"add": [], "remove": [], "none": []}


def test_where_more_users_share_rows_than_are_kept_in_memory_they_are_compared(tmp_path, monkeypatch):
    want = {"a": b"same", "b": b"own", "c": b"same"}
    in_memory = found(tmp_path, want, in_duckdb=False)
    monkeypatch.setattr(all_begin, "MOST_SHARING", 1)
    in_small_runs(monkeypatch)
    assert found(tmp_path, want, in_duckdb=False) == in_memory


def test_what_is_asked_of_a_comparison_only_has_an_answer_too(tmp_path):
    with closing(Difference(campaign=ME, action="mirror", spill=tmp_path)) as difference:
        difference.hold(HELD.empty_table().to_reader())
        candidates = {"user_id": ["a", "b"], "identifiers": [b"a", b"b"], "rank": [None, None]}
        difference.want(pa.table(candidates, schema=CANDIDATES).to_reader())
        difference.compute()
        assert (difference.wants("a"), difference.wants("c")) == (True, False)
        assert set(difference.wanted().read_all().column("user_id").to_pylist()) == {"a", "b"}
        assert difference.full_set() == 2
