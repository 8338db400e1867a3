"""The whole measurement on random worlds against plain Python: edges, several conversions, missing amounts, several campaigns."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.goal.naive import Asked, Assigned, Event, evaluate
from tests.pipeline.conftest import NOON

from audiences.ledger import campaigns
from audiences.ledger.database import Ledger
from audiences.ledger.migrate import migrate

pytestmark = pytest.mark.integration
CAMPAIGNS = ("carts", "others")
ARMS = ("target", "system", "custom", "campaign")
HOUR, TICK = timedelta(hours=1), timedelta(microseconds=1)
# Few users, few hours: so that events meet windows, and often exactly their edges.
users = st.integers(1, 4).map(str)
hours = st.integers(0, 4).map(lambda number: NOON + number * HOUR)
events = st.builds(
    Event,
    user=users,
    name=st.sampled_from(["Charged", "Charged", "App Opened"]),
    at=st.builds(lambda at, tick: at + tick * TICK, hours, st.sampled_from([0, 0, 0, 1])),
    amount=st.none() | st.decimals(-100, 10_000, places=2).map(str),
    sku=st.sampled_from([None, "a", "b"]),
)
asked = st.builds(
    Asked,
    campaign=st.sampled_from(CAMPAIGNS),
    event=st.just("Charged"),
    within=st.integers(1, 2).map(lambda number: number * HOUR),
    sku=st.sampled_from([None, None, None, "a"]),
    launch=st.booleans(),
)


@st.composite
def assignments(draw):
    """Each campaign assigns each user at most once; several runs may have one as-of time."""
    chosen = draw(st.lists(st.tuples(st.sampled_from(CAMPAIGNS), users), unique=True, min_size=3))
    return [Assigned(campaign, user, draw(st.sampled_from(ARMS)), draw(hours)) for campaign, user in chosen]


def write(goals, assigned, happened):
    shop = goals.shop
    shop.sql("truncate events")
    for event in happened:
        shop.sql(
            "insert into events (user_id, name, occurred_at, amount, more)"
            " values (%s, %s, %s, %s, jsonb_build_object('sku', %s::text))",
            *(event.user, event.name, event.at, event.amount, event.sku),
        )
    with Ledger(shop.connections["ledger"]) as ledger:
        ledger.sql.execute("truncate audiences.assignment, audiences.goal_result, audiences.run cascade")
        numbers = {name: campaigns.number(ledger, name) for name in CAMPAIGNS}
        for each in assigned:
            (run,) = ledger.sql.execute(
                "insert into audiences.run (campaign_id, external_id, config_digest, config, control_terms, as_of,"
                " assigned_at, state, started_at, staging)"
                " values (%s, gen_random_uuid()::text, '', '{}', 'same', %s, %s, 'success', now(), '')"
                " returning id",
                (numbers[each.campaign], each.at, each.at),
            ).fetchone()
            ledger.sql.execute(
                "insert into audiences.assignment values (%s, %s, %s, %s)",
                (numbers[each.campaign], each.user, each.arm, run),
            )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    assigned=assignments(),
    happened=st.lists(events, min_size=5, max_size=40),
    question=asked,
    at=hours.map(lambda at: at + HOUR),
)
def test_totals_are_those_of_plain_python(goals, assigned, happened, question, at):
    migrate(goals.shop.connections["ledger"])
    write(goals, assigned, happened)
    goal = {
        "within": f"{question.within // HOUR} hours",
        "of": "launch" if question.launch else "assignment",
        **({"where": {"sku": question.sku}} if question.sku else {}),
    }
    report = goals.report(goals.campaign(question.campaign, goal=goal), at - NOON)
    found = {
        arm.arm: (arm.users, arm.open_windows, arm.converters, arm.conversions, arm.revenue)
        for arm in report.arms
        if arm.users
    }
    expected = evaluate(question, assigned, happened, at)
    assert found == {arm: (*counts, float(revenue)) for arm, (*counts, revenue) in expected.items()}
