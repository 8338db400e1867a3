"""Erasure: out of every audience and the ledger, never uploaded again, and proven."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.pipeline.conftest import CATALOG, sha256

from audiences.campaign.catalog import Catalog
from audiences.campaign.settings import Settings
from audiences.errors import FacebookAccessError, RetryError
from audiences.ledger import approvals
from audiences.ledger.known_audiences import AudienceTakenError
from audiences.pipeline.erase import erase, lift
from audiences.pipeline.explain import explain
from audiences.pipeline.person.called import AddressAsIdError
from audiences.pipeline.person.erasure_resources import ErasureResources
from audiences.pipeline.results import RunRequest
from audiences.pipeline.steps.ask import ask
from audiences.pipeline.steps.close_run import close_run
from audiences.pipeline.steps.extract import extract
from audiences.pipeline.steps.open_run import open_run
from audiences.pipeline.steps.plan import plan
from audiences.pipeline.steps.select import select
from audiences.pipeline.upload import full_refresh, requests
from audiences.pipeline.upload.export import export

pytestmark = pytest.mark.integration
WHO = {"did": {"event": "Added To Cart"}}


@pytest.fixture
def five(shop):
    for number in range(1, 6):
        shop.user(number, f"user{number}@example.com", f"+1415555000{number}")
        shop.event(number)
    return shop


def resources_of(shop, *, root=None, closed=(), **accounts):
    listed = accounts or {"main": {"id": "act_1001", "connection": "facebook_main"}}
    settings = Settings.model_validate(
        {"ad_accounts": listed, "closed_ad_accounts": closed, "staging": str(shop.staging)}
    )
    return ErasureResources(
        settings,
        Catalog.model_validate(CATALOG),
        root=root,
        look_up=shop.connections.__getitem__,
        clock=lambda: shop.seconds,
        sleep=shop.pause,
    )


def erased(shop, user, *, closed=(), **accounts):
    with resources_of(shop, closed=closed, **accounts) as resources:
        return erase(resources, str(user), datetime.now(UTC))


def row(shop, number):
    return shop.row_of(f"user{number}@example.com", f"+1415555000{number}")


def ledger_text(shop):
    """Everything that the ledger holds, as text."""
    columns = shop.sql(
        "select table_name, column_name from information_schema.columns where table_schema = 'audiences'", on="ledger"
    )
    return "".join(
        str(shop.sql(f'select "{column}"::text from audiences."{table}"', on="ledger")) for table, column in columns
    )


def test_a_person_leaves_every_audience_of_the_account_and_the_ledger(five):
    carts, all_users = (five.run(five.campaign(name, who=WHO)).audience.id for name in ("carts", "all_users"))
    five.sandbox.admin.put_audience(
        id="777", name="By hand", account="act_1001", members=[dict(row(five, 3)), dict(row(five, 4))]
    )
    found = erased(five, 3)
    assert (found.state, found.still_to_do, found.other_users) == ("done", (), 0)
    for audience in (carts, all_users):
        assert five.members(audience) == {row(five, number) for number in (1, 2, 4, 5)}
    assert five.members("777") == {row(five, 4)}, "an audience that no campaign feeds"
    assert {one.id for one in found.audiences} == {carts, all_users}
    assert (found.ledger["member"], found.ledger["assignment"]) == (2, 2)
    assert set(found.left.values()) == {0}
    assert [(one.id, one.received, one.error) for one in found.accounts] == [("act_1001", 3, None)]
    assert set(found.ledger) >= {"member", "assignment", "expired", "live_event"}


def test_the_id_of_a_person_is_read_as_the_users_key_is(five):
    audience = five.run(five.campaign(who={**WHO, "never_hold_out": ["03"]})).audience.id
    assert five.sql("select user_id from audiences.never_held_out", on="ledger") == [("3",)]
    found = erased(five, "+03")
    assert (found.user, found.state, found.ledger["assignment"], found.left["never_held_out"]) == ("3", "done", 1, 0)
    assert five.members(audience) == {row(five, number) for number in (1, 2, 4, 5)}
    five.sql("delete from users where id = 4")
    assert erased(five, "004").ledger["assignment"] == 1, "who is gone from the warehouse"


def test_nothing_about_the_person_is_left_in_ledger_staging_or_log(five, caplog):
    caplog.set_level("DEBUG")
    five.sql("update users set id = 987654321 where id = 3")
    five.sql("update events set user_id = 987654321 where user_id = 3")
    five.run(five.campaign(who=WHO))
    five.sql("update users set email = 'new@example.com' where id = 987654321")
    five.run(five.campaign(who=WHO))
    secrets = [sha256(text) for text in ("user3@example.com", "new@example.com", "14155550003")]
    before = ledger_text(five)
    assert "987654321" in before
    assert all(secret in before for secret in secrets)
    erased(five, 987654321)
    staged = b"".join(file.read_bytes() for file in five.staging.rglob("*") if file.is_file())
    after = ledger_text(five) + caplog.text
    assert "987654321" not in after
    for secret in secrets:
        assert secret not in after
        assert bytes.fromhex(secret) not in staged


def test_a_row_that_facebook_refused_is_forgotten_too(five):
    secret = sha256("user3@example.com")
    five.sandbox.admin.add_fault("refuse_rows", path="*/users", values=[secret])
    five.run(five.campaign(who=WHO))
    assert secret in ledger_text(five)
    found = erased(five, 3)
    assert (found.ledger["refused_row"], found.left["refused_row"]) == (1, 0)
    assert secret not in ledger_text(five)


def test_an_erased_user_is_never_uploaded_again_by_any_campaign(five):
    audience = five.run(five.campaign(who=WHO)).audience.id
    erased(five, 3)
    uploads = len(five.uploads())
    for days, spec in enumerate(
        [
            five.campaign(who=WHO),
            five.campaign("another", who=WHO),
            five.campaign("whole", who=WHO, what={"refresh": "replace"}),
            five.campaign("spared", who={**WHO, "never_hold_out": [3]}),
        ]
    ):
        summary = five.run(spec, at=five.noon + timedelta(hours=days))
        assert (summary.state, summary.outcomes["opted_out"], summary.outcomes["qualified"]) == ("success", 1, 5)
        assert row(five, 3) not in five.members(summary.audience.id)
        assert len(five.members(summary.audience.id)) == 4
    assert len(five.members(audience)) == 4
    assert len(five.uploads()) == uploads + 2
    assert "3" not in {user for (user,) in five.sql("select user_id from audiences.member", on="ledger")}


def test_a_run_after_an_erasure_has_nothing_to_send(five):
    spec = five.campaign(who=WHO)
    five.run(spec)
    erased(five, 3)
    summary = five.run(spec)
    assert (summary.requests, summary.outcomes["kept"], summary.outcomes["removed"]) == (0, 4, 0)


def test_the_same_person_under_another_id_is_not_uploaded_either(five):
    spec = five.campaign(who=WHO)
    audience = five.run(spec).audience.id
    five.user(30, "USER3@example.com", "+14155559999")
    five.event(30)
    five.run(spec)
    found = erased(five, 3)
    assert found.other_users == 1
    assert five.members(audience) == {row(five, number) for number in (1, 2, 4, 5)}
    assert five.run(spec).outcomes["opted_out"] == 2
    assert five.members(audience) == {row(five, number) for number in (1, 2, 4, 5)}


def test_a_person_who_is_gone_from_the_warehouse_is_found_in_the_ledger(five):
    audience = five.run(five.campaign(who=WHO)).audience.id
    five.sql("update users set email = 'moved@example.com' where id = 3")
    five.run(five.campaign(who=WHO))
    five.sql("delete from users where id = 3")
    assert erased(five, 3).state == "done"
    assert len(five.members(audience)) == 4
    five.user(31, "user3@example.com")
    five.event(31)
    assert five.run(five.campaign(who=WHO)).outcomes["opted_out"] == 1, "the former address is remembered"


def test_somebody_unknown_is_remembered_all_the_same(five):
    found = erased(five, 404)
    assert (found.state, found.remembered, [one.requests for one in found.accounts]) == ("unknown", 1, [0])
    five.user(404, "late@example.com")
    five.event(404)
    assert five.run(five.campaign(who=WHO)).outcomes["opted_out"] == 1


@pytest.mark.parametrize("address", ["user5@example.com", "+1 415 555 0005"])
def test_an_address_is_nobodys_id_and_is_neither_remembered_nor_repeated(five, address):
    erased(five, 404)
    with pytest.raises(AddressAsIdError) as refused:
        erased(five, address)
    assert address not in str(refused.value)
    assert five.sql("select count(*) from audiences.erasure", on="ledger") == [(1,)]


def test_an_id_that_was_erased_before_is_not_unknown(five):
    five.run(five.campaign(who=WHO))
    erased(five, 3)
    five.sql("delete from users where id = 3")
    assert erased(five, 3).state == "done"
    assert [erased(five, 404).state for _ in range(2)] == ["unknown", "unknown"]


def test_somebody_without_identifiers_is_known_by_the_warehouse(five):
    five.user(6, None)
    assert erased(five, 6).state == "done"


def test_an_account_that_the_settings_have_lost_is_told_too(five):
    old = five.run(five.campaign(who=WHO)).audience.id
    five.sandbox.admin.put_account(id="act_1002")
    found = erased(five, 3, main={"id": "act_1002", "connection": "facebook_main"})
    assert (found.state, [(one.id, one.received) for one in found.accounts]) == (
        "done",
        [("act_1002", 3), ("act_1001", 3)],
    )
    assert five.members(old) == {row(five, number) for number in (1, 2, 4, 5)}


@pytest.mark.parametrize("why", ["refused", "no connection"])
def test_an_account_that_cannot_be_reached_is_still_to_do_and_the_ledger_waits_for_it(five, why):
    old = five.run(five.campaign(who=WHO)).audience.id
    five.sandbox.admin.put_account(id="act_1002")
    ours = five.connections["facebook_main"]
    change = {"access_token": "wrong"} if why == "refused" else {"graph_url": "http://127.0.0.1:9"}
    five.connections["facebook_main"] = replace(ours, extra={**ours.extra, **change})
    found = erased(five, 3, main={"id": "act_1002", "connection": "facebook_main"})
    assert (found.state, found.ledger, found.left["member"]) == ("incomplete", {}, 1)
    former = next(one for one in found.still_to_do if "act_1001" in one)
    assert (
        "include/settings.yml does not name it any more, and the connection `facebook_main` does not lead there"
        in former
    )
    assert row(five, 3) in five.members(old)
    five.connections["facebook_main"] = ours
    again = erased(five, 3, main={"id": "act_1002", "connection": "facebook_main"})
    assert (again.state, again.erasure, again.left["member"]) == ("done", found.erasure, 0)
    assert row(five, 3) not in five.members(old)


def test_an_account_that_is_closed_for_good_is_not_waited_for_and_the_proof_says_so(five):
    five.run(five.campaign(who=WHO))
    left_in_doubt(five, five.campaign("second", who=WHO))
    five.sandbox.admin.put_account(id="act_1002")
    ours = five.connections["facebook_main"]
    five.connections["facebook_main"] = replace(ours, extra={**ours.extra, "graph_url": "http://127.0.0.1:9"})
    main = {"id": "act_1002", "connection": "facebook_main"}
    _, former, run = erased(five, 3, main=main).still_to_do
    assert "name it under `closed_ad_accounts`" in former
    assert "run the campaign once more" in run
    five.connections["facebook_main"] = ours
    found = erased(five, 3, closed=("act_1001",), main=main)
    assert (found.state, found.left["member"]) == ("done", 0)
    assert [(one.id, one.closed, one.requests) for one in found.accounts] == [
        ("act_1002", False, 1),
        ("act_1001", True, 0),
    ]


def test_what_a_run_kept_of_its_file_names_the_person_no_more(five):
    who = {**WHO, "never_hold_out": [3, 4], "with_properties": {"tier": {"not_equals": "User3@Example.com"}}}
    five.run(five.campaign(who=who))
    found = erased(five, 3)
    assert (found.state, found.texts) == ("done", {"run": 1})
    (config,) = five.sql("select config -> 'who' from audiences.run", on="ledger")[0]
    assert config["never_hold_out"] == [4]
    assert config["with_properties"] == {"tier": {"not_equals": "[erased]"}}


def test_other_spellings_of_the_id_are_found_in_what_a_run_kept_of_its_file(five):
    five.run(five.campaign(who={**WHO, "never_hold_out": ["003", 3.0, "4"]}))
    assert erased(five, 3).texts == {"run": 1}
    assert five.sql("select config -> 'who' -> 'never_hold_out' from audiences.run", on="ledger") == [(["4"],)]


def test_other_spellings_of_the_id_are_found_in_files(five, project):
    project.write("campaigns/padded.yml", "who: {never_hold_out: [4, '003']}\n")
    project.write("campaigns/plain.yml", "who: {never_hold_out: [003]}\n")
    project.write("campaigns/decimal.yml", "who: {never_hold_out: [3.0]}\n")
    project.write("campaigns/other.yml", "who: {never_hold_out: [033, '3.1', 30]}\n")
    project.write("include/segments/some.csv", "user_id\n0003\n")
    five.run(five.campaign(who=WHO))
    with resources_of(five, root=project.path) as resources:
        named = [one.split()[0] for one in erase(resources, "3", datetime.now(UTC)).still_to_do]
    assert named == [
        "campaigns/decimal.yml",
        "campaigns/padded.yml",
        "campaigns/plain.yml",
        "include/segments/some.csv",
    ]


def test_files_that_name_the_person_are_still_to_do_until_they_do_no_more(five, project):
    project.write("campaigns/spared.yml", "who: {never_hold_out: [3, 4]}\n")
    project.write("campaigns/filtered.YML", "who: {with_properties: {tier: {equals: USER3@example.com}}}\n")
    project.write("campaigns/numbers.yml", "who: {with_properties: {age: {at_least: 3}}}\n")
    project.write("include/segments/some.csv", "user_id\n3\n")
    project.write("include/segments/others.csv", "user_id\n4\n33\n")
    project.write("include/segments/query.sql", "select id as user_id from users where phone = '+1 (415) 555-00-03'\n")
    project.write("campaigns/broken.yml", "who: [ # for user3@example.com\n")
    five.run(five.campaign(who=WHO))

    def named(found):
        return [one.split()[0] for one in found.still_to_do]

    with resources_of(five, root=project.path) as resources:
        first = erase(resources, "3", datetime.now(UTC))
        assert named(first) == [
            *("campaigns/broken.yml", "campaigns/filtered.YML", "campaigns/spared.yml"),
            *("include/segments/query.sql", "include/segments/some.csv"),
        ]
        assert (first.state, first.left["member"], set(first.left.values())) == ("incomplete", 0, {0})
        five.sql("delete from users where id = 3")
        again = erase(resources, "3", datetime.now(UTC))
        assert named(again) == named(first), "known by the hashes, when nothing else knows the person"
        for name in named(first):
            (project.path / name).unlink()
        assert erase(resources, "3", datetime.now(UTC)).state == "done"


def test_an_explanation_says_that_the_user_was_erased(five):
    five.run(five.campaign(who=WHO))
    erased(five, 3)
    with five.resources(five.campaign(who=WHO), read_only=True) as resources:
        found = explain(resources, "3", five.noon)
    assert (found.outcome, found.history, found.assignment) == ("opted_out", (), None)
    assert "erased" in found.because


def test_where_facebook_refuses_the_ledger_keeps_what_is_needed_to_try_again(five):
    audience = five.run(five.campaign(who=WHO)).audience.id
    five.sql("delete from users where id = 3")
    five.sandbox.admin.add_fault("expired_token", path="*/usersofanyaudience", times=1)
    found = erased(five, 3)
    assert (found.state, found.ledger, found.left["member"]) == ("incomplete", {}, 1)
    assert "token" in found.still_to_do[0]
    assert ".. " not in found.still_to_do[0]
    again = erased(five, 3)
    assert (again.state, again.erasure, len(five.members(audience))) == ("done", found.erasure, 4)
    assert five.sql("select count(*) from audiences.erasure where done_at is not null", on="ledger") == [(1,)]


def test_every_ad_account_of_the_settings_is_told(five):
    five.sandbox.admin.put_account(id="act_1002")
    five.sandbox.admin.put_audience(id="777", name="By hand", account="act_1002", members=[dict(row(five, 3))])
    found = erased(
        five,
        3,
        main={"id": "act_1001", "connection": "facebook_main"},
        second={"id": "act_1002", "connection": "facebook_main"},
    )
    assert [(one.id, one.requests, one.error) for one in found.accounts] == [
        ("act_1001", 1, None),
        ("act_1002", 1, None),
    ]
    assert five.members("777") == set()


def test_an_erasure_waits_for_a_run_that_is_changing_an_audience(five):
    spec = five.campaign(who=WHO)
    with five.resources(spec) as resources:
        run = planned(resources, five)
        with pytest.raises(AudienceTakenError, match="remembered"):
            erased(five, 3)
        failed = export(resources, run, "add")
        assert failed.refused == 0
        assert row(five, 3) not in five.members(run.facebook_id)
        assert len(five.members(run.facebook_id)) == 4


def test_a_replace_under_way_leaves_out_who_was_erased_after_its_plan(five):
    spec = five.campaign(who=WHO, what={"refresh": "replace"})
    with five.resources(spec) as resources:
        run = planned(resources, five)
        with pytest.raises(AudienceTakenError):
            erased(five, 3)
        full_refresh.send(resources, run)
        assert five.members(run.facebook_id) == {row(five, number) for number in (1, 2, 4, 5)}
    users = {user for (user,) in five.sql("select user_id from audiences.member", on="ledger")}
    assert users == {"1", "2", "4", "5"}


def planned(resources, shop, **more):
    run = open_run(resources, RunRequest(external_id="by hand", at=shop.noon, **more))
    extracted = extract(resources, run)
    plan(resources, run, extracted, [select(resources, run, shard) for shard in extracted.shards])
    return run


def left_in_doubt(five, spec):
    """A run that ends with a request of which nobody knows whether it was carried out."""
    five.sandbox.admin.add_fault("expired_token", path="*/users", method="POST", times=1)
    with five.resources(spec) as resources:
        run = planned(resources, five)
        with pytest.raises(FacebookAccessError):
            export(resources, run, "add")
    five.sql("update audiences.audience set busy_until = null", on="ledger")
    five.sql("update audiences.run set state = 'failed', ended_at = now()", on="ledger")


def assert_erased_with_the_next_run(five, spec, audience):
    """User 3, whom the warehouse has lost and an upload that broke off may have added."""
    five.sql("delete from users where id = 3")
    assert erased(five, 3).state == "incomplete"
    five.run(spec)
    assert erased(five, 3).state == "done"
    assert five.members(audience) == {row(five, number) for number in (1, 2, 4, 5)}
    assert sha256("user3@example.com") not in ledger_text(five)


def test_while_an_upload_is_in_doubt_the_erasure_says_which_campaign_to_run(five):
    spec = five.campaign(who=WHO)
    left_in_doubt(five, spec)
    found = erased(five, 3)
    assert found.state == "incomplete"
    assert "run the campaign once more" in found.still_to_do[0]
    audience = five.run(spec).audience.id
    assert erased(five, 3).state == "done"
    assert five.members(audience) == {row(five, number) for number in (1, 2, 4, 5)}
    assert not list(five.staging.rglob("*.parquet"))


def test_an_erasure_waits_for_a_run_that_has_waited_for_an_answer_for_days(five):
    """It has staged the person, and would put on record to which group they belong."""
    spec = five.campaign(who=WHO)
    required = type(spec.campaign).model_validate({**spec.campaign.model_dump(by_alias=True), "approval": "required"})
    spec = spec.model_copy(update={"campaign": required})
    with five.resources(spec) as resources:
        run = open_run(resources, RunRequest(external_id="asks", at=five.noon, may_ask=True))
        extracted = extract(resources, run)
        selected = [select(resources, run, shard) for shard in extracted.shards]
        question = ask(resources, run, extracted, selected, asked_in="asks")
        five.sql("update audiences.audience set busy_until = null", on="ledger")
        five.sql("update audiences.run set started_at = now() - interval '3 days'", on="ledger")
        five.sql("update audiences.approval set until = now() + interval '1 day'", on="ledger")
        assert "has not ended: erase again when it has" in erased(five, 3).still_to_do[0]
        approvals.answer(
            resources.ledger,
            question.id,
            approved=True,
            by="anna",
            name="Anna",
            at=question.asked_at + timedelta(hours=1),
        )
        planned = plan(resources, run, extracted, selected)
        export(resources, run, "add")
        close_run(resources, run, planned)
    assert row(five, 3) not in five.members(run.facebook_id)
    assert erased(five, 3).state == "done"
    assert five.sql("select count(*) from audiences.assignment where user_id = '3'", on="ledger") == [(0,)]
    assert not list(five.staging.rglob("*.parquet"))


def test_a_lifted_erasure_lets_the_person_in_again(five):
    spec = five.campaign(who=WHO)
    audience = five.run(spec).audience.id
    erased(five, 3)
    with resources_of(five) as resources:
        assert lift(resources, "3", five.noon) == 3
        assert lift(resources, "3", five.noon) == 0
    assert five.run(spec).outcomes["added"] == 1
    assert row(five, 3) in five.members(audience)


def test_the_command_prints_the_proof(five, project, audiences):
    five.run(five.campaign(who=WHO))

    def command(*arguments):
        code, said, _ = audiences("erase", *arguments)
        return code, said

    code, said = command("--user", "3", "--json")
    found = json.loads(said.splitlines()[-1])
    assert (code, found["state"], found["ledger"]["member"], found["left"]["member"]) == (0, "done", 1, 0)
    code, said = command("--user", "4")
    assert code == 0
    assert re.search(r"erasure 2 done", said)
    assert command("--user", "4", "--lift")[0] == 0
    assert command("--user", "99", "--lift")[0] == 1
    assert command()[0] == 2
    code, said = command("--user", "404", "--json")
    assert (code, json.loads(said.splitlines()[-1])["state"]) == (2, "unknown")
    assert "is it mistyped?" in command("--user", "405")[1]
    project.write("campaigns/spared.yml", "who: {never_hold_out: [5]}\n")
    code, said = command("--user", "5", "--json")
    assert (code, json.loads(said.splitlines()[-1])["state"]) == (1, "incomplete")


@pytest.mark.parametrize("taken_over", [False, True])
def test_an_erasure_finds_whoever_a_renamed_campaign_holds(five, taken_over):
    old = five.campaign(who=WHO)
    audience = five.run(old).audience.id
    renamed = old.model_copy(
        update={"id": "left", "campaign": old.campaign.model_copy(update={"formerly": ("carts",)})}
    )
    if taken_over:
        five.run(renamed)
    found = erased(five, 3)
    assert (found.state, [one.id for one in found.audiences]) == ("done", [audience])
    assert row(five, 3) not in five.members(audience)
    assert five.run(renamed).outcomes["opted_out"] == 1


def test_the_hash_of_the_person_is_nowhere_in_the_ledger_under_another_id_either(five):
    five.run(five.campaign(who=WHO))
    five.user(30, "USER3@example.com", "+14155559999")
    five.event(30)
    five.sandbox.admin.add_fault("refuse_rows", path="*/users", values=[sha256("14155559999")])
    five.run(five.campaign(who=WHO))
    five.sandbox.admin.clear_faults()
    five.user(31, "user3@example.com", "+14155558888")
    five.event(31)
    five.run(five.campaign(who=WHO))
    assert ledger_text(five).count(sha256("user3@example.com")) == 3
    assert erased(five, 3).state == "done"
    assert sha256("user3@example.com") not in ledger_text(five)


def crashed(five):
    """As a process leaves the ledger that ended without a word, a while ago."""
    five.sandbox.admin.clear_faults()
    five.sql("update audiences.audience set busy_until = null", on="ledger")
    five.sql("update audiences.run set state = 'failed', ended_at = now()", on="ledger")


@pytest.mark.parametrize("action", ["mirror", "add"])
def test_whom_a_request_of_unknown_fate_may_have_added_is_found_though_the_warehouse_has_lost_them(five, action):
    spec = five.campaign(who=WHO, what={"audience": {"create": {"name": "carts", "action": action}}})
    five.sandbox.admin.add_fault("reset_after", path="*/users", method="POST", times=None)
    with five.resources(spec) as resources:
        run = planned(resources, five)
        with pytest.raises(RetryError):
            export(resources, run, "add")
    crashed(five)
    assert row(five, 3) in five.members(run.facebook_id)
    assert_erased_with_the_next_run(five, spec, run.facebook_id)


def test_whom_a_broken_off_replace_had_sent_is_found_though_the_warehouse_has_lost_them(five, monkeypatch):
    monkeypatch.setattr(requests, "MAX_ROWS", 2)
    spec = five.campaign(who=WHO, what={"guards": {"max_removal": 100}})
    five.sandbox.admin.add_fault("expired_token", path="*/usersreplace", after=2, times=None)
    with five.resources(spec) as resources:
        run = planned(resources, five, full_refresh=True)
        with pytest.raises(FacebookAccessError):
            full_refresh.send(resources, run)
    crashed(five)
    assert_erased_with_the_next_run(five, spec, run.facebook_id)
