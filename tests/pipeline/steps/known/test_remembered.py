"""A run that remembers the last one does just what a run does that remembers nothing, and asks for less."""

from __future__ import annotations

import importlib.metadata
import io
import random
from datetime import UTC, datetime
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.pipeline.conftest import CATALOG

from audiences.campaign.catalog import Catalog
from audiences.campaign.settings import Settings
from audiences.pipeline.erase import erase, lift
from audiences.pipeline.person.erasure_resources import ErasureResources
from audiences.pipeline.results import RunRequest
from audiences.pipeline.steps.compare import compared
from audiences.pipeline.steps.extract import extract
from audiences.pipeline.steps.known import terms
from audiences.pipeline.steps.known.changed import MembersChangedError
from audiences.pipeline.steps.open_run import open_run
from audiences.pipeline.steps.select import select

pytestmark = pytest.mark.integration
WHO: dict[str, Any] = {
    "did": {"event": "Added To Cart"},
    "with_properties": {"any": [{"tier": {"in": ["Gold", "Silver"]}}, {"age": {"at_least": 30}}]},
    "control_group": {"percent": 20},
}
EMAILS = (None, "", "null", "no address", *(f"User{number}@Example.com" for number in range(30)))
PHONES = (None, "12", *(f"+1415555{number:04d}" for number in range(20)))
CHANGES = (
    "email",
    "phone",
    "tier",
    "age",
    "opted_out",
    "leaves",
    "comes",
)


def change(shop, chance: random.Random, number: int) -> None:
    """One of the things that happen to a user; several users may come to share an address, or all that they have."""
    column = chance.choice(CHANGES)
    if column in ("leaves", "comes"):
        shop.sql("delete from events where user_id = %s", number)
        if column == "comes":
            shop.event(number)
        return
    value = {
        "email": lambda: chance.choice(EMAILS),
        "phone": lambda: chance.choice(PHONES),
        "tier": lambda: chance.choice(["Gold", "Silver", "Bronze", None]),
        "age": lambda: chance.choice([None, 20, 30, 40]),
        "opted_out": lambda: chance.choice([True, False, None]),
    }[column]()
    shop.sql(f"update users set {column} = %s where id = %s", value, number)


def planned(shop, spec, *, remembers: bool) -> tuple[Any, ...]:
    """What a run would do: outcomes, counts, every change, and what it says of values that are of no use."""
    shop.runs += 1
    with shop.resources(spec) as resources, resources.working():
        run = open_run(resources, RunRequest(external_id=f"looks{shop.runs}", at=shop.now))
        if not remembers:
            shop.sql("create table forgotten as select campaign_id, scope from audiences.snapshot", on="ledger")
            shop.sql("update audiences.snapshot set scope = ''", on="ledger")
        extracted = extract(resources, run)
        if not remembers:
            shop.sql(
                "update audiences.snapshot s set scope = f.scope from forgotten f where f.campaign_id = s.campaign_id;",
                on="ledger",
            )
            shop.sql("drop table forgotten", on="ledger")
        assert (extracted.kept is not None) is remembers
        selected = [select(resources, run, shard) for shard in extracted.shards]
        kept = extracted.kept
        with compared(resources, run, selected, kept=kept) as (difference, counts):
            changes = {
                action: sorted(
                    (
                        row["campaign_id"],
                        row["user_id"],
                        row["identifiers"],
                        row["begins"],
                        row["gone"],
                        row["position"],
                    )
                    for batch in difference.changes(action)
                    for row in batch.to_pylist()
                )
                for action in ("add", "remove", "none")
            }
        outcomes: dict[str, int] = {"candidate": kept.rows, **kept.outcomes} if kept else {}
        for part in selected:
            for name, count in part.outcomes.items():
                outcomes[name] = outcomes.get(name, 0) + count
        return counts, changes, {name: count for name, count in outcomes.items() if count}, extracted.rejected


def fill(shop, chance: random.Random, users: int) -> None:
    for number in range(1, users + 1):
        shop.user(
            number,
            chance.choice(EMAILS),
            chance.choice(PHONES),
            tier=chance.choice(["Gold", "Silver", "Bronze", None]),
            age=chance.randint(18, 70),
            opted_out=chance.random() < 0.1,
        )
        shop.event(number)


