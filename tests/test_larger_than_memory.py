from __future__ import annotations

import os

import pytest

from audiences import larger_than_memory
from audiences.larger_than_memory import session

MUCH = "create temp table much as select range as number, sha256(range::text) as text from range(4_000_000)"


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch):
    monkeypatch.setattr(larger_than_memory, "_kept", [])


def test_a_session_sees_nothing_of_the_one_before(tmp_path):
    for _ in range(2):
        with session(tmp_path) as database:
            assert database.execute("select count(*) from duckdb_tables()").fetchall() == [(0,)]
            database.execute("create temp table user_ids as select 7 as user_id")
            database.execute("create temp view wanted as from user_ids")
            assert database.execute("from wanted").fetchall() == [(7,)]
    assert len(larger_than_memory._kept) == 1


def test_two_sessions_at_once_have_tables_of_their_own(tmp_path):
    with session(tmp_path / "one") as one, session(tmp_path / "other") as other:
        for number, database in enumerate((one, other)):
            database.execute(f"create temp table held as select {number} as user_id")
        assert [database.execute("from held").fetchall() for database in (one, other)] == [[(0,)], [(1,)]]


def test_what_does_not_fit_goes_to_the_folder_of_its_session_and_the_next_one_has_another(tmp_path):
    for name in ("first", "second"):
        with session(tmp_path / name) as database:
            database.execute(MUCH)
            assert list((tmp_path / name).iterdir())
            assert database.execute("select count(*) from much").fetchall() == [(4_000_000,)]


def test_what_a_large_session_took_is_given_back_with_its_instance_and_a_small_one_keeps_it(tmp_path):
    with session(tmp_path) as database:
        database.execute("create temp table few as from range(1000)")
    assert len(larger_than_memory._kept) == 1
    with session(tmp_path) as database:
        database.execute("create temp table many as select sha256(range::text) as text from range(500_000)")
    assert larger_than_memory._kept == []


def test_after_a_failure_the_next_session_is_opened_anew(tmp_path):
    with pytest.raises(ZeroDivisionError), session(tmp_path):
        _ = 1 / 0
    assert larger_than_memory._kept == []
    with session(tmp_path) as database:
        assert database.execute("select 1").fetchall() == [(1,)]


def test_a_forked_process_opens_an_instance_of_its_own(tmp_path):
    """Those of its parent have lost their threads: to use one ends the process."""
    sorts = "select count(*) from (select sha256(range::text) as text from range(200_000) order by text)"
    with session(tmp_path) as database:
        database.execute(sorts)
    child = os.fork()
    if not child:
        code = 1
        try:
            with session(tmp_path) as database:
                database.execute(sorts)
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert larger_than_memory._kept == []


def test_of_sessions_at_once_one_instance_is_kept(tmp_path):
    with session(tmp_path), session(tmp_path):
        pass
    assert len(larger_than_memory._kept) == 1
