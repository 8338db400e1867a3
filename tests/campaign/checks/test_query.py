"""What the text of a `.sql` segment says without a server; what Postgres says is in tests/warehouse/test_queries.py."""

from __future__ import annotations

import time

import pytest

from audiences.campaign.checks.query import read_query


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT user_id FROM events",
        "select id as user_id from users",
        'SELECT id AS "user_id" FROM users',
        "SELECT u.USER_ID FROM users u",
        "(SELECT user_id FROM a)",
        "WITH a AS (SELECT user_id FROM events) SELECT user_id FROM a",
        "SELECT user_id FROM a UNION SELECT id FROM b EXCEPT SELECT id FROM c",
        "SELECT DISTINCT ON (user_id) user_id FROM events ORDER BY user_id, occurred_at DESC LIMIT 5",
        "SELECT user_id FROM a WHERE note = 'DELETE; -- '",
        "SELECT * FROM somebody",
        "TABLE somebody",
        "SELECT user_id, email FROM users",  # how many columns there are, the server says
        "SELECT user_id FROM",
    ],
)
def test_what_may_be_one_reading_select_is_left_to_the_server_as_it_stands(sql: str) -> None:
    query = read_query(sql)
    assert query.mistake == ""
    assert query.sql == f"{sql}\n"


@pytest.mark.parametrize("end", [";", " ; ", ";\n;", "; -- done\n", "; /* done */"])
def test_the_closing_semicolon_and_what_follows_are_cut_off(end: str) -> None:
    assert read_query(f"SELECT user_id FROM a{end}").sql == "SELECT user_id FROM a\n"


def test_a_closing_comment_ends_with_its_line() -> None:
    assert read_query("SELECT user_id FROM a -- all of them").sql.endswith("-- all of them\n")


@pytest.mark.parametrize(
    ("sql", "place", "said"),
    [
        ("", (0, 0), "holds no query"),
        ("-- nothing", (0, 0), "holds no query"),
        (";;", (0, 0), "holds no query"),
        ("SELECT user_id FROM a; SELECT user_id FROM b", (1, 22), "found several statements"),
        ("SELECT user_id FROM a;\nDROP TABLE users", (1, 22), "found several statements"),
        ("SELECT 'a\\'; DROP TABLE users; --'", (1, 12), "several statements"),
        ("DROP TABLE users", (1, 1), "found DROP"),
        ("DELETE FROM users RETURNING user_id", (1, 1), "found DELETE"),
        ("VALUES (1)", (1, 1), "AS v (user_id)"),
        ("COPY users TO '/tmp/x'", (1, 1), "found COPY"),
        ("EXPLAIN SELECT user_id FROM a", (1, 1), "found EXPLAIN"),
        ("DO $$ BEGIN END $$", (1, 1), "found DO"),
        ("SET role = admin", (1, 1), "found SET"),
        ("WITH d AS (DELETE FROM users RETURNING user_id) SELECT user_id FROM d", (1, 12), "found DELETE"),
        ("WITH d AS (INSERT INTO users VALUES (1) RETURNING user_id) SELECT user_id FROM d", (1, 19), "found INTO"),
        ("WITH d AS (UPDATE users SET a = 1 RETURNING user_id) SELECT user_id FROM d", (1, 12), "found UPDATE"),
        (
            "WITH d AS MATERIALIZED (MERGE INTO a USING b ON x WHEN MATCHED THEN DO NOTHING) TABLE d",
            (1, 31),
            "found INTO",
        ),
        ("WITH d AS (SELECT 1)\nDELETE FROM users", (2, 1), "found DELETE"),
        ("SELECT user_id INTO copied FROM users", (1, 16), "found INTO"),
        ("SELECT user_id FROM users FOR UPDATE", (1, 27), "locking"),
        ("SELECT user_id FROM users FOR NO KEY UPDATE", (1, 27), "locking"),
        ("SELECT user_id FROM (SELECT user_id FROM users FOR SHARE) AS x", (1, 48), "locking"),
        ("SELECT id FROM users", (0, 0), "must call its one column `user_id`: SELECT … AS user_id"),
        ('SELECT id AS "User_ID" FROM users', (1, 14), "found `User_ID`, which is another name"),
        ("SELECT user_id FROM users WHERE id = %s", (1, 38), "no parameters"),
        ("SELECT user_id FROM users WHERE id IN (%(ids)s)", (1, 40), "no parameters"),
        ("SELECT user_id FROM users WHERE id = $1", (1, 38), "no parameters"),
        ("SELECT user_id FROM users WHERE id = :id", (1, 38), "no parameters"),
        ("SELECT user_id FROM users\nWHERE id IN ({{ ids }})", (2, 14), "`{` means nothing to Postgres"),
        ("SELECT user_id FROM users LIMIT 5, 10", (1, 34), "LIMIT 10 OFFSET 5"),
        ("SELECT user_id FROM audiences__key_type", (1, 21), "begin with `audiences__` are the statement's own"),
        ('SELECT user_id\nFROM "audiences__mine"', (2, 6), "begin with `audiences__` are the statement's own"),
        ("WITH AUDIENCES__a AS (SELECT 1 AS user_id) SELECT user_id FROM audiences__a", (1, 6), "Rename it"),
        ("SELECT user_id FROM t QUALIFY row_number() OVER (PARTITION BY a) = 1", (1, 23), "QUALIFY is not Postgres's"),
        ("SELECT user_id FROM t QUALIFY n = 1", (1, 23), "QUALIFY is not Postgres's"),
        ("SELECT user_id\nFROM a WHERE x = 'y", (2, 18), "a text in quotes is not closed"),
        ("SELECT user_id /* x /* y */", (1, 16), "a comment is not closed"),
        ('SELECT "user_id', (1, 8), "a name in double quotes is not closed"),
        ("SELECT $a$ x $b$", (1, 8), "`$a$` is not closed"),
        ("SELECT E'a\\'", (1, 8), "a text in quotes is not closed"),
        ("SELECT user_id FROM a) AS x, (SELECT 1", (1, 22), "`)` closes what was not opened"),
        ("SELECT user_id FROM (SELECT 1", (1, 21), "`(` is not closed"),
        ("SELECT " + "(" * 5000 + "1", (1, 5007), "is not closed"),
    ],
)
def test_what_is_sure_to_fail_is_refused_at_its_place(sql: str, place: tuple[int, int], said: str) -> None:
    query = read_query(sql)
    assert query.sql == ""
    assert said in query.mistake
    assert (query.line, query.column) == place


def test_the_largest_file_is_read_within_a_moment_and_once() -> None:
    ids = ", ".join(f"'{number:08}'" for number in range(21_000))
    text = f"SELECT user_id FROM users WHERE id IN ({ids}) AND {'(' * 2000}true{')' * 2000} AND {'NOT ' * 2000}true"
    assert len(text) > 250_000
    begun = time.process_time()
    assert read_query(text).mistake == ""
    assert time.process_time() - begun < 1
    assert read_query(text) is read_query(text)