@pytest.mark.parametrize(
    ("action", "seed", "rounds"),
    [
        ("mirror", 1, 2),
        ("add", 2, 2),
        *(
            pytest.param(action, seed, 12, marks=pytest.mark.long)
            for action in ("mirror", "add")
            for seed in range(3, 9)
        ),
    ],
)
def test_after_any_changes_the_plan_is_that_of_a_run_that_remembers_nothing(shop, action, seed, rounds):
    chance = random.Random(seed)
    fill(shop, chance, 60)
    what = {"audience": {"create": {"name": "carts", "action": action}}, "guards": {"max_removal": 100}}
    spec = shop.campaign(who=WHO, what=what)
    shop.run(spec)
    for round_ in range(rounds):
        for _ in range(chance.choice([1, 5, 25])):
            change(shop, chance, chance.randint(1, 60))
        assert planned(shop, spec, remembers=True) == planned(shop, spec, remembers=False), round_
        assert shop.run(spec).state == "success"
    merged = snapshot_of(shop)
    shop.sql("delete from audiences.snapshot", on="ledger")
    shop.run(spec)
    of_all = {row["user_id"]: row for row in snapshot_of(shop)}
    assert {row["user_id"] for row in merged} == of_all.keys()
    for row in merged:  # in a control group they are for good, though another outcome comes first now
        assert row | {"arm": None} == of_all[row["user_id"]] | {"arm": None}
        assert row["arm"] == (of_all[row["user_id"]]["arm"] or row["arm"])


@pytest.mark.parametrize(
    ("seed", "rounds"), [(1, 1), *(pytest.param(seed, 6, marks=pytest.mark.long) for seed in range(2, 6))]
)
def test_in_a_shared_audience_the_plan_is_that_of_a_run_that_remembers_nothing(shop, seed, rounds):
    chance = random.Random(seed)
    fill(shop, chance, 60)
    shop.sandbox.admin.put_audience(id="777", name="Shared", account="act_1001")
    what = {"audience": {"update": {"id": "777", "action": "mirror"}}, "guards": {"max_removal": 100}}
    specs = [shop.campaign(name, who={**WHO, "control_group": {"percent": 30}}, what=what) for name in ("one", "two")]
    for spec in specs:
        shop.run(spec)
    for _ in range(rounds):
        for _ in range(chance.choice([1, 5, 25])):
            change(shop, chance, chance.randint(1, 60))
        for spec in specs:
            shop.run(spec)  # the other one has changed the audience, so it looks at everybody
            change(shop, chance, chance.randint(1, 60))
            assert planned(shop, spec, remembers=True) == planned(shop, spec, remembers=False)
            shop.run(spec)


def snapshot_of(shop) -> list[dict[str, Any]]:
    """What is on record of users, of the only campaign that has something."""
    (first,) = next(iter(shop.sql("select base_parts from audiences.snapshot", on="ledger")), (0,))
    parts = [part for (part,) in shop.sql("select content from audiences.snapshot_part order by number", on="ledger")]
    base, changes = (
        pq.read_table(io.BytesIO(b"".join(file))).to_pylist() if file else [] for file in (parts[:first], parts[first:])
    )
    for row in (*base, *changes):
        number = row.pop("number")
        assert (number is None) is (row["user_id"] is not None)
        row["user_id"] = row["user_id"] if number is None else str(number)
    changed = {row["user_id"]: row for row in changes if row["settled"] is not None}
    users = {row["user_id"]: row for row in base} | changed
    return [row for row in users.values() if row["fingerprint"] is not None]


def looks_at_everybody(shop, spec) -> bool:
    """Whether a run looks at everybody; it goes no further than the extraction."""
    shop.runs += 1
    with shop.resources(spec) as resources, resources.working():
        run = open_run(resources, RunRequest(external_id=f"looks{shop.runs}", at=shop.now))
        return extract(resources, run).kept is None


@pytest.fixture
def carts(shop):
    """A campaign that has run once: one user in ten has opted out, one in five is held out, nobody shares a row."""
    for number in range(1, 31):
        shop.user(number, f"User{number}@Example.com", f"+1415555{number:04d}", tier="Gold", opted_out=number % 10 == 0)
        shop.event(number)
    spec = shop.campaign(who=WHO)
    shop.run(spec)
    return spec


