"""Saved segments: rules within rules, SQL, lists; and that nothing is scanned twice."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from tests.who.conftest import a_spec

from audiences.query.render import render
from audiences.who.compile import qualified

if TYPE_CHECKING:
    from tests.who.conftest import Shop

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
BUYERS = {"did": {"event": "Buy"}}
LOOKERS = {"did": {"event": "Look"}}


@pytest.fixture
def people(shop: Shop) -> Shop:
    """`b` bought, `l` looked, `bl` both, `n` did nothing."""
    for user, events in {"b": ["Buy"], "l": ["Look"], "bl": ["Buy", "Look"], "n": []}.items():
        shop.user(user)
        for event in events:
            shop.add(user, event, AT)
    return shop


@pytest.mark.integration
@pytest.mark.parametrize(
    ("rules", "wanted"),
    [
        ({"segment": "buyers"}, {"b", "bl"}),
        ({"exclude_segment": "buyers"}, {"l", "n"}),
        ({"segment": ["buyers", "lookers"]}, {"bl"}),
        ({"exclude_segment": ["buyers", "lookers"]}, {"n"}),
        ({"segment": "buyers", "exclude_segment": "lookers"}, {"b"}),
        ({"segment": "only_buyers"}, {"b"}),
        ({"any": [{"segment": "only_buyers"}, {"not": {"segment": ["buyers"]}}]}, {"b", "l", "n"}),
        ({"all": [{"segment": "buyers"}, {"segment": "only_buyers"}], "did": {"event": "Buy"}}, {"b"}),
        ({"segment": "from_sql"}, {"b", "bl"}),
        ({"exclude_segment": "from_sql"}, {"l", "n"}),
        ({"segment": "listed"}, {"b", "n"}),
        ({"any": [{"segment": "listed"}, {"segment": "from_sql"}]}, {"b", "bl", "n"}),
        ({"segment": "nobody"}, set()),
        ({"exclude_segment": "nobody"}, {"b", "l", "bl", "n"}),
        ({"did": {"event": "Buy"}, "did_not": {"event": "Look"}, "exclude_segment": "nobody"}, {"b"}),
    ],
)
def test_segments_of_every_kind_combine(people: Shop, rules: dict[str, Any], wanted: set[str]) -> None:
    segments = {
        "buyers": {"rules": BUYERS},
        "lookers": {"rules": LOOKERS},
        "only_buyers": {"rules": {"segment": "buyers", "exclude_segment": "lookers"}},
        "from_sql": {"sql": "SELECT user_id FROM events WHERE name LIKE 'B%' -- twice, and with a null"},
        "listed": {"users": ["n", "b", "b", "stranger", "\x00"]},
        "nobody": {"users": []},
    }
    people.add(None, "Buy", AT, known=False)
    assert people.who(rules, at=AT, segments=segments) == wanted


@pytest.mark.integration
def test_sql_segments_may_return_ids_of_another_type_with_repeats_and_nulls(shop: Shop) -> None:
    shop.user("7")
    shop.user("8")
    numbers = {"sql": "SELECT 7::bigint AS user_id UNION ALL SELECT 7 UNION ALL SELECT NULL"}
    assert shop.who({"segment": "numbers"}, at=AT, segments={"numbers": numbers}) == {"7"}
    assert shop.who({"exclude_segment": "numbers"}, at=AT, segments={"numbers": numbers}) == {"8"}


@pytest.mark.integration
@pytest.mark.parametrize(
    "condition",
    ["note = ':x'", "note LIKE '50%'", "note ~ '\\:'", "1::int = 1::bigint", "note = E'a\\:b' OR true", "'$1' <> ''"],
)
def test_the_text_of_a_sql_segment_is_run_as_it_stands(shop: Shop, condition: str) -> None:
    shop.execute("CREATE TEMP TABLE notes (user_id text, note text)")
    shop.execute("INSERT INTO notes VALUES ('yes', ':x'), ('yes', '50%'), ('no', 'other')")
    shop.user("yes")
    query = f"SELECT user_id FROM notes WHERE {condition}"
    wanted = {row[0] for row in shop.connection.execute(query.encode()).fetchall()} & {"yes"}
    assert shop.who({"segment": "s"}, at=AT, segments={"s": {"sql": query}}) == wanted


def test_equal_conditions_are_scanned_once() -> None:
    rules = {
        "all": [BUYERS, {"did_not": {"event": "Look"}}],
        "any": [{"did": {"event": "Look"}}, {"did_not": {"event": "Buy"}}, {"segment": "s"}, {"not": {"segment": "s"}}],
    }
    spec = a_spec(rules, segments={"s": {"rules": {"all": [BUYERS, LOOKERS]}}})
    assert render(qualified(spec, AT)).count("FROM public.events") == 2


def test_only_events_that_must_be_counted_or_may_be_absent_are_grouped_by_user() -> None:
    def groups(who: dict[str, Any]) -> int:
        return render(qualified(a_spec(who, segments={"s": {"rules": BUYERS}}), AT)).count("GROUP BY")

    assert groups({"all": [{"segment": "s"}, {"did_not": {"event": "Look"}}]}) == 0
    assert groups({"did": {"event": "Buy", "count": {"at_least": 2}}}) == 1
    assert groups({"any": [BUYERS, LOOKERS]}) == 2
    assert groups({"not": BUYERS}) == groups({"exclude_segment": "s"}) == groups({"all": [BUYERS, BUYERS]}) == 1


def test_a_segment_used_often_is_written_once_so_that_nesting_stays_linear() -> None:
    segments: dict[str, Any] = {"s0": {"rules": BUYERS}}
    for level in range(1, 25):
        below = {"segment": f"s{level - 1}"}
        segments[f"s{level}"] = {"rules": {"any": [below, {"not": below}, {"all": [below, LOOKERS]}]}}
    text = render(qualified(a_spec({"segment": "s24"}, segments=segments), AT))
    assert len(text) < 30_000


@pytest.mark.integration
def test_a_segment_used_often_means_the_same_as_one_used_once(people: Shop) -> None:
    saved = {"rules": {"any": [{"not": BUYERS}, LOOKERS]}}
    once = people.who({"segment": "s"}, at=AT, segments={"s": saved})
    often = people.who({"any": [{"segment": "s"}, {"all": [{"segment": "s"}, BUYERS]}]}, at=AT, segments={"s": saved})
    assert once == often == {"l", "bl", "n"}


def test_names_of_segments_never_reach_the_sql_bare() -> None:
    name = "x; DROP TABLE users; -- " + "é" * 80
    text = render(qualified(a_spec({"segment": name}, segments={name: {"users": ["1"]}}), AT))
    assert "DROP TABLE" not in text
    assert "audiences__segment_1_x_drop_table_users" in text


def test_the_ids_of_a_list_are_read_once_for_all_conditions() -> None:
    text = render(qualified(a_spec({"segment": "s"}, segments={"s": {"users": ["1"]}}), AT))
    assert "audiences__segment_1_s AS MATERIALIZED" in text
