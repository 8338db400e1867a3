from __future__ import annotations

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
        "WITH RECURSIVE a AS (SELECT 1 AS user_id UNION ALL SELECT user_id + 1 FROM a) SELECT user_id FROM a",
        "SELECT user_id FROM a UNION SELECT id FROM b EXCEPT SELECT id FROM c",
        "SELECT user_id FROM events WHERE properties ->> 'x' = 'y' AND properties ? 'key' AND a @> '{}'::jsonb",
        "SELECT user_id FROM events GROUP BY 1 HAVING count(*) FILTER (WHERE name = 'x') > 2",
        "SELECT DISTINCT ON (user_id) user_id FROM events ORDER BY user_id, occurred_at DESC LIMIT 5",
        "SELECT user_id FROM events WHERE occurred_at > now() - interval '3 days' AND amount % 2 = 0",
        "SELECT user_id FROM (SELECT user_id, row_number() OVER (PARTITION BY name) AS n FROM events) AS x WHERE n = 1",
        "SELECT user_id FROM a WHERE note = 'DELETE; -- '",
    ],
)
def test_one_reading_select_is_accepted(sql: str) -> None:
    query = read_query(sql)
    assert query.mistake == ""
    assert query.sql == f"{sql}\n"


@pytest.mark.parametrize("end", [";", " ; ", ";\n;", "; -- done\n", "; /* done */"])
def test_the_closing_semicolon_and_what_follows_are_cut_off(end: str) -> None:
    assert read_query(f"SELECT user_id FROM a{end}").sql == "SELECT user_id FROM a\n"


def test_a_closing_comment_ends_with_its_line() -> None:
    assert read_query("SELECT user_id FROM a -- all of them").sql.endswith("-- all of them\n")


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("", "holds no query"),
        ("-- nothing", "holds no query"),
        (";;", "holds no query"),
        ("SELECT user_id FROM a; SELECT user_id FROM b", "found 2 statements"),
        ("SELECT user_id FROM a; DROP TABLE users", "found 2 statements"),
        ("SELECT 'a\\'; DROP TABLE users; --'", ""),
        ("DROP TABLE users", "found DROP"),
        ("DELETE FROM users RETURNING user_id", "found DELETE"),
        ("TABLE users", "found TABLE"),
        ("VALUES (1)", "found VALUES"),
        ("COPY users TO '/tmp/x'", "found COPY"),
        ("EXPLAIN SELECT user_id FROM a", "found EXPLAIN"),
        ("DO $$ BEGIN END $$", "found DO"),
        ("SET role = admin", "found SET"),
        ("WITH d AS (DELETE FROM users RETURNING user_id) SELECT user_id FROM d", "found DELETE"),
        ("WITH d AS (INSERT INTO users VALUES (1) RETURNING user_id) SELECT user_id FROM d", "found INSERT"),
        ("WITH d AS (UPDATE users SET a = 1 RETURNING user_id) SELECT user_id FROM d", "found UPDATE"),
        ("WITH d AS (SELECT 1) DELETE FROM users", "found DELETE"),
        ("SELECT user_id INTO copied FROM users", "INTO"),
        ("SELECT user_id FROM users FOR UPDATE", "locking"),
        ("SELECT user_id FROM (SELECT user_id FROM users FOR SHARE) AS x", "locking"),
        ("SELECT * FROM users", "not *"),
        ("SELECT u.* FROM users u", "not *"),
        ("SELECT user_id, email FROM users", "found 2 columns"),
        ("SELECT id FROM users", "found `id`"),
        ("SELECT 1", "found `1`"),
        ("SELECT count(*) FROM a", "a column without a name"),
        ('SELECT id AS "User_ID" FROM users', "found `User_ID`"),
        ("SELECT user_id FROM users WHERE id = %s", "no parameters"),
        ("SELECT user_id FROM users WHERE id = $1", "no parameters"),
        ("SELECT user_id FROM users WHERE id = :id", "no parameters"),
        ("SELECT user_id FROM", "not a SELECT that Postgres could read"),
        ("SELECT 'x", "is not SQL"),
        ("SELECT /* x", ""),
        ("SELECT " + "(" * 5000 + "1", "nested too deeply"),
        ("SELECT " + "NOT " * 20_000 + "true", "nested too deeply"),
    ],
)
def test_anything_else_is_refused(sql: str, said: str) -> None:
    query = read_query(sql)
    assert query.sql == ""
    assert query.mistake
    assert said in query.mistake


@pytest.mark.parametrize(
    "call",
    [
        "pg_sleep(10)",
        "pg_catalog.pg_sleep(10)",
        '"pg_sleep"(10)',
        "PG_SLEEP(10)",
        "pg_terminate_backend(1)",
        "pg_read_file('/etc/passwd')",
        "pg_advisory_lock(1)",
        "pg_notify('a', 'b')",
        "lo_import('/etc/passwd')",
        "lo_unlink(1)",
        "dblink('dbname=x', 'DELETE FROM y')",
        "dblink_exec('x')",
        "nextval('s')",
        "setval('s', 1)",
        "set_config('a', 'b', false)",
        "query_to_xml('DELETE FROM y', true, true, '')",
        "ts_stat('SELECT 1')",
        'u&"pg\\005fsleep"(10)',
    ],
)
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT user_id FROM users WHERE {} IS NOT NULL",
        "SELECT {} AS user_id",
        "SELECT user_id FROM users, LATERAL (SELECT {}) AS x",
        "WITH a AS (SELECT {} AS b) SELECT user_id FROM users JOIN a ON true",
        "SELECT user_id FROM users ORDER BY {}",
    ],
)
def test_functions_that_act_are_refused_wherever_they_stand(sql: str, call: str) -> None:
    query = read_query(sql.format(call))
    assert query.sql == ""
    assert "is not allowed" in query.mistake or "Postgres could read" in query.mistake


def test_a_mistake_in_sql_has_its_place() -> None:
    query = read_query("SELECT user_id\nFROM users\nWHERE AND x")
    assert (query.line, query.column) == (3, 11)