def test_of_users_who_are_as_they_were_no_identifier_is_read(shop, carts):
    before = shop.sql("select xmin::text from audiences.snapshot", on="ledger")
    shop.runs += 1
    with shop.resources(carts) as resources, resources.working():
        run = open_run(resources, RunRequest(external_id="looks", at=shop.now))
        extracted = extract(resources, run)
        assert (extracted.shards, extracted.rows) == ((), 30)
        assert extracted.kept is not None
        assert extracted.kept.unchanged
        assert extracted.kept.outcomes["opted_out"] == 3
    summary = shop.run(carts)
    assert (summary.outcomes["kept"], summary.requests) == (extracted.kept.rows, 0)
    assert shop.sql("select xmin::text from audiences.snapshot", on="ledger") == before  # not even written anew


def test_what_is_remembered_holds_nothing_raw_and_no_hash_that_is_sent(shop, carts):
    assert len(snapshot_of(shop)) == 30
    text = str(snapshot_of(shop)).lower()
    assert "@" not in text
    assert "1415555" not in text
    with shop.resources(carts) as resources:
        rows = resources.ledger.values(bytes, "select identifiers from audiences.member")
    content = b"".join(part for (part,) in shop.sql("select content from audiences.snapshot_part", on="ledger"))
    assert rows
    assert not any(row[2:34] in content for row in rows)


