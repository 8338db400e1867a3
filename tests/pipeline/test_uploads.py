"""What an upload has to get right whatever the data hold: odd values, blank users, hashes in the warehouse, full requests."""

from __future__ import annotations

import hashlib

import pytest

from audiences.campaign.catalog import Users

pytestmark = pytest.mark.integration
EVER = {"did": {"event": "Added To Cart"}}
NOTHING = hashlib.sha256(b"").hexdigest()


@pytest.fixture
def fill(shop):
    """Makes that many users with an e-mail address, a phone number and one event each."""

    def make(users: int) -> None:
        shop.sql(
            "insert into users (id, email, phone) select i, 'user' || i || '@example.com', '+1415' || 2000000 + i"
            " from generate_series(1, %s) i",
            users,
        )
        shop.sql(
            "insert into events (user_id, name, occurred_at)"
            " select id, 'Added To Cart', timestamptz '2026-11-22 12:00 UTC' from users"
        )

    return make


def everybody(shop):
    """The rows of all users as they should be at Facebook."""
    return {shop.row_of(*user) for user in shop.sql("select email, phone from users")} - {()}


def with_identifier(spec, name: str, **source):
    """The campaign with that identifier mapped in the catalog."""
    users = Users.model_validate({**spec.catalog.users.model_dump(), name: source})
    return spec.model_copy(update={"catalog": spec.catalog.model_copy(update={"users": users})})


def test_one_impossible_phone_among_ten_thousand_costs_its_cell_only(shop, fill):
    fill(10_000)
    shop.sql("update users set phone = '+0000000000' where id = 4711")
    summary = shop.run(shop.campaign(who=EVER))
    shop.sql("update users set phone = null where id = 4711")
    assert shop.members(summary.audience.id) == everybody(shop)
    assert (summary.state, summary.requests, summary.outcomes["added"]) == ("success", 1, 10_000)
    assert summary.rejected == {"phone": {"placeholder": 1}}


def test_a_user_of_blanks_alone_is_no_row_and_disturbs_none(shop, fill):
    fill(20)
    shop.sql("update users set email = '  ', phone = '' where id = 1")
    shop.sql("update users set email = null, phone = null where id = 2")
    shop.sql("update users set email = '' where id = 3")
    summary = shop.run(shop.campaign(who=EVER))
    shop.sql("update users set email = null, phone = null where id = 1")
    shop.sql("update users set email = null where id = 3")
    assert shop.members(summary.audience.id) == everybody(shop)
    assert (summary.outcomes["no_identifier"], summary.outcomes["added"]) == (2, 18)
    assert [entry["rows"] for entry in shop.uploads()] == [18]


@pytest.mark.parametrize(("users", "requests"), [(9_999, [9_999]), (10_000, [10_000]), (10_001, [1, 10_000])])
def test_requests_hold_ten_thousand_rows_and_no_more(shop, fill, users, requests):
    fill(users)
    spec = shop.campaign(who=EVER, what={"guards": {"max_removal": 100, "allow_empty": True}})
    summary = shop.run(spec)
    assert sorted(entry["rows"] for entry in shop.uploads()) == requests
    shop.sql("delete from events")
    emptied = shop.run(spec)
    removals = [entry for entry in shop.uploads() if entry["method"] == "DELETE"]
    assert sorted(entry["rows"] for entry in removals) == requests
    assert (summary.requests, emptied.requests) == (len(requests), len(requests))
    assert shop.members(summary.audience.id) == set()
    assert max(entry["url_length"] for entry in removals) < 2_000
    assert not any(entry["token_in_url"] for entry in removals)


def test_a_run_asks_facebook_three_times_besides_what_it_sends(shop, fill):
    fill(3)
    spec = shop.campaign(who=EVER)
    shop.run(spec)
    shop.sql("insert into users (id, email) values (4, 'user4@example.com')")
    shop.event(4)
    before = len(shop.sandbox.admin.requests())
    shop.run(spec)
    assert [call["method"] for call in shop.sandbox.admin.requests()[before:]] == ["GET", "GET", "POST", "GET"]


