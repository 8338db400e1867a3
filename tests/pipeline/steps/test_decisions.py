"""The outcome of each user of a batch, and in which order the reasons decide."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pytest
from tests.who.conftest import a_spec, shop_catalog

from audiences.pipeline.results import RunRef
from audiences.pipeline.steps.decisions import decide
from audiences.what.erased import Erased

EMAIL = b"\x01\x20" + b"e" * 32
NOBODY = Erased(b"salt", frozenset())
RECORDED = pa.schema([("user_id", pa.string()), ("arm", pa.int8())])


@pytest.fixture
def decided():
    """The outcome of each user (id, opted out, packed row, tier) by id."""

    def make(*users, who=None, recorded=(), erased=NOBODY, salt="carts", control_groups=None):
        catalog = shop_catalog()
        catalog["users"]["properties"] = {"tier": {"column": "tier", "type": "string"}}
        spec = a_spec(
            {},
            catalog=catalog,
            control_groups=control_groups or {},
            campaign={
                "name": "Carts",
                "who": who or {"with_properties": {"tier": "gold"}},
                "what": {"audience": {"create": {"name": "Carts"}}},
                "when": {"now": True},
            },
        )
        run = RunRef(
            run=1,
            campaign=1,
            salt=salt,
            audience=1,
            facebook_id="23",
            at=datetime(2026, 11, 23, tzinfo=UTC),
            staging="/x",
        )
        names = ("user_id", "opted_out", "identifiers", "property_1")
        types = (pa.string(), pa.bool_(), pa.binary(), pa.string())
        columns = zip(*users, strict=True)
        batch = pa.RecordBatch.from_arrays(
            [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)], names=list(names)
        )
        known = pa.Table.from_pylist([{"user_id": user, "arm": arm} for user, arm in recorded], schema=RECORDED)
        of_erased = erased.among(batch.column("user_id"), batch.column("identifiers"))
        found = decide(spec, run, batch, known, of_erased)
        return dict(zip((user[0] for user in users), found.to_list(), strict=True))

    return make


def test_each_user_has_the_first_outcome_that_holds(decided):
    assert decided(
        ("target", False, EMAIL, "gold"),
        ("filtered", False, EMAIL, "tin"),
        ("filtered_and_out", True, None, "tin"),
        ("out", True, EMAIL, "gold"),
        ("out_without", True, None, "gold"),
        ("without", False, None, "gold"),
        ("no_tier", False, EMAIL, None),
    ) == {
        "target": "candidate",
        "filtered": "filtered_out",
        "filtered_and_out": "filtered_out",
        "out": "opted_out",
        "out_without": "opted_out",
        "without": "no_identifier",
        "no_tier": "filtered_out",
    }


def test_who_was_erased_counts_as_opted_out_by_id_and_by_identifier(decided):
    salted = Erased(b"salt", frozenset())
    erased = Erased(b"salt", frozenset({salted.digest_of_user("gone"), next(salted.digests_of_row(EMAIL))}))
    assert decided(
        ("gone", False, b"\x02\x20" + b"p" * 32, "gold"),
        ("other_id", False, EMAIL, "gold"),
        ("stays", False, b"\x01\x20" + b"f" * 32, "gold"),
        erased=erased,
    ) == {"gone": "opted_out", "other_id": "opted_out", "stays": "candidate"}


def test_an_earlier_assignment_stands_whatever_the_percentages_are_now(decided):
    users = [(name, False, EMAIL, "gold") for name in ("t", "s", "x", "c")]
    held = {"with_properties": {"tier": "gold"}, "control_group": {"percent": 50}}
    assert decided(*users, who=held, recorded=[("t", 0), ("s", 1), ("x", 2), ("c", 3)]) == {
        "t": "candidate", "s": "control_system", "x": "control_custom", "c": "control_campaign",
    }  # fmt: skip


def test_a_renamed_campaign_holds_out_the_users_of_its_first_name(decided):
    users = [(str(number), False, EMAIL, "gold") for number in range(200)]
    held = {"with_properties": {"tier": "gold"}, "control_group": {"percent": 50}}
    first, again, another = (decided(*users, who=held, salt=salt) for salt in ("carts", "carts", "renamed"))
    assert first == again != another


def test_control_groups_hold_out_only_those_who_would_be_sent(decided):
    users = [(str(number), number % 2 == 0, EMAIL, "gold") for number in range(100)]
    held = {"with_properties": {"tier": "gold"}, "control_group": {"percent": 50}}
    found = decided(*users, who=held)
    assert {found[str(number)] for number in range(0, 100, 2)} == {"opted_out"}
    assert {found[str(number)] for number in range(1, 100, 2)} == {"candidate", "control_campaign"}