DAMAGE = "update audiences.snapshot_part set content = set_byte(content, 20, 255 - get_byte(content, 20))"
FAULTS = {
    "it is lost": "delete from audiences.snapshot",
    "its first file is damaged": f"{DAMAGE} where number = 0",
    "its second file is damaged": f"{DAMAGE} where number > 0",
    "a part of it is missing": "delete from audiences.snapshot_part",
    "it is old": "update audiences.snapshot set revision = revision - 1",
    "it is of other terms": "update audiences.snapshot set scope = sha256(scope)",
    "others have changed the audience": "update audiences.audience_revision set revision = revision + 1",
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_snapshot_that_does_not_hold_is_not_used(shop, carts, fault):
    shop.sql("update users set email = 'new@example.com' where id = 1")
    shop.sql(fault, on="ledger")
    assert looks_at_everybody(shop, carts)
    assert shop.run(carts).state == "success"
    assert not looks_at_everybody(shop, carts)  # it is remembered again


def test_who_reads_identifiers_in_another_way_looks_at_everybody(shop, carts, monkeypatch):
    catalog = {**CATALOG, "default_country": "DE"}
    assert looks_at_everybody(shop, shop.campaign(who=WHO, catalog=catalog))
    assert looks_at_everybody(shop, shop.campaign(who=WHO, what={"identifiers": ["email"]}))
    assert looks_at_everybody(shop, shop.campaign(who={**WHO, "control_group": {"percent": 30}}))
    assert looks_at_everybody(shop, shop.campaign(who={**WHO, "target_cap": 5}))
    assert not looks_at_everybody(shop, carts)
    monkeypatch.setattr("audiences.pipeline.steps.known.terms._normaliser", lambda: "of the next version")
    assert looks_at_everybody(shop, carts)


def test_so_many_changes_that_a_look_at_everybody_is_shorter(shop, carts, monkeypatch):
    monkeypatch.setattr("audiences.pipeline.steps.known.changed._FEW", 3)
    shop.sql("update users set email = 'moved' || email where id <= 10")
    assert looks_at_everybody(shop, carts)
    assert shop.run(carts).rekeyed > 0


def test_nothing_is_remembered_of_a_run_whose_upload_is_not_complete(shop, carts):
    shop.user(40, "forty@example.com", None, tier="Gold")
    shop.event(40)
    shop.sandbox.admin.add_fault("expired_token", method="POST", path="*/users", times=None)
    assert shop.run(carts).state == "failed"
    shop.sandbox.admin.clear_faults()
    assert looks_at_everybody(shop, carts)


def erased(shop, user: int, *, lifted: bool = False) -> None:
    settings = Settings.model_validate(
        {"ad_accounts": {"main": {"id": "act_1001", "connection": "facebook_main"}}, "staging": str(shop.staging)}
    )
    with ErasureResources(
        settings,
        Catalog.model_validate(CATALOG),
        look_up=shop.connections.__getitem__,
        clock=lambda: shop.seconds,
        sleep=shop.pause,
    ) as resources:
        (lift if lifted else erase)(resources, str(user), datetime.now(UTC))


def test_nothing_of_an_erased_person_is_remembered_and_they_are_looked_at_each_time(shop, carts):
    shop.user(31, "User2@Example.com", "+14155550031", tier="Gold")  # the same person under another id
    shop.event(31)
    shop.run(carts)
    assert {"2", "31"} <= {row["user_id"] for row in snapshot_of(shop)}
    erased(shop, 2)
    assert snapshot_of(shop) == []
    for _ in range(2):
        outcomes = shop.run(carts).outcomes
        assert outcomes["opted_out"] == 3 + 2
        assert not {"2", "31"} & {row["user_id"] for row in snapshot_of(shop)}
    assert not looks_at_everybody(shop, carts)
    shop.sql("update users set tier = 'Bronze' where id = 2")  # no candidate, and still not remembered
    shop.run(carts)
    assert "2" not in {row["user_id"] for row in snapshot_of(shop)}
    shop.sql("update users set tier = 'Gold' where id = 2")
    erased(shop, 2, lifted=True)
    assert looks_at_everybody(shop, carts)
    assert shop.run(carts).outcomes["opted_out"] == 3


def refused(shop, spec) -> None:
    shop.sandbox.admin.add_fault("expired_token", method="POST", path="*/users", times=None)
    shop.run(spec)
    shop.sandbox.admin.clear_faults()


BETWEEN = {
    "nothing": lambda shop, spec, user: None,
    "a run": lambda shop, spec, user: shop.run(spec),
    "a full refresh": lambda shop, spec, user: shop.run(spec, full_refresh=True),
    "a run whose upload is refused": lambda shop, spec, user: refused(shop, spec),
    "an erasure": lambda shop, spec, user: erased(shop, user),
    "an erasure that is lifted": lambda shop, spec, user: (erased(shop, user), erased(shop, user, lifted=True)),
    "a loss": lambda shop, spec, user: shop.sql(FAULTS["a part of it is missing"], on="ledger"),
    "a change by hand": lambda shop, spec, user: shop.sql(
        "update users set email = 'x' || email, opted_out = not opted_out where id = %s", user
    ),
}


@pytest.mark.parametrize(
    ("seed", "rounds"), [(1, 3), *(pytest.param(seed, 20, marks=pytest.mark.long) for seed in range(2, 8))]
)
def test_whatever_comes_between_a_run_that_remembers_nothing_has_nothing_to_correct(shop, seed, rounds):
    chance = random.Random(seed)
    fill(shop, chance, 60)
    spec = shop.campaign(who=WHO, what={"guards": {"max_removal": 100}})
    shop.run(spec)
    for _ in range(rounds):
        for _ in range(chance.choice([0, 1, 5, 15])):
            change(shop, chance, chance.randint(1, 60))
        BETWEEN[chance.choice(list(BETWEEN))](shop, spec, chance.randint(1, 60))
        assert shop.run(spec).state == "success"
    by_memory = shop.run(spec)
    shop.sql("delete from audiences.snapshot", on="ledger")
    of_all = shop.run(spec)
    assert (of_all.requests, of_all.outcomes, of_all.rejected) == (0, by_memory.outcomes, by_memory.rejected)


@pytest.mark.parametrize("twice", [1, 10, 31], ids=["a member", "no target", "somebody new"])
def test_a_user_who_is_found_twice_stops_the_run_although_they_are_known(shop, carts, twice):
    shop.sql("create view people as select * from users")
    catalog = {**CATALOG, "users": {**CATALOG["users"], "relation": "people"}}
    spec = shop.campaign(who=WHO, catalog=catalog)
    shop.run(spec)
    assert not looks_at_everybody(shop, spec)
    if twice == 31:
        shop.user(31, "31@example.com", tier="Gold")
        shop.event(31)
    shop.sql(f"create or replace view people as select * from users union all select * from users where id = {twice}")
    summary = shop.run(spec)
    assert summary.state == "failed"
    assert "several rows" in summary.error


@pytest.fixture
def selected(shop, carts):
    """A run that has got as far as to its plan, of users some of whom have changed."""
    shop.sql("update users set email = 'moved' || email where id <= 5")
    shop.sql("delete from events where user_id = 6")
    with shop.resources(carts) as resources, resources.working():
        run = open_run(resources, RunRequest(external_id="selected", at=shop.now))
        extracted = extract(resources, run)
        assert extracted.kept is not None
        yield resources, run, extracted, [select(resources, run, shard) for shard in extracted.shards]


def test_an_audience_that_has_changed_since_it_was_remembered_is_compared_as_a_whole(shop, selected):
    resources, run, extracted, parts = selected

    def figures():
        with compared(resources, run, parts, kept=extracted.kept) as (difference, counts):
            return counts, [row for batch in difference.changes("add") for row in batch.to_pylist()], difference.kept

    counts, changes, kept = figures()
    assert kept == extracted.kept.rows
    shop.sql("update audiences.audience_revision set revision = revision + 1", on="ledger")
    assert figures() == (counts, changes, 0)


def test_a_member_who_was_changed_by_hand_meanwhile_stops_the_run(shop, selected):
    resources, run, extracted, parts = selected
    shop.sql("update audiences.member set identifiers = identifiers || '\\x0120' where user_id = '7'", on="ledger")
    shop.sql("update audiences.audience_revision set revision = revision + 1", on="ledger")
    with (
        pytest.raises(MembersChangedError, match="1 members of `carts`"),
        compared(resources, run, parts, kept=extracted.kept),
    ):
        pass


def test_who_is_no_longer_spared_by_name_is_held_out_again(shop, carts):
    """Their assignment is on record from before they were named, and counts once the name is off the list."""
    (held_out,) = shop.sql(
        "select user_id from audiences.assignment where arm = 'campaign' order by user_id limit 1", on="ledger"
    )
    shop.run(shop.campaign(who={**WHO, "never_hold_out": held_out}))
    before = shop.run(shop.campaign(who={**WHO, "never_hold_out": held_out})).outcomes
    after = shop.run(carts).outcomes
    assert after["control_campaign"] == before.get("control_campaign", 0) + 1
    assert (after["removed"], after["kept"]) == (1, before["kept"] - 1)


@pytest.mark.parametrize("library", ["phonenumbers", "pycountry", "babel"])
def test_another_version_of_a_library_that_reads_identifiers_is_another_way_of_reading_them(library, monkeypatch):
    read = importlib.metadata.version

    def upgraded(name: str) -> str:
        return f"{read(name)}.post1" if name == library else read(name)

    before = terms._normaliser.__wrapped__()
    monkeypatch.setattr(terms, "version", upgraded)
    assert terms._normaliser.__wrapped__() != before


def key_as(shop, kind: str, value: str) -> None:
    shop.sql(f"alter table users alter id type {kind} using ({value.format('id')})::{kind}")
    shop.sql(f"alter table events alter user_id type {kind} using ({value.format('user_id')})::{kind}")


def test_the_type_of_the_key_may_change_between_two_runs(shop, carts):
    key_as(shop, "text", "{}")
    shop.sql("update users set email = 'moved' || email where id in ('2', '10')")
    assert planned(shop, carts, remembers=True) == planned(shop, carts, remembers=False)
    shop.run(carts)
    key_as(shop, "int", "{}")
    shop.sql("update users set email = 'moved' || email where id = 3")
    assert planned(shop, carts, remembers=True) == planned(shop, carts, remembers=False)


def test_a_key_that_was_no_number_is_not_compared_with_numbers(shop, carts):
    carts = shop.campaign(who=WHO, what={"guards": {"max_removal": 100}})
    key_as(shop, "text", "lpad({}::text, 3, '0')")
    shop.run(carts)
    assert {len(row["user_id"]) for row in snapshot_of(shop)} == {3}
    key_as(shop, "bigint", "{}")
    assert looks_at_everybody(shop, carts)
    shop.run(carts)
    assert not looks_at_everybody(shop, carts)
