from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import numpy as np
import phonenumbers
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from audiences.demo import phones, visits
from audiences.demo.postgres import running_postgres
from audiences.demo.shop import load_shop, shop_tables
from audiences.demo.shopper_countries import COUNTRIES

AS_OF = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def shop() -> tuple[pa.Table, pa.Table]:
    return shop_tables(as_of=AS_OF, users=4_000, events=30_000)


def test_same_seed_and_time_give_the_same_rows(shop):
    again = shop_tables(as_of=AS_OF, users=4_000, events=30_000)
    assert again[0].equals(shop[0])
    assert again[1].equals(shop[1])


def test_another_seed_gives_other_rows(shop):
    users, events = shop_tables(as_of=AS_OF, users=4_000, events=30_000, seed=1)
    assert not users.equals(shop[0])
    assert not events.equals(shop[1])


def test_customers_stay_the_same_when_events_are_added(shop):
    assert shop_tables(as_of=AS_OF, users=4_000, events=10)[0].equals(shop[0])


@pytest.mark.parametrize("events", [0, 1, 7, 1_000])
def test_any_number_of_events_is_met_exactly(events):
    assert len(shop_tables(as_of=AS_OF, users=50, events=events)[1]) == events


def test_every_event_is_in_the_60_days_before_the_given_time(shop):
    _, events = shop
    bounds = pc.min_max(events["occurred_at"]).as_py()
    assert AS_OF - timedelta(days=visits.DAYS) <= bounds["min"]
    assert bounds["max"] < AS_OF
    assert pc.max(events["arrived_at"]).as_py() <= AS_OF
    assert pc.all(pc.less_equal(events["occurred_at"], events["arrived_at"])).as_py()


def test_nobody_has_an_event_before_signing_up(shop):
    users, events = shop
    signed_up = users["signed_up_at"].take(pc.subtract(events["user_id"], 1))
    assert pc.all(pc.greater_equal(events["occurred_at"], signed_up)).as_py()


def test_rows_arrive_in_order_though_some_are_late(shop):
    _, events = shop
    arrived = events["arrived_at"].to_pylist()
    assert arrived == sorted(arrived)
    occurred = events["occurred_at"].to_pylist()
    assert max(after - before for before, after in zip(occurred, arrived, strict=True)) > timedelta(hours=1)


def test_funnel_narrows_and_leaves_carts_behind(shop):
    _, events = shop
    counts = {row["values"]: row["counts"] for row in pc.value_counts(events["name"].combine_chunks()).to_pylist()}
    assert set(counts) == set(visits.NAMES)
    assert counts["Product Viewed"] > counts["App Opened"] > counts["Added To Cart"] > counts["Charged"] > 0
    of = {
        name: set(events.filter(pc.equal(events["name"], name))["user_id"].to_pylist())
        for name in ("Added To Cart", "Charged")
    }
    assert len(of["Added To Cart"] - of["Charged"]) > 50


def test_a_lift_is_built_in_for_those_who_left_a_cart_and_were_reached():
    reached = np.arange(20_000) % 2 == 0
    _, events = shop_tables(as_of=AS_OF, users=20_000, events=200_000, reached=reached)
    launch = AS_OF - timedelta(days=visits.LAUNCH_DAYS)
    after = pc.greater(events["occurred_at"], launch)

    def users(name: str, when: pa.ChunkedArray) -> set[int]:
        return set(events.filter(pc.and_(pc.equal(events["name"], name), when))["user_id"].to_pylist())

    before = pc.and_(pc.invert(after), pc.greater(events["occurred_at"], launch - timedelta(days=30)))
    abandoned = users("Added To Cart", before) - users("Charged", before)
    bought = users("Charged", after)
    rates = {
        even: len({user for user in abandoned & bought if (user % 2 == 1) == even})
        / len({user for user in abandoned if (user % 2 == 1) == even})
        for even in (True, False)
    }
    assert rates[True] > 1.5 * rates[False] > 0.02
    others = list(bought - abandoned)
    assert 0.45 < len([user for user in others if user % 2 == 1]) / len(others) < 0.55


def test_emails_are_on_reserved_domains_and_in_disorder(shop):
    emails = shop[0]["email"].to_pylist()
    given = [email for email in emails if email]
    assert None in emails
    assert len(set(given)) < len(given)
    assert any(email != email.strip() for email in given)
    assert any(email.isupper() for email in given)
    plausible = [email for email in given if re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email.strip())]
    assert 0.9 < len(plausible) / len(given) < 1
    assert all(re.search(r"@([a-z]+\.)?example\.(com|org|net)$", email.strip().lower()) for email in plausible)


@pytest.mark.parametrize("country", [country.code for country in COUNTRIES])
def test_phones_are_what_the_country_would_dial(country):
    written = phones.RANGES[country].draw(np.random.default_rng(5), count=500)
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(number, country)) for number in written)
    assert any(number.startswith("+") for number in written)


def test_phones_are_missing_or_garbage_now_and_then(shop):
    numbers = shop[0]["phone"].to_pylist()
    assert None in numbers
    assert set(phones.GARBAGE) & set(numbers)


def test_countries_come_as_codes_and_as_names(shop):
    assert {"US", "United States", "DE", "Germany", None} <= set(shop[0]["country"].to_pylist())


@pytest.mark.integration
def test_shop_loads_into_postgres_twice_with_the_agreed_columns(folder):
    with running_postgres(folder, durable=False) as server:
        server.create_database("shop")
        for _ in range(2):
            load_shop(server.uri("shop"), as_of=AS_OF, users=500, events=3_000)
        with psycopg.connect(server.uri("shop")) as connection:
            columns = connection.execute(
                "SELECT table_name, string_agg(column_name || ' ' || data_type, ', ' ORDER BY ordinal_position)"
                " FROM information_schema.columns WHERE table_schema = 'shop' GROUP BY 1"
            ).fetchall()
            counted = connection.execute(
                "SELECT (SELECT count(*) FROM shop.users), count(*), min(id), max(id),"
                " count(*) FILTER (WHERE jsonb_typeof(properties -> 'amount') = 'number') FROM shop.events"
            ).fetchone()
            indexes = connection.execute("SELECT indexdef FROM pg_indexes WHERE schemaname = 'shop'").fetchall()
    assert dict(columns) == {
        "users": "id bigint, email text, phone text, country text, city text, first_name text, last_name text, "
        "date_of_birth date, gender text, customer_type text, unsubscribed_email boolean, unsubscribed_sms boolean, "
        "opted_out boolean, app_version text, device jsonb, interests ARRAY, lifetime_value numeric, "
        "signed_up_at timestamp with time zone",
        "events": "id bigint, user_id bigint, name text, occurred_at timestamp with time zone, "
        "arrived_at timestamp with time zone, properties jsonb",
    }
    assert counted[:4] == (500, 3_000, 1, 3_000)
    assert 0 < counted[4] < 3_000
    assert {re.search(r"\(.*\)", definition).group() for (definition,) in indexes} == {
        "(id)",
        "(name, occurred_at, user_id)",
        "(arrived_at)",
    }
