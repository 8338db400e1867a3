"""One user at a time: each outcome says which step decided, as the run decides it, and shows nothing raw."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from tests.pipeline.conftest import CATALOG

from audiences.pipeline.explain import explain

pytestmark = pytest.mark.integration
CARTS = {"did": {"event": "Added To Cart", "within": "last 30 days"}}


def ask(shop, spec, user, at=None):
    with shop.resources(spec, read_only=True) as resources:
        return explain(resources, str(user), at or shop.noon)


def test_somebody_who_is_not_in_the_users_table_is_said_to_be_unknown(shop):
    found = ask(shop, shop.campaign(), 404)
    assert (found.outcome, found.steps, found.assignment, found.history) == ("not_qualified", (), None, ())
    assert found.because == "there is no user with this id in `users`, column `id`"


@pytest.mark.parametrize("user", ["", "1' or 'a' = 'a", "1; drop table users", "%s", ":x", "é\\"])
def test_an_id_of_any_characters_is_only_ever_compared(shop, user):
    shop.user(1, "one@example.com")
    assert ask(shop, shop.campaign(), user).outcome == "not_qualified"
    assert shop.sql("select count(*) from users") == [(1,)]


@pytest.mark.parametrize("spelled", ["007", "+7", "7.0", " 7"])
def test_an_id_is_compared_by_the_type_of_the_key(shop, spelled):
    shop.user(7, "seven@example.com")
    shop.event(7)
    found = ask(shop, shop.campaign(), spelled)
    assert (found.user, found.known, found.outcome) == ("7", True, "targeted")


def test_the_rules_say_what_they_found_instead(shop):
    shop.user(1, "one@example.com")
    shop.event(1, ago=timedelta(days=40))
    who = {"any": [CARTS, {"did": {"event": "Charged"}}]}
    found = ask(shop, shop.campaign(who=who), 1)
    assert found.outcome == "not_qualified"
    assert found.because == (
        "the rules do not find the user: at least one of these: "
        "did Added To Cart, last 30 days (no such event); did Charged, ever (no such event)"
    )
    assert [(step.text, step.passed, step.depth) for step in found.steps] == [
        ("at least one of these", False, 0),
        ("did Added To Cart, last 30 days", False, 1),
        ("did Charged, ever", False, 1),
    ]


def test_a_property_filter_says_the_value(shop):
    shop.user(1, "one@example.com", tier="Silver", age=30)
    shop.event(1)
    found = ask(shop, shop.campaign(who={**CARTS, "with_properties": {"age": 30, "tier": "Gold"}}), 1)
    assert found.outcome == "filtered_out"
    assert found.because.startswith("the property filters leave the user out: tier ")
    assert found.because.endswith("(Silver)")
    assert [step.passed for step in found.steps] == [True, True, False]


def test_opting_out_comes_before_identifiers(shop):
    shop.user(1, None, opted_out=True)
    shop.event(1)
    found = ask(shop, shop.campaign(), 1)
    assert (found.outcome, found.steps[-1].value) == ("opted_out", "opted out")


def test_a_name_alone_finds_nobody_so_it_is_not_said_that_a_user_can_be_found_by_it(shop):
    shop.user(1, None, None)
    shop.event(1)
    named = {**CATALOG, "users": {**CATALOG["users"], "first_name": "tier"}}
    found = ask(shop, shop.campaign(what={"identifiers": ["phone", "first_name"]}, catalog=named), 1)
    assert "can be found by phone (" in found.because


def test_each_identifier_says_why_it_cannot_be_sent(shop):
    shop.user(1, "one at example", None)
    shop.event(1)
    found = ask(shop, shop.campaign(), 1)
    assert found.outcome == "no_identifier"
    assert found.because == (
        "nothing by which Facebook could find the user: can be found by email or phone "
        "(email rejected: not an e-mail address, phone missing)"
    )


@pytest.mark.parametrize(
    ("group", "own", "words"),
    [
        ("system", {}, "system control group, 99 % by the salt `system`"),
        ("custom", {"custom": "holiday"}, "control group holiday, 99 % by the salt `holiday`"),
        ("campaign", {"percent": 99}, "the campaign's control group, 99 % by the salt `carts`"),
    ],
)
def test_a_control_group_says_its_name_percentage_and_salt(shop, group, own, words):
    shop.user(1, "one@example.com")
    shop.event(1)
    shared = {"system": {"percent": 99}} if group == "system" else {"custom": {"holiday": {"percent": 99}}}
    found = ask(shop, shop.campaign(who={**CARTS, "control_group": own}, control_groups=shared), 1)
    assert (found.outcome, found.steps[-1].value) == (f"control_{group}", words)


def test_an_assignment_on_record_stands_against_other_percentages(shop):
    shop.user(1, "one@example.com")
    shop.event(1)
    run = shop.run(shop.campaign(who={**CARTS, "control_group": {"percent": 99}})).run
    found = ask(shop, shop.campaign(), 1)
    assert (found.outcome, found.assignment) == ("control_campaign", "campaign")
    assert found.steps[-1].value == f"assigned in run {run}, 2026-11-23 12:00:00+00:00, which stands"


def test_a_target_shows_hashes_by_their_first_digits_only(shop):
    shop.user(1, "One@Example.com", "+14155550001")
    shop.event(1)
    found = ask(shop, shop.campaign(), 1)
    (_, email), (_, phone) = shop.row_of("one@example.com", "+14155550001")
    assert found.outcome == "targeted"
    assert all(step.passed for step in found.steps)
    assert f"email {email[:6]}…, phone {phone[:6]}…" in [step.value for step in found.steps]
    text = found.model_dump_json().lower()
    assert not any(raw in text for raw in ("example.com", "4155550001", email, phone))


def test_a_filter_by_the_address_does_not_show_it(shop):
    shop.user(1, "one@example.com", tier="vip@example.com")
    shop.event(1)
    found = ask(shop, shop.campaign(who={**CARTS, "with_properties": {"tier": "Gold"}}), 1)
    assert found.outcome == "filtered_out"
    assert "example.com" not in found.model_dump_json()


def test_the_cap_is_that_of_all_candidates(shop):
    for number in range(1, 13):
        shop.user(number, f"user{number}@example.com")
        shop.event(number)
    spec = shop.campaign(who={**CARTS, "target_cap": 5})
    before = {user: ask(shop, spec, user).outcome for user in range(1, 13)}
    shop.run(spec)
    targets = {int(user) for (user,) in shop.sql("select user_id from audiences.member", on="ledger")}
    assert before == {user: "targeted" if user in targets else "over_cap" for user in range(1, 13)}
    outside = ask(shop, spec, min(set(before) - targets))
    assert (outside.steps[-1].text, outside.steps[-1].value) == ("at most 5 users, per run", "others come first")
    assert not shop.staging.exists() or not list(shop.staging.rglob("*.parquet"))


def test_the_history_tells_when_the_user_came_and_left(shop):
    for number in (1, 2):
        shop.user(number, f"user{number}@example.com")
        shop.event(number)
    spec = shop.campaign()
    first = shop.run(spec).run
    shop.sql("delete from events where user_id = 1")
    second = shop.run(spec, at=shop.noon + timedelta(days=1)).run
    found = ask(shop, spec, 1, at=shop.noon + timedelta(days=1))
    assert (found.outcome, found.assignment) == ("not_qualified", "target")
    assert found.history == (
        f"added in run {first} of carts, 2026-11-23 12:00:00+00:00; removed in run {second}, 2026-11-24 12:00:00+00:00",
    )
    assert ask(shop, spec, 2).history == (f"added in run {first} of carts, 2026-11-23 12:00:00+00:00",)


def test_nothing_is_written_and_facebook_is_not_asked(shop):
    shop.user(1, "one@example.com")
    shop.event(1)
    shop.never_migrated()
    ask(shop, shop.campaign(who={**CARTS, "target_cap": 1}), 1)
    assert shop.sql("select to_regnamespace('audiences')", on="ledger") == [(None,)]
    assert shop.sandbox.admin.requests() == []
    assert not shop.staging.exists()


@pytest.mark.parametrize("seed", [1, 2])
def test_explanations_of_all_users_add_up_to_the_outcomes_of_the_run(shop, seed):
    chance = random.Random(seed)
    users = 30
    for number in range(1, users + 1):
        email = chance.choice([f"u{number}@example.com", f"u{number}@example.com", "nonsense", None])
        shop.user(number, email, tier=chance.choice(["Gold", "Silver", None]), opted_out=chance.random() < 0.15)
        if chance.random() < 0.9:
            shop.event(number)
    who = {
        **CARTS,
        "with_properties": {"tier": {"in": ["Gold", "Silver"]}},
        "control_group": {"percent": 25},
        "target_cap": 6,
    }
    spec = shop.campaign(who=who, control_groups={"system": {"percent": 20}})
    found = [ask(shop, spec, number) for number in range(1, users + 1)]
    outcomes = shop.run(spec).outcomes
    names = {name for name in outcomes if name not in ("added", "kept", "failed", "removed", "qualified")}
    asked = {name: sum(each.outcome == name for each in found) for name in names}
    assert asked == {name: outcomes[name] for name in names}
    assert users - outcomes["qualified"] == sum(each.outcome == "not_qualified" for each in found)
    for each in found:
        assert [step.passed for step in each.steps if not step.depth][:-1].count(False) == 0
        assert each.steps[-1].passed == (each.outcome == "targeted")
    held_out = {each.user: each.outcome for each in found if each.outcome.startswith("control_")}
    recorded = shop.sql(
        "select user_id, 'control_' || arm from audiences.assignment where arm <> 'target'", on="ledger"
    )
    assert held_out == dict(recorded)
