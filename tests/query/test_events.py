"""What rules over events mean, one edge at a time, on a warehouse of a few rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from audiences.campaign.operators import OPERATORS
from audiences.query.render import render
from audiences.who.compile import qualified

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.who.conftest import Shop

pytestmark = pytest.mark.integration

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)  # 15:00 in Kolkata
MICROSECOND = timedelta(microseconds=1)
KOLKATA = "Asia/Kolkata"


def local(text: str) -> datetime:
    """A time in Kolkata, which is 5 h 30 min ahead of UTC all year."""
    return datetime.fromisoformat(f"{text}+05:30")


def did(event: str = "Buy", **given: Any) -> dict[str, Any]:
    return {"did": {"event": event, **given}}


@pytest.mark.parametrize("window", ["ever", "today", "last 1 days", "this month", "last 1 hours", "after 2020-01-01"])
def test_an_event_at_the_run_time_counts_and_one_after_it_never_does(shop: Shop, window: str) -> None:
    shop.add("exactly", "Buy", AT)
    shop.add("later", "Buy", AT + MICROSECOND)
    assert shop.who(did(within=window), at=AT, zone=KOLKATA) == {"exactly"}


@pytest.mark.parametrize(
    ("window", "first", "end"),
    [
        ("last 30 days", local("2026-10-24T00:00"), AT + MICROSECOND),
        ("last 2 weeks", local("2026-11-09T00:00"), AT + MICROSECOND),
        ("last 9 months", local("2026-02-23T00:00"), AT + MICROSECOND),
        ("last 24 hours", AT - timedelta(hours=24), AT + MICROSECOND),
        ("last 90 minutes", AT - timedelta(minutes=90), AT + MICROSECOND),
        ("exactly 3 days ago", local("2026-11-20T00:00"), local("2026-11-21T00:00")),
        ("today", local("2026-11-23T00:00"), AT + MICROSECOND),
        ("yesterday", local("2026-11-22T00:00"), local("2026-11-23T00:00")),
        ("previous month", local("2026-10-01T00:00"), local("2026-11-01T00:00")),
        ("previous week", local("2026-11-16T00:00"), local("2026-11-23T00:00")),
        ({"between": ["2026-11-01", "2026-11-03"]}, local("2026-11-01T00:00"), local("2026-11-04T00:00")),
        ("before 2026-11-03", datetime(1980, 1, 1, tzinfo=UTC), local("2026-11-03T00:00")),
        ("after 2026-11-03", local("2026-11-04T00:00"), AT + MICROSECOND),
        ({"after": "2026-11-03 10:00"}, local("2026-11-03T10:00:00.000001"), AT + MICROSECOND),
    ],
)
def test_a_window_holds_its_first_instant_and_not_the_one_at_its_end(
    shop: Shop, window: Any, first: datetime, end: datetime
) -> None:
    shop.add("before", "Buy", first - MICROSECOND)
    shop.add("first", "Buy", first)
    shop.add("last", "Buy", end - MICROSECOND)
    shop.add("end", "Buy", end)
    assert shop.who(did(within=window), at=AT, zone=KOLKATA) - {"before"} == {"first", "last"}
    assert ("before" in shop.who(did(within=window), at=AT, zone=KOLKATA)) == (window == "before 2026-11-03")


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [("Europe/Berlin", "2026-03-29", 23), ("Europe/Berlin", "2026-10-25", 25), ("America/Havana", "2026-03-08", 23)],
)
def test_a_day_on_which_clocks_change_is_shorter_or_longer(shop: Shop, zone: str, day: str, hours: int) -> None:
    offsets = {"2026-03-29": "+01:00", "2026-10-25": "+02:00", "2026-03-08": "-05:00"}
    start = datetime.fromisoformat(f"{day}T00:00{offsets[day]}")
    shop.add("first", "Buy", start)
    shop.add("last", "Buy", start + timedelta(hours=hours) - MICROSECOND)
    shop.add("next day", "Buy", start + timedelta(hours=hours))
    shop.add("day before", "Buy", start - MICROSECOND)
    run = start + timedelta(days=2, hours=12)
    assert shop.who(did(within="exactly 2 days ago"), at=run, zone=zone) == {"first", "last"}


def test_a_year_after_29_february_is_counted_from_28_february(shop: Shop) -> None:
    shop.add("28th", "Buy", datetime(2027, 2, 28, tzinfo=UTC))
    shop.add("27th", "Buy", datetime(2027, 2, 27, 23, 59, tzinfo=UTC))
    assert shop.who(did(within="last 1 years"), at=datetime(2028, 2, 29, tzinfo=UTC)) == {"28th"}


@pytest.mark.parametrize(
    ("span", "inside"),
    [
        (["09:00", "17:00"], {"09:00", "16:59"}),
        (["17:00", "09:00"], {"08:59", "17:00", "23:59"}),
        (["09:00", "09:00"], {"08:59", "09:00", "16:59", "17:00", "23:59"}),
        (["23:59", "00:00"], {"23:59"}),
    ],
)
def test_time_of_day_includes_its_start_and_not_its_end_and_may_pass_midnight(
    shop: Shop, span: list[str], inside: set[str]
) -> None:
    for clock in ("08:59", "09:00", "16:59", "17:00", "23:59"):
        shop.add(clock, "Buy", local(f"2026-11-20T{clock}"))
    assert shop.who(did(time_of_day=span), at=AT, zone=KOLKATA) == inside


def test_the_day_of_the_week_is_that_of_the_campaigns_zone(shop: Shop) -> None:
    shop.add("monday there", "Buy", local("2026-11-16T00:00"))  # still Sunday in UTC
    shop.add("sunday there", "Buy", local("2026-11-15T23:59"))
    assert shop.who(did(day_of_week=["mon"]), at=AT, zone=KOLKATA) == {"monday there"}
    assert shop.who(did(day_of_week=["sunday"]), at=AT, zone=KOLKATA) == {"sunday there"}


@pytest.fixture
def buyers(shop: Shop) -> Shop:
    """Users `0` to `6`, who bought that many times, for 10 each; the third time without an amount."""
    for count in range(7):
        shop.user(str(count))
        for number in range(count):
            shop.add(str(count), "Buy", AT - timedelta(days=number), amount=None if number == 2 else 10)
    return shop


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"count": {"less_than": 5}}, "1234"),
        ({"count": {"less_than": 5}, "or_never": True}, "01234"),
        ({"count": {"at_most": 0}}, ""),
        ({"count": {"at_most": 0}, "or_never": True}, "0"),
        ({"count": {"equals": 3}}, "3"),
        ({"count": {"at_least": 5}}, "56"),
        ({"count": {"more_than": 5}}, "6"),
        ({"count": {"between": [2, 4]}}, "234"),
        ({"sum": {"of": "amount", "equals": 20}}, "23"),
        ({"sum": {"of": "amount", "at_most": 10}, "or_never": True}, "01"),
        ({"average": {"of": "amount", "equals": 10}}, "123456"),
        ({"average": {"of": "amount", "equals": 10}, "or_never": True}, "0123456"),
        ({"average": {"of": "amount", "more_than": 10}, "or_never": True}, "0"),
        ({"count": {"at_least": 2}, "sum": {"of": "amount", "less_than": 30}}, "23"),
        ({"or_never": True}, "0123456"),
        ({"within": "today", "or_never": True, "count": {"more_than": 1}}, "0"),
    ],
)
def test_aggregates_and_or_never(buyers: Shop, given: dict[str, Any], wanted: str) -> None:
    assert buyers.who(did(**given), at=AT) == set(wanted)


def test_a_sum_over_events_that_all_lack_the_property_is_zero_and_an_average_matches_nothing(shop: Shop) -> None:
    shop.add("without", "Buy", AT, amount=None)
    shop.user("never")
    zero = {"of": "amount", "equals": 0}
    assert shop.who(did(sum=zero), at=AT) == {"without"}
    assert shop.who(did(sum=zero, or_never=True), at=AT) == {"without", "never"}
    assert shop.who(did(average=zero), at=AT) == set()
    assert shop.who(did(average=zero, or_never=True), at=AT) == {"never"}
    assert shop.who(did(average={"of": "amount", "at_most": 1e9}), at=AT) == set()


def test_sums_are_exact(shop: Shop) -> None:
    for _ in range(3):
        shop.add("u", "Buy", AT, amount=0.1)
    assert shop.who(did(sum={"of": "amount", "equals": 0.3}), at=AT) == {"u"}


def test_several_events_are_counted_together_or_each_on_its_own(shop: Shop) -> None:
    for user, events in {"ab": "AB", "aab": "AAB", "aabb": "AABB", "a": "AA", "none": "C"}.items():
        for event in events:
            shop.add(user, event, AT)

    def several(kind: str, key: str, **given: Any) -> set[str]:
        return shop.who({kind: {key: ["A", "B"], **given}}, at=AT)

    twice = {"count": {"at_least": 2}}
    assert several("did", "any_of") == {"ab", "aab", "aabb", "a"}
    assert several("did", "any_of", **twice) == {"ab", "aab", "aabb", "a"}
    assert several("did", "all_of") == {"ab", "aab", "aabb"}
    assert several("did", "all_of", **twice) == {"aabb"}
    assert several("did", "all_of", count={"equals": 2}, or_never=True) == {"aabb", "a", "none"}
    assert several("did_not", "any_of") == {"none"}
    assert several("did_not", "all_of") == {"a", "none"}


def test_first_and_last_time_look_at_all_matching_events_up_to_the_run(shop: Shop) -> None:
    def add(user: str, *days_ago: int, shop_name: str = "main") -> None:
        for days in days_ago:
            shop.add(user, "Buy", AT - timedelta(days=days), category=shop_name)

    add("new", 3, 1)
    add("old", 40, 1)
    add("lapsed", 40)
    add("old elsewhere", 40, shop_name="outlet")
    add("old elsewhere", 2)
    shop.add("new", "Buy", AT + timedelta(days=1))
    recently = "last 7 days"
    assert shop.who(did(first_time=recently), at=AT) == {"new"}
    assert shop.who(did(last_time=recently), at=AT) == {"new", "old", "old elsewhere"}
    assert shop.who(did(first_time=recently, where={"category": "main"}), at=AT) == {"new", "old elsewhere"}
    assert shop.who(did(first_time="before 2026-11-01", last_time=recently), at=AT) == {"old", "old elsewhere"}
    assert shop.who(did(first_time=recently, within="last 2 days"), at=AT) == {"new"}
    assert shop.who(did(last_time="before 2026-11-01", within=recently), at=AT) == set()
    assert shop.who(did(last_time="before 2026-11-01", within=recently, or_never=True), at=AT) == {"lapsed"}


def test_first_and_last_time_are_those_of_the_events_on_the_clock(shop: Shop) -> None:
    midnight = AT.replace(hour=0, minute=0, second=0, microsecond=0)
    shop.add("u", "Buy", midnight - timedelta(days=40, hours=12))
    shop.add("u", "Buy", midnight - timedelta(days=3, hours=2))
    shop.add("u", "Buy", midnight - timedelta(hours=12))
    recently, evening = "last 7 days", ["20:00", "00:00"]
    assert shop.who(did(first_time=recently), at=AT) == set()
    assert shop.who(did(first_time=recently, time_of_day=evening), at=AT) == {"u"}


@pytest.mark.parametrize("when", ["first_time", "last_time"])
def test_the_window_of_a_first_or_last_time_holds_its_first_instant_and_not_the_one_at_its_end(
    shop: Shop, when: str
) -> None:
    midnight, next_midnight = local("2026-11-22T00:00"), local("2026-11-23T00:00")
    shop.add("before", "Buy", midnight - MICROSECOND)
    shop.add("first", "Buy", midnight)
    shop.add("last", "Buy", next_midnight - MICROSECOND)
    shop.add("end", "Buy", next_midnight)
    assert shop.who(did(**{when: "yesterday"}), at=AT, zone=KOLKATA) == {"first", "last"}


def test_first_time_of_several_events_is_the_first_of_them_all_or_of_each(shop: Shop) -> None:
    shop.add("u", "A", AT - timedelta(days=40))
    shop.add("u", "B", AT - timedelta(days=1))
    shop.add("v", "A", AT - timedelta(days=2))
    shop.add("v", "B", AT - timedelta(days=1))
    recently = {"first_time": "last 7 days"}
    assert shop.who({"did": {"any_of": ["A", "B"], **recently}}, at=AT) == {"v"}
    assert shop.who({"did": {"all_of": ["A", "B"], **recently}}, at=AT) == {"v"}
    assert shop.who({"did": {"event": "B", **recently}}, at=AT) == {"u", "v"}
    latest = {"last_time": "last 36 hours"}
    assert shop.who({"did": {"any_of": ["A", "B"], **latest}}, at=AT) == {"u", "v"}
    assert shop.who({"did": {"all_of": ["A", "B"], **latest}}, at=AT) == set()


@pytest.mark.parametrize(
    "given",
    [
        {"within": "last 7 days"},
        {"within": "last 7 days", "where": {"category": {"not_equals": "shoes"}}},
        {"where": {"not": {"amount": {"at_least": 5}}}},
        {"time_of_day": ["00:00", "12:00"], "day_of_week": ["mon", "tue"]},
    ],
)
def test_did_not_is_the_exact_complement_of_did(shop: Shop, given: dict[str, Any]) -> None:
    for number in range(40):
        category = (None, "shoes", "bags")[number % 3]
        amount = (None, 1, 10, 5)[number % 4]
        shop.add(f"u{number % 25}", "Buy", AT - timedelta(hours=11 * number), category=category, amount=amount)
    shop.user("idle")
    everybody = shop.who({}, at=AT)
    yes, no = shop.who(did(**given), at=AT), shop.who({"did_not": {"event": "Buy", **given}}, at=AT)
    assert yes
    assert yes | no == everybody
    assert not yes & no


def test_events_of_strangers_and_of_nobody_do_not_matter(shop: Shop) -> None:
    shop.user("u")
    shop.add("stranger", "Buy", AT, known=False)
    shop.add(None, "Buy", AT, known=False)
    assert shop.who(did(), at=AT) == set()
    assert shop.who({"did_not": {"event": "Buy"}}, at=AT) == {"u"}
    assert shop.who({"not": did()}, at=AT) == {"u"}


@pytest.mark.parametrize("rules", [{}, did(), {"did_not": {"event": "Buy"}}, did(or_never=True)])
def test_empty_tables_give_nobody(shop: Shop, rules: dict[str, Any]) -> None:
    assert shop.who(rules, at=AT) == set()


@pytest.mark.parametrize(
    "text", ["O'Neil", "a;b", "50%", "%s", "%(x)s", "back\\slash\\'", ":bind", "$1", "ünï 名", '"q"', "--", "/*", "E'"]
)
def test_special_characters_in_names_and_values_are_only_characters(shop: Shop, text: str) -> None:
    shop.add("yes", text, AT, category=text)
    shop.add("no", text, AT, category="other")
    shop.add("no", "other", AT, category=text)
    assert shop.who(did(text, where={"category": text}), at=AT) == {"yes"}
    assert shop.who(did(text, where={"category": {"contains": text}}), at=AT) == {"yes"}
    assert shop.who(did(text, where={"category": {"in": [text, "x"]}}), at=AT) == {"yes"}


def test_a_property_may_be_named_anything(shop: Shop) -> None:
    name = "naïve 'prop' %s; -- \\ \"x\""
    shop.catalog["events"]["properties"][name] = {"jsonb": "payload", "path": name, "type": "string"}
    shop.add("yes", "Buy", AT, payload={name: "v"})
    shop.add("no", "Buy", AT, payload={name: "w"})
    assert shop.who(did(where={name: "v"}), at=AT) == {"yes"}


@pytest.mark.parametrize("operator", [name for name, operator in OPERATORS.items() if operator.searches])
def test_text_is_searched_letter_by_letter_whatever_the_columns_collation(shop: Shop, operator: str) -> None:
    """Postgres refuses to search by a collation that looks past letter case; the test's own server knows none such."""
    query = render(qualified(shop.spec(did(where={"category": {operator: "a"}})), AT))
    assert 'CAST(e.category AS TEXT) COLLATE "C"' in query


