"""Batches of raw users become packed rows: what the catalog says of the data reaches the rules of each identifier."""

from __future__ import annotations

import hashlib
from datetime import date

import pyarrow as pa
import pytest

from audiences.campaign.catalog import Catalog
from audiences.campaign.identifiers import FIELDS
from audiences.query.columns import Columns
from audiences.what.encode import Encoder
from audiences.what.identifiers.outcome import Reason
from audiences.what.rows import unpack

TODAY = date(2026, 11, 23)


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def encoder(*identifiers, properties=None, present=None, today=TODAY, **catalog):
    users = {"relation": "users", "key": "id", **{name: name for name in (*identifiers, "country")}}
    users |= catalog.pop("users", {})
    columns = Columns(
        identifiers={name: f"identifier_{name}" for name in (*identifiers, "country")},
        properties=properties or {},
        present=present or {},
    )
    return Encoder(identifiers, columns, Catalog.model_validate({"users": users, **catalog}), today=today)


def encoded(of, **columns):
    rows = len(next(iter(columns.values())))
    given = {
        "user_id": [str(number) for number in range(rows)],
        "opted_out": [False] * rows,
        "identifier_country": [None] * rows,
        **{name if name.startswith("property") else f"identifier_{name}": values for name, values in columns.items()},
    }
    arrays = {
        name: pa.array(values, pa.bool_() if name == "opted_out" else pa.string()) for name, values in given.items()
    }
    return of.encode(pa.RecordBatch.from_pydict(arrays))


def cells(batch):
    return [row and unpack(row) for row in batch.column("identifiers").to_pylist()]


def test_the_catalogs_default_country_completes_phone_numbers():
    found = encoded(encoder("phone", default_country="US"), phone=["(650) 555-1212", "+49 1512 3456789"])
    assert cells(found) == [{"PHONE": sha256("16505551212")}, {"PHONE": sha256("4915123456789")}]


def test_without_a_default_country_a_number_that_names_none_is_rejected_and_counted():
    of = encoder("phone")
    assert cells(encoded(of, phone=["(650) 555-1212"])) == [None]
    assert sum(of.rejected["phone"].values()) == 1


def test_a_users_own_country_goes_before_the_default():
    found = encoded(encoder("phone", default_country="US"), phone=["01512 3456789"], country=["Germany"])
    assert cells(found) == [{"PHONE": sha256("4915123456789")}]


def test_hashes_of_the_warehouse_are_sent_as_they_are_only_where_the_catalog_says_so():
    hashed = sha256("mary@example.com")
    plain = encoder("email")
    ready = encoder("email", users={"email": {"column": "email", "pre_hashed": True}})
    assert cells(encoded(ready, email=[hashed.upper()])) == [{"EMAIL": hashed}]
    assert cells(encoded(plain, email=[hashed])) == [None]


@pytest.mark.parametrize(
    ("order", "parts"),
    [
        ({}, ("1990", "05", "11")),
        ({"date_order": "month_first"}, ("1990", "05", "11")),
        ({"date_order": "day_first"}, ("1990", "11", "05")),
        ({"date_order": "year_first"}, None),
    ],
)
def test_a_date_of_two_readings_is_read_in_the_order_that_the_catalog_says(order, parts):
    of = encoder("email", "date_of_birth", users={"date_of_birth": {"column": "born", **order}})
    (row,) = cells(encoded(of, email=["a@example.com"], date_of_birth=["05.11.1990"]))
    sent = {key: sha256(part) for key, part in zip(("DOBY", "DOBM", "DOBD"), parts, strict=True)} if parts else {}
    assert row == {"EMAIL": sha256("a@example.com"), **sent}


@pytest.mark.parametrize(
    ("name", "option", "value", "left_alone", "read"),
    [
        ("phone", "vanity", "+1 800 FLOWERS", None, "18003569377"),
        ("phone", "strict_valid", "+1 555 555 5555", "15555555555", None),
        ("last_name", "fold_diacritics", "Müller", "müller", "muller"),
        ("first_initial", "fold_diacritics", "Émile", "é", "e"),
    ],
)
def test_what_the_catalog_says_of_reading_reaches_the_rule(name, option, value, left_alone, read):
    (key,) = FIELDS[name].keys
    for options, expected in (({}, left_alone), ({option: True}, read)):
        of = encoder(*{"email", name}, users={name: {"column": "it", **options}})
        (row,) = cells(encoded(of, **{"email": ["a@example.com"], name: [value]}))
        assert row.get(key) == (expected and sha256(expected))


def test_a_birthday_is_judged_by_the_day_of_the_run():
    for today, found in [(date(2026, 11, 23), True), (date(1989, 1, 1), False)]:
        of = encoder("email", "date_of_birth", today=today)
        row = cells(encoded(of, email=["a@example.com"], date_of_birth=["1990-05-11"]))[0]
        assert ("DOBY" in row) is found


def test_users_keep_their_id_their_opt_out_and_their_properties():
    found = encoded(
        encoder("email", properties={"tier": "property_1"}), email=["a@example.com", None], property_1=["gold", "tin"]
    )
    assert found.schema.names == ["user_id", "opted_out", "property_1", "identifiers"]
    assert found.column("property_1").to_pylist() == ["gold", "tin"]
    assert cells(found) == [{"EMAIL": sha256("a@example.com")}, None]


def test_an_external_id_that_may_be_an_address_is_not_sent_bare():
    of = encoder("email", "external_id")
    found = encoded(of, email=["a@example.com", "b@example.com"], external_id=["x@example.com", "77"])
    assert [row.get("EXTERN_ID") for row in cells(found)] == [None, "77"]
    assert sum(of.rejected["external_id"].values()) == 1


def test_rejected_values_add_up_over_batches():
    of = encoder("email")
    for _ in range(2):
        encoded(of, email=["nonsense", "a@example.com"])
    assert sum(of.rejected["email"].values()) == 2


def test_ids_that_may_be_addresses_add_up_over_batches_and_within_one():
    of = encoder("email", "external_id")
    for _ in range(2):
        encoded(of, email=["a@example.com"] * 3, external_id=["x@example.com", "y@example.com", "77"])
    assert dict(of.rejected["external_id"]) == {Reason.MAYBE_AN_EMAIL.value: 4}


def test_a_value_that_is_there_and_does_not_fit_is_counted_as_a_misfit_and_a_missing_one_is_not():
    of = encoder("email", properties={"age": "property_1"}, present={"age": "present_1"})
    columns = {
        "user_id": ["1", "2", "3", "4"],
        "identifier_country": [None] * 4,
        "identifier_email": ["a@example.com"] * 4,
        "property_1": ["30", None, None, None],
    }
    arrays = {name: pa.array(values, pa.string()) for name, values in columns.items()}
    arrays["opted_out"], arrays["present_1"] = pa.array([False] * 4), pa.array([True, True, True, False])
    for _ in range(2):
        of.encode(pa.RecordBatch.from_pydict(arrays))
    assert dict(of.misfits) == {"age": 4}
