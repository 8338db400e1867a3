"""Which events have arrived and whom another event keeps out, asked of a small real table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest

from audiences.campaign.catalog import Catalog
from audiences.campaign.when import EventTrigger
from audiences.query.event_users import EventUsers
from audiences.query.render import render
from audiences.when.live.arrivals import Candidate, EventKind, arrivals, horizon, kept_out

pytestmark = pytest.mark.integration
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CATALOG = {
    "users": {"relation": "users", "key": "id", "email": "email"},
    "events": {
        "relation": "events",
        "id": "id",
        "user": "user_id",
        "name": "name",
        "occurred_at": "occurred_at",
        "arrived_at": "arrived_at",
        "properties": {"amount": {"column": "amount", "type": "number"}},
    },
}


class Events:
    """A temporary table of events; `event` adds one, minutes count from noon."""

    def __init__(self, connection) -> None:
        self.connection = connection
        self.catalog = Catalog.model_validate(CATALOG)

    def event(self, number, user="u", name="Buy", *, at=0, arrived=None, amount=None):
        self.connection.execute(
            "insert into events values (%s, %s, %s, %s, %s, %s)",
            (number, user, name, _time(at), _time(at if arrived is None else arrived), amount),
        )

    def arrived(self, *kinds, since=0):
        found = self._rows(arrivals(kinds, self.catalog, _time(since), NOON, users=EventUsers()))
        return {row[0]: row[4] for row in found}

    def out(self, candidates, *kinds):
        return {row[0] for row in self._rows(kept_out(candidates, kinds, self.catalog, NOON, users=EventUsers()))}

    def _rows(self, query):
        return self.connection.execute(render(query).encode()).fetchall()


def _time(minutes):
    return minutes if isinstance(minutes, str | None) else NOON + minutes * MINUTE


def kind(event="Buy", where=None):
    return EventKind.of(
        EventTrigger.model_validate({"event": event, **({"where": where} if where else {})}), ZoneInfo("UTC")
    )


def candidate(number, user, *, after=0, until=30, of=0):
    return Candidate(number, of, user, NOON + after * MINUTE, NOON + until * MINUTE)


@pytest.fixture
def events(postgres):
    with psycopg.connect(postgres.uri("postgres")) as connection:
        connection.execute(
            "set time zone 'UTC';"
            " create temp table events (id text, user_id text, name text, occurred_at timestamptz, arrived_at timestamptz,"
            " amount numeric)"
        )
        yield Events(connection)
        connection.rollback()


def test_an_event_that_came_in_at_the_very_instant_counts(events):
    for number, arrived in {"before": -1, "then": 0, "later": 1}.items():
        events.event(number, at=-5, arrived=arrived)
    assert set(events.arrived(kind())) == {"then", "later"}


def test_an_event_carries_the_numbers_of_all_kinds_that_it_is_of(events):
    events.event("1", amount=5)
    events.event("2", amount=50)
    events.event("3", name="Look")
    events.event("4", name="Other")
    found = events.arrived(kind(where={"amount": {"at_least": 50}}), kind("Look"), kind())
    assert found == {"1": [2], "2": [0, 2], "3": [1]}


@pytest.mark.parametrize(
    "hole", [{"user": None}, {"number": None}, {"at": None}, {"at": "infinity"}, {"arrived": "infinity"}]
)
def test_events_without_id_user_or_time_are_passed_over(events, hole):
    events.event(**{"number": "1", **hole})
    events.event("2")
    assert set(events.arrived(kind())) == {"2"}


def test_without_a_time_of_arrival_that_of_the_event_stands_for_it(events):
    events.catalog = Catalog.model_validate(
        {**CATALOG, "events": {name: value for name, value in CATALOG["events"].items() if name != "arrived_at"}}
    )
    events.event("old", at=-1, arrived=5)
    events.event("new", at=1, arrived=-5)
    assert set(events.arrived(kind())) == {"new"}


@pytest.mark.parametrize(("minute", "out"), [(-1, False), (0, False), (1, True), (30, True), (31, False)])
def test_an_event_after_the_trigger_and_in_time_keeps_its_user_out(events, minute, out):
    """Another user's candidate spans a longer time, so that each one's own limits have to do it."""
    events.event("1", "u", at=minute)
    found = events.out([candidate(1, "u"), candidate(2, "v", after=-60, until=90)], kind())
    assert found == ({1} if out else set())


@pytest.mark.parametrize("minute", [0, 31])
def test_alone_a_candidate_has_the_same_limits(events, minute):
    events.event("1", "u", at=minute)
    assert events.out([candidate(1, "u")], kind()) == set()


def test_only_the_same_users_event_of_the_right_kind_keeps_out(events):
    events.event("1", "u", "Look", at=5)
    events.event("2", "v", at=5, amount=1)
    events.event("3", "w", at=5, amount=9)
    kinds = (kind(where={"amount": {"more_than": 5}}), kind("Look"))
    candidates = [candidate(1, "u"), candidate(2, "v"), candidate(3, "w"), candidate(4, "u", of=1), candidate(5, "x")]
    assert events.out(candidates, *kinds) == {3, 4}


def test_two_events_name_a_candidate_once(events):
    for number in ("1", "2"):
        events.event(number, at=5)
    assert len(events._rows(kept_out([candidate(1, "u")], [kind()], events.catalog, NOON, users=EventUsers()))) == 1


def test_the_horizon_is_now_and_the_numbers_of_transactions(events):
    ((now, oldest, following, replayed),) = events._rows(horizon())
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=5)
    assert 0 < oldest <= following
    assert replayed is None, "that is of replicas alone"


@pytest.mark.parametrize("never", ["infinity", "-infinity", None])
def test_an_event_that_came_in_and_has_no_time_of_its_own_has_not_arrived(events, never):
    events.event(1, at=never, arrived=1)
    events.event(2, at=1, arrived=1)
    assert set(events.arrived(kind())) == {"2"}
