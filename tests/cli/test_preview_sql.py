"""`preview --sql` prints the very statement that runs: both texts are run, and both give the same rows."""

from __future__ import annotations

import json

import pytest
from tests.cli.test_commands import AT, audiences, filled, project, sandbox_server, shop  # noqa: F401  # fixtures
from tests.pipeline import conftest as pipeline

pytestmark = pytest.mark.integration
users_queries = pipeline.users_queries  # a fixture too
SEGMENTS = [
    "SELECT user_id FROM events WHERE occurred_at > timestamptz '2026-11-23 12:00Z' + interval '5 days ago'",
    "SELECT user_id FROM events WHERE occurred_at > timestamptz '2026-11-23 12:00Z' - interval '1 day 06:00'",
    "SELECT id AS user_id FROM users WHERE id < 0x0A AND id > 0b1 AND id <> 0o3",
    "SELECT id AS user_id FROM users WHERE id < 1_000 ORDER BY id USING > LIMIT 2",
    "SELECT id AS user_id FROM users WHERE @ (id - 2) < 1",
    "SELECT id AS user_id FROM users WHERE tier IS NULL OR tier IS NFC NORMALIZED -- who has 'none'",
    "SELECT id AS user_id FROM users WHERE $$;it's\t:x$$ <> E'\\'\\t' AND '50%' LIKE '%\\%%s'",
    "\n\n  SELECT id AS user_id /* a /* nested */ comment; */ FROM users\n\tWHERE U&'\\0061' = 'a';\n",
]
WHO = [
    {"did": {"event": "Added To Cart", "within": "last 30 days", "count": {"at_least": 1}}},
    {
        "any": [
            {"did": {"event": "Added To Cart", "last_time": "last 5 days"}},
            {"did_not": {"event": "x'\t\\%s:y\u2067 --"}},
        ]
    },
    {"did": {"event": "Added To Cart", "time_of_day": ["10:00", "14:00"], "day_of_week": ["sun", "mon"]}},
]


def printed_and_run(audiences, users_queries, shop, who):  # noqa: F811  # fixtures
    out = audiences("preview", "carts", *AT, "--sql")[1]
    in_json = json.loads(audiences("preview", "carts", *AT, "--sql", "--json")[1].splitlines()[-1])["sql"]
    run = users_queries[0]
    assert out.startswith(f"{run}\n")
    assert in_json == run
    printed = out[: out.index("\ncarts as of ")]
    return [sorted(shop.sql(text)) for text in (printed, run)]


@pytest.mark.parametrize("query", SEGMENTS)
def test_a_saved_segment_is_printed_as_it_is_written(audiences, users_queries, filled, project, query):  # noqa: F811  # fixtures
    project.write("include/segments/saved.sql", query)
    project.write("campaigns/carts.yml", pipeline.CARTS.replace("{did: {event: Added To Cart}}", "{segment: saved}"))
    printed, run = printed_and_run(audiences, users_queries, filled, query)
    assert printed == run
    written = query.rstrip().rstrip(";")
    assert any(written.strip() in text for text in users_queries)
    users = {user for (user, *_) in run}
    assert users == {str(row[0]) for row in filled.sql(written)} & {
        str(row[0]) for row in filled.sql("select id from users")
    }


@pytest.mark.parametrize("who", WHO)
def test_generated_sql_is_printed_as_it_runs(audiences, users_queries, filled, project, who):  # noqa: F811  # fixtures
    project.write("campaigns/carts.yml", pipeline.CARTS.replace("{did: {event: Added To Cart}}", json.dumps(who)))
    printed, run = printed_and_run(audiences, users_queries, filled, who)
    assert printed == run
    assert run
