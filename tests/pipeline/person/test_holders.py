"""Somebody found by an e-mail address or a phone number, which itself is in no query, no log and no answer."""

from __future__ import annotations

import logging

import pytest

from audiences.ledger.database import Ledger
from audiences.pipeline.explain import explain_address
from audiences.pipeline.person.holders import UnreadableAddressError, holders
from audiences.warehouse.reader import Warehouse

pytestmark = pytest.mark.integration


def who(shop, kind, address, **catalog):
    spec = shop.campaign()
    found = spec.catalog.model_copy(update=catalog)
    with shop.resources(spec.model_copy(update={"catalog": found}), read_only=True) as resources:
        return holders(resources, resources.spec.catalog, kind, address, shop.noon)


@pytest.mark.parametrize("address", ["one@example.com", " One@Example.COM\n"])
@pytest.mark.parametrize("stored", ["one@example.com", "  ONE@example.com "])
def test_an_address_is_found_as_an_upload_would_read_it(shop, address, stored):
    shop.user(1, stored)
    shop.user(2, "two@example.com")
    assert who(shop, "email", address).users == ("1",)


@pytest.mark.parametrize("number", ["+1 (415) 555-2671", "415 555 2671", "0014155552671"])
def test_a_phone_number_is_read_in_the_default_country(shop, number):
    shop.user(1, None, "+14155552671")
    shop.user(2, None, "(415) 555-2671")
    shop.user(3, None, "+14155552672")
    assert who(shop, "phone", number, default_country="US").users == ("1", "2")


def test_a_phone_number_without_country_code_is_read_in_the_country_of_each_user(shop):
    shop.sql("alter table users add country text")
    shop.user(1, None, "030 901820", country="Germany")
    shop.user(2, None, "030 901820", country="US")
    shop.user(3, None, "+49 30 901820", country="US")
    spec = shop.campaign()
    users = spec.catalog.users.model_validate(
        {**spec.catalog.users.model_dump(exclude_unset=True), "country": "country"}
    )
    assert who(shop, "phone", "030 901820", users=users).users == ("1",)
    assert who(shop, "phone", "+4930901820", users=users).users == ("1", "3")


def test_everybody_who_shares_an_address_is_named(shop):
    for number in (1, 2, 3):
        shop.user(number, "office@example.com")
        shop.event(number)
    spec = shop.campaign()
    with shop.resources(spec, read_only=True) as resources:
        found = explain_address(resources, "email", "office@example.com", shop.noon)
    assert [(one.user, one.outcome) for one in found.users] == [(str(n), "targeted") for n in (1, 2, 3)]


def test_hashed_columns_are_compared_with_the_hash(shop):
    shop.user(1, shop.row_of("one@example.com", None)[0][1])
    spec = shop.campaign()
    users = spec.catalog.users.model_copy(
        update={"email": spec.catalog.users.email.model_copy(update={"pre_hashed": True})}
    )
    assert who(shop, "email", "One@example.com", users=users).users == ("1",)


def test_a_person_who_is_gone_from_the_warehouse_is_found_on_record(shop):
    shop.user(1, "one@example.com", "+14155552671")
    shop.event(1)
    spec = shop.campaign()
    run = shop.run(spec).run
    shop.sql("delete from users")
    for kind, address in (("email", "ONE@example.com"), ("phone", "+1 415 555 2671")):
        with shop.resources(spec, read_only=True) as resources:
            (found,) = explain_address(resources, kind, address, shop.noon).users
        assert (found.user, found.known, found.assignment) == ("1", False, "target")
        assert found.history == (f"added in run {run} of carts, 2026-11-23 12:00:00+00:00",)


def test_who_changed_the_address_is_found_by_the_old_one_too(shop):
    shop.user(1, "old@example.com")
    shop.event(1)
    shop.run(shop.campaign())
    shop.sql("update users set email = 'new@example.com'")
    assert (who(shop, "email", "new@example.com").users, who(shop, "email", "old@example.com").on_record) == (
        ("1",),
        ("1",),
    )


def test_nobody_has_it_also_in_a_ledger_that_was_never_migrated(shop):
    shop.never_migrated()
    found = who(shop, "email", "nobody@example.com")
    assert (found.users, found.on_record, found.erased) == ((), (), False)


def test_what_is_no_address_is_refused_without_being_quoted(shop):
    shop.user(1, "secret at home")
    with pytest.raises(UnreadableAddressError, match="not an e-mail address") as refusal:
        who(shop, "email", "secret at home")
    assert "secret" not in str(refusal.value)
    with pytest.raises(UnreadableAddressError, match=r"no country code; write it with \+"):
        who(shop, "phone", "4155552671")


def test_the_address_is_in_no_query_and_no_log(shop, caplog, monkeypatch):
    shop.user(1, "one@example.com")
    asked = []
    stream, rows, values = Warehouse.stream, Ledger.rows, Ledger.values
    monkeypatch.setattr(Warehouse, "stream", lambda self, query: asked.append(query) or stream(self, query))
    monkeypatch.setattr(Ledger, "rows", lambda self, *given: asked.append(str(given)) or rows(self, *given))
    monkeypatch.setattr(Ledger, "values", lambda self, *given: asked.append(str(given)) or values(self, *given))
    with caplog.at_level(logging.DEBUG):
        assert who(shop, "email", "one@example.com").users == ("1",)
    assert len(asked) > 2
    assert "one@" not in "".join(asked) + caplog.text