def test_a_run_without_anything_to_send_asks_facebook_once(shop, fill):
    fill(3)
    spec = shop.campaign(who=EVER)
    audience = shop.run(spec).audience.id
    before = len(shop.sandbox.admin.requests())
    checked = shop.sql("select checked_at from audiences.audience", on="ledger")
    shop.run(spec)
    asked = shop.sandbox.admin.requests()[before:]
    assert [(call["method"], call["path"].rpartition("/")[2]) for call in asked] == [("GET", audience)]
    assert shop.sql("select checked_at from audiences.audience", on="ledger") > checked


def test_hashes_in_upper_case_are_sent_in_lower_case_and_not_hashed_again(shop, fill):
    fill(5)
    shop.sql("update users set email = upper(encode(sha256(lower(email)::bytea), 'hex')), phone = null")
    shop.sql("update users set email = upper(%s) where id = 5", NOTHING)
    spec = with_identifier(shop.campaign(who=EVER), "email", column="email", pre_hashed=True)
    summary = shop.run(spec)
    wanted = {shop.row_of(f"user{number}@example.com", None) for number in range(1, 5)}
    assert shop.members(summary.audience.id) == wanted
    assert (summary.rejected["email"], summary.outcomes["no_identifier"]) == ({"hash of nothing": 1}, 1)


def test_nothing_is_ever_the_hash_of_nothing(shop, fill):
    fill(12)
    for number, blank in enumerate(["", " ", "\t", "null", "N/A", "\u200b", "-", "nan", "None", "\xa0", "@"], 1):
        shop.sql("update users set email = %s where id = %s", blank, number)
    summary = shop.run(shop.campaign(who=EVER))
    assert all(("EMAIL", NOTHING) not in row for row in shop.members(summary.audience.id))
    assert sum(any(key == "EMAIL" for key, _ in row) for row in shop.members(summary.audience.id)) == 1
    assert shop.sandbox.admin.state(members=False)["pii"]["clean"]


def test_an_id_that_may_be_an_e_mail_address_costs_its_cell_only(shop, fill):
    fill(20)
    shop.sql("alter table users add column number text")
    shop.sql("update users set number = case when id % 10 = 0 then email else 'N' || id end")
    shop.sql("update users set phone = null")
    spec = shop.campaign(who=EVER, what={"identifiers": ["email", "external_id"]})
    summary = shop.run(with_identifier(spec, "external_id", column="number"))
    expected = {
        (*shop.row_of(f"user{number}@example.com", None), *([] if number % 10 == 0 else [("EXTERN_ID", f"N{number}")]))
        for number in range(1, 21)
    }
    assert shop.members(summary.audience.id) == expected
    assert (summary.state, summary.outcomes["added"]) == ("success", 20)
    assert summary.rejected["external_id"] == {"an id with an @, which may be an e-mail address": 2}
    assert shop.sandbox.admin.state(members=False)["pii"]["clean"]


def test_the_order_of_dates_and_the_first_initial_reach_facebook(shop):
    shop.user(1, "ann@example.com", None)
    shop.event(1)
    shop.sql("alter table users add born text default '05.11.1990', add initial text default 'A.'")
    spec = shop.campaign(who=EVER, what={"identifiers": ["email", "first_initial", "date_of_birth"]})
    spec = with_identifier(spec, "date_of_birth", column="born", date_order="day_first")
    summary = shop.run(with_identifier(spec, "first_initial", column="initial"))
    (row,) = shop.members(summary.audience.id)
    sent = {"EMAIL": "ann@example.com", "FI": "a", "DOBY": "1990", "DOBM": "11", "DOBD": "05"}
    assert dict(row) == {key: hashlib.sha256(value.encode()).hexdigest() for key, value in sent.items()}


def test_each_request_is_on_record_with_as_many_rows_as_it_has(shop, fill, small_requests):
    fill(25)
    shop.run(shop.campaign(who=EVER))
    assert shop.sql("select first_row, rows from audiences.chunk order by number", on="ledger") == [
        (0, 10), (10, 10), (20, 5),
    ]  # fmt: skip


def test_the_catalogs_default_country_reaches_the_numbers_at_facebook(shop):
    shop.user(1, None, "(650) 555-1212")
    shop.event(1)
    spec = shop.campaign(who=EVER)
    spec = spec.model_copy(update={"catalog": spec.catalog.model_copy(update={"default_country": "US"})})
    assert shop.members(shop.run(spec).audience.id) == {shop.row_of(None, "+16505551212")}
