"""Values of events that are none of their declared type are counted in a bounded sample, and named by a run and a preview."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.pipeline.conftest import CATALOG, NOON

from audiences.pipeline.preconditions import event_misfits as module

pytestmark = pytest.mark.integration
EVENTS = {
    **CATALOG["events"],
    "properties": {
        "amount": {"column": "amount", "type": "number"},
        "count": {"jsonb": "payload", "path": "count", "type": "integer"},
        "label": {"column": "name", "type": "string"},
    },
}
SAID = (
    "`amount` of `Added To Cart`: 2 values of type number could not be read and count as missing, among the 4 newest events "
    "looked at"
)


@pytest.fixture
def campaign(shop):
    shop.sql("alter table events add payload jsonb, alter amount type text")
    for number in range(1, 5):
        shop.user(number, f"user{number}@example.com")
        shop.event(number)
    shop.sql("update events set amount = '5', payload = '{\"count\": 1}'")

    def made(*, where=None, within="last 30 days", **given):
        did = {
            "event": "Added To Cart",
            "within": within,
            **({"where": where} if where else {}),
            **given.pop("did", {}),
        }
        return shop.campaign(who=given.pop("who", {"did": did}), catalog={**CATALOG, "events": EVENTS}, **given)

    return made


def test_a_run_and_a_preview_name_the_property_and_say_how_many_events_were_looked_at(shop, campaign):
    shop.sql("update events set amount = 'n/a' where user_id in (1, 2)")
    spec = campaign(where={"amount": {"at_least": 1}})
    assert shop.preview(spec).warnings[0] == SAID
    summary = shop.run(spec)
    assert (summary.state, summary.outcomes["added"], summary.warnings) == ("success", 2, (SAID,))
    assert SAID in summary.in_words()


def test_it_is_logged(shop, campaign, caplog):
    shop.sql("update events set amount = 'n/a' where user_id in (1, 2)")
    shop.run(campaign(where={"amount": {"at_least": 1}}))
    assert SAID in caplog.messages


def test_what_is_added_up_is_counted_too_out_of_columns_and_documents(shop, campaign):
    shop.sql("update events set amount = 'NaN' where user_id = 1; update events set payload = '{\"count\": []}'")
    did = {"sum": {"of": "amount", "at_least": 1}, "average": {"of": "count", "at_most": 5}}
    assert shop.run(campaign(did=did), allow=frozenset({"allow_empty"})).warnings == (
        "`amount` of `Added To Cart`: 1 value of type number could not be read and count as missing, among the 4 newest events "
        "looked at",
        "`count` of `Added To Cart`: 4 values of type integer could not be read and count as missing, among the 4 newest events "
        "looked at",
    )


def test_rules_below_and_saved_segments_and_the_goal_are_looked_at(shop, campaign):
    shop.sql("update events set amount = 'n/a' where user_id in (1, 2)")
    where = {"amount": {"at_least": 1}}
    nested = {"any": [{"did_not": {"event": "Added To Cart", "where": where}}, {"not": {"did": {"event": "Gone"}}}]}
    saved = {"s": {"rules": {"did": {"event": "Added To Cart", "within": "last 30 days", "where": where}}}}
    for spec in (
        campaign(who=nested),
        campaign(who={"segment": "s"}, segments=saved),
    ):
        assert SAID in shop.preview(spec).warnings


def test_nothing_is_said_of_nulls_of_text_and_of_events_that_no_rule_reads(shop, campaign):
    shop.sql("update events set amount = null where user_id = 1")
    shop.event(2, ago=timedelta(days=40))
    shop.event(2, ago=-timedelta(days=1))
    shop.event(2, name="Viewed")
    shop.sql("update events set amount = 'n/a' where name = 'Viewed' or abs(extract(epoch from occurred_at - %s)) <> 86400 "
             "or occurred_at > %s", NOON, NOON)  # fmt: skip
    assert shop.run(campaign(where={"amount": {"at_least": 1}, "label": {"is_set": True}})).warnings == ()


def test_no_more_than_the_newest_of_them_are_looked_at(shop, campaign, monkeypatch):
    monkeypatch.setattr(module, "SAMPLE", 2)
    shop.sql("update events set amount = 'n/a', occurred_at = occurred_at - interval '1 day' where user_id in (1, 2)")
    assert shop.run(campaign(where={"amount": {"at_least": 1}})).warnings == ()
    shop.sql("update events set occurred_at = occurred_at + interval '36 hours' where user_id = 1")
    said = "1 value of type number could not be read and count as missing, among the 2 newest events looked at"
    assert said in str(shop.run(campaign(where={"amount": {"at_least": 1}})).warnings)


def test_a_look_that_takes_too_long_is_given_up_and_the_run_goes_on(shop, campaign, monkeypatch, caplog):
    shop.sql("update events set amount = 'n/a' where user_id in (1, 2)")
    monkeypatch.setattr(module, "TIMEOUT", "1ms")
    shop.sql(
        "alter table events rename to all_events; create function slowly(text) returns text language sql stable as "
        "'select $1 from pg_sleep(0.05)'; create view events as select id, user_id, name, occurred_at, slowly(amount) amount, "
        "payload from all_events"
    )
    summary = shop.run(campaign(where={"amount": {"at_least": 1}}))
    assert (summary.state, summary.outcomes["added"], summary.warnings) == ("success", 2, ())
    assert "the values of events `Added To Cart` were not looked at: the statement took longer" in caplog.text
