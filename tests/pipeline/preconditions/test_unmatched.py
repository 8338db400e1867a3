"""A campaign that names what nobody has is told so, with what there is, instead of being invited to target nobody."""

from __future__ import annotations

import pytest

from audiences.campaign.catalog import Catalog

pytestmark = pytest.mark.integration
PROPERTIES = {
    "gender": {"column": "gender", "type": "string"},
    "region": {"column": "region", "type": "string"},
    "city": {"column": "city", "type": "string"},
    "country": {"column": "country", "type": "string"},
    "tags": {"column": "tags", "type": "list"},
    "tier": {"column": "tier", "type": "string"},
    "mail": {"column": "email", "type": "string"},
}


@pytest.fixture
def people(shop):
    """Twenty users and their events."""
    shop.sql(
        "alter table users add gender text, add region text, add city text, add country text, add tags text[];"
        "alter table events add category text"
    )
    for n in range(20):
        shop.user(
            n,
            f"user{n}@example.com",
            gender=("Female", "Male")[n % 2],
            region=("California", "Québec")[n % 2],
            city=f"City {n // 2}",
            country=("US", "Canada")[n % 2],
            tags=["shoes"],
            tier="Gold" if n else "Only one has it",
        )
        shop.event(n, ("purchase", "view")[n % 2])
    shop.sql("update events set category = 'shoes'")
    return shop


def campaign(shop, who, **more):
    spec = shop.campaign(who=who, **more)
    given = spec.catalog.model_dump(exclude_unset=True)
    given["users"]["properties"] = PROPERTIES
    given["events"]["properties"] = {"category": {"column": "category", "type": "string"}}
    return spec.model_copy(update={"catalog": Catalog.model_validate(given)})


def told(shop, who, **more):
    return shop.preview(campaign(shop, who, **more)).unmatched


@pytest.mark.parametrize("index", ["", "create index on events (name)"])
@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        ("purchase", ()),
        ("Purchase", ("no event is named `Purchase`; did you mean `purchase`?",)),
        ("Refund", ("no event is named `Refund`; there are `purchase`, `view`",)),
    ],
)
def test_an_event_that_is_not_there_is_answered_with_those_that_are(people, index, event, sentence):
    people.sql(index or "select 1")
    assert told(people, {"did": {"event": event}}) == sentence


@pytest.mark.parametrize(
    ("filters", "sentence"),
    [
        ({"gender": "Female"}, None),
        ({"gender": "female"}, "no user has `female` as `gender`; did you mean `Female`?"),
        (
            {"any": [{"gender": {"in": ["Male", "diverse"]}}]},
            "no user has `diverse` as `gender`; there are `Female`, `Male`",
        ),
        ({"region": "CA"}, "no user has `CA` as `region`; did you mean `California`?"),
        ({"region": {"not_equals": "quebec"}}, "no user has `quebec` as `region`; did you mean `Québec`?"),
        ({"tags": {"contains_any": ["Shoes"]}}, "no user has `Shoes` as `tags`; did you mean `shoes`?"),
        ({"country": "United States"}, None),
        ({"country": {"in": ["CA", "FR"]}}, "no user has `FR` as `country`"),
        ({"city": "city 3"}, "no user has `city 3` as `city`; did you mean `City 3`?"),
        ({"city": "City 3"}, None),  # which too few have to be told, and which is there
        ({"tier": "only"}, "no user has `only` as `tier`; there are `Gold`, and others"),
        ({"mail": "USER1@example.com"}, "no user has `USER1@example.com` as `mail`"),
    ],
)
def test_a_value_that_nobody_has_is_answered_with_those_that_are_there(people, filters, sentence):
    found = told(people, {"did": {"event": "view"}, "with_properties": filters})
    assert found == ((sentence,) if sentence else ())


def test_values_of_events_are_looked_up_among_the_events_of_that_name(people):
    people.sql(
        "insert into events (user_id, name, occurred_at, category) select 1, 'other', now(), 'Bags' from generate_series(1, 9)"
    )
    who = {"did": {"event": "view", "where": {"category": {"in": ["shoes", "Bags", "Shoes"]}}}}
    assert told(people, who) == (
        "no event `view` has `Bags` as `category`; there are `shoes`",
        "no event `view` has `Shoes` as `category`; did you mean `shoes`?",
    )


def test_the_goal_is_looked_at_too(people):
    spec = campaign(people, {"did": {"event": "view"}})
    goal = (
        type(spec.campaign)
        .model_validate(
            {
                **spec.campaign.model_dump(mode="json", by_alias=True, exclude_unset=True),
                "goal": {"event": "Charge", "within": "5 days"},
            }
        )
        .goal
    )
    spec = spec.model_copy(update={"campaign": spec.campaign.model_copy(update={"goal": goal})})
    assert people.preview(spec).unmatched == ("no event is named `Charge`; there are `purchase`, `view`",)


def test_nobody_is_invited_to_empty_an_audience_for_a_name_that_is_wrong(people):
    spec = campaign(people, {"did": {"event": "Purchase"}})
    found = people.preview(spec)
    said = "no event is named `Purchase`; did you mean `purchase`?"
    assert "the query found nobody" in found.stopped
    assert f"Correct the campaign first: {said}." in found.stopped
    assert "--allow" not in found.stopped
    assert found.in_words().count(said) == 1
    run = people.run(spec)
    assert (run.state, run.requests) == ("stopped", 0)
    assert said in run.error
    assert "--allow" not in run.error


def test_a_guard_that_stops_a_right_campaign_says_how_to_allow_it(people):
    people.sql(
        "delete from events where name = 'view'; insert into events (user_id, name, occurred_at) values (1, 'view', '2020-01-01')"
    )
    found = people.preview(campaign(people, {"did": {"event": "view", "within": "last 30 days"}}))
    assert found.unmatched == ()
    assert "--allow allow_empty" in found.stopped


def test_where_nothing_has_happened_yet_no_name_is_wrong(people):
    people.sql("truncate events")
    found = people.preview(campaign(people, {"did": {"event": "view"}}))
    assert found.unmatched == ()
    assert "--allow allow_empty" in found.stopped