def _plain(shop: Shop) -> None: ...


def _names_as_enumeration(shop: Shop) -> None:
    shop.execute("CREATE TYPE pg_temp.event_name AS ENUM ('Buy', 'Look')")
    shop.execute("ALTER TABLE events ALTER name TYPE pg_temp.event_name USING name::pg_temp.event_name")


def _times_without_zone(shop: Shop) -> None:
    shop.execute("ALTER TABLE events ALTER at TYPE timestamp USING at AT TIME ZONE 'UTC'")


def _json_instead_of_jsonb(shop: Shop) -> None:
    shop.execute("ALTER TABLE events ALTER payload TYPE json USING payload::json")


@pytest.mark.parametrize("change", [_plain, _names_as_enumeration, _times_without_zone, _json_instead_of_jsonb])
def test_columns_of_several_kinds_will_do(shop: Shop, change: Callable[[Shop], None]) -> None:
    shop.catalog["events"]["properties"]["tags"] = {"jsonb": "payload", "path": "tags", "type": "list"}
    shop.add("yes", "Buy", local("2026-11-23T00:00"), payload={"tags": ["a", 1]})
    shop.add("yesterday", "Buy", local("2026-11-22T23:59"), payload={"tags": ["a"]})
    shop.add("other", "Buy", local("2026-11-23T00:00"), payload={"tags": ["b"]})
    change(shop)
    rule = did(within="today", where={"tags": {"contains_all": ["a"]}}, day_of_week=["mon"])
    assert shop.who(rule, at=AT, zone=KOLKATA) == {"yes"}
