"""Hypothesis strategies for everything that `who` of a campaign file can say, as the file would say it."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import Any

from hypothesis import strategies as st
from tests.who import world

from audiences.campaign.operators import OPERATORS

SEARCHING = tuple(name for name, operator in OPERATORS.items() if operator.check == "text")
COMPARED = ("at_least", "at_most", "more_than", "less_than")


# Cached, because making a strategy costs more than drawing from it.
# By index, because hypothesis prints what it samples from, again and again.
@cache
def instants() -> st.SearchStrategy[Any]:
    return st.integers(0, len(world.INSTANTS) - 1).map(lambda index: world.INSTANTS[index])


@cache
def days() -> st.SearchStrategy[Any]:
    return st.integers(0, len(world.DAYS) - 1).map(lambda index: world.DAYS[index])


def _iso(value: date) -> str:
    return value.isoformat()


def _under(name: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Mappings with the one key `name`."""
    return values.map(lambda value: {name: value})


@cache
def windows(*, whole_days: bool = False) -> st.SearchStrategy[Any]:
    day = days()
    marks = day.map(_iso) if whole_days else st.one_of(day, instants()).map(_iso)
    units = ("day", "week", "month", "year") if whole_days else ("minute", "hour", "day", "week", "month", "year")
    lengths = st.builds("{} {}s".format, st.sampled_from((0, 1, 2, 3, 23, 24, 30, 90)), st.sampled_from(units))
    pairs = st.tuples(day, day).map(lambda pair: [each.isoformat() for each in sorted(pair)])
    return st.one_of(
        lengths.map("last {}".format),
        st.sampled_from((0, 1, 2, 3, 21, 30)).map("exactly {} days ago".format),
        st.sampled_from(("today", "yesterday", "ever")),
        st.builds("{} {}".format, st.sampled_from(("this", "previous")), st.sampled_from(("week", "month", "year"))),
        pairs.map(lambda pair: {"between": pair}),
        marks.map("before {}".format),
        marks.map(lambda mark: {"after": mark}),
    )


@cache
def conditions(kind: str) -> st.SearchStrategy[Any]:
    return st.one_of(*_operators(kind), st.booleans().map(lambda value: {"is_set": value}))


def _operators(kind: str) -> list[st.SearchStrategy[Any]]:
    if kind in ("date", "datetime"):
        day = days().map(_iso)
        pairs = st.tuples(day, day).map(sorted)
        if kind == "datetime":
            moment = instants()
            pairs = st.one_of(
                pairs, st.tuples(moment, moment).map(lambda pair: [each.isoformat() for each in sorted(pair)])
            )
            day = st.one_of(day, moment.map(_iso))
        return [
            windows(whole_days=kind == "date").map(lambda window: {"within": window}),
            *(_under(name, day) for name in ("before", "after", "equals", "not_equals")),
            pairs.map(lambda pair: {"between": pair}),
        ]
    if kind == "list":
        items = st.lists(st.sampled_from(("a", "b", "c", "ü'%,{}\"\\", "NULL", "1", "true")), min_size=1, max_size=3)
        return [items.map(lambda values: {"contains_any": values}), items.map(lambda values: {"contains_all": values})]
    values = st.sampled_from(_VALUES[kind])
    several = st.lists(values, min_size=1, max_size=3)
    operators = [
        values,
        values.map(lambda value: {"not_equals": value}),
        several.map(lambda values: {"in": values}),
        several.map(lambda values: {"not_in": values}),
    ]
    if kind == "country":
        names = st.sampled_from(SEARCHING)
        operators.append(st.builds(lambda name, value: {name: value}, names, st.sampled_from(("I", "in", "e", "d'I"))))
    elif kind == "string":
        names = st.sampled_from(SEARCHING)
        patterns = st.sampled_from(
            ("^s", "o{2}|a", "(?i)^SHOES$", r"[%'\\]", r"\.", r"^\w+$", r"^$", "sh.es|.ag", r"\s")
        )
        operators += [
            st.builds(lambda name, value: {name: value}, names, values),
            patterns.map(lambda p: {"matches": p}),
        ]
    elif kind != "boolean":
        names = st.sampled_from(COMPARED)
        operators += [
            st.builds(lambda name, value: {name: value}, names, values),
            st.builds(lambda a, b: {"at_least": a, "less_than": b}, values, values),
            st.tuples(values, values).map(lambda pair: {"between": list(pair)}),
        ]
    return operators


_VALUES: dict[str, tuple[Any, ...]] = {
    "string": tuple(text for text in world.TEXTS if text),
    "number": (*world.NUMBERS, 25, -1.5, 0),
    "integer": (*world.INTEGERS, 2.5, 24.5, 1e30, -1e30),
    "boolean": (True, False),
    "age": (0, 14, 25, 26, 37.5, 38, 40, -1),
    "country": ("India", "IN", "DE", "Germany", "CI", "Côte d'Ivoire"),
    "version": tuple(version for version in world.VERSIONS if version not in ("", "--")),
}


@cache
def _conditions_on(names: tuple[tuple[str, str], ...]) -> st.SearchStrategy[Any]:
    return st.one_of(*(_under(name, conditions(kind)) for name, kind in names))


@cache
def _trees(types: tuple[tuple[str, str], ...]) -> st.SearchStrategy[Any]:
    one = _conditions_on(types)
    return st.recursive(
        one,
        lambda below: st.one_of(
            st.lists(below, min_size=1, max_size=3).map(lambda trees: {"all": trees}),
            st.lists(below, min_size=1, max_size=3).map(lambda trees: {"any": trees}),
            below.map(lambda tree: {"not": tree}),
            st.tuples(one, below).map(lambda pair: {**pair[0], "all": [pair[1]]}),
        ),
        max_leaves=4,
    )


@st.composite
def trees(draw: st.DrawFn, types: dict[str, str]) -> Any:
    """Filters over properties of these types, by name."""
    return draw(_trees(tuple(sorted(types.items()))))


@cache
def comparisons(values: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    one = st.sampled_from(values)
    return st.one_of(
        st.builds(lambda name, value: {name: value}, st.sampled_from((*COMPARED, "equals")), one),
        st.tuples(one, one).map(lambda pair: {"between": sorted(pair)}),
    )


@cache
def _events(*, apart: bool) -> st.SearchStrategy[Any]:
    names = st.sampled_from(world.NAMES)
    several = st.lists(names, min_size=1, max_size=3)
    return st.one_of(
        names.map(lambda name: {"event": name}),
        several.map(lambda names: {"any_of": names}),
        several.map(lambda names: {"all_of": names}) if apart else st.nothing(),
    )


@cache
def _filters() -> dict[str, st.SearchStrategy[Any]]:
    types = {**world.EVENT_TYPES, **world.JSON_TYPES}
    clocks = st.sampled_from(("00:00", "02:30", "06:00", "12:00", "23:30"))
    weekdays = st.lists(st.sampled_from(("mon", "tue", "wed", "thu", "fri", "saturday", "sun")), min_size=1, max_size=4)
    return {
        "within": windows(),
        "where": trees(types),
        "time_of_day": st.tuples(clocks, clocks).map(list),
        "day_of_week": weekdays,
    }


def _some(choices: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """At most two of the choices: all of them at once match nobody."""
    one = st.one_of(*(_under(name, strategy) for name, strategy in choices.items()))
    return st.lists(one, max_size=2).map(lambda parts: {name: value for part in parts for name, value in part.items()})


@cache
def dids() -> st.SearchStrategy[Any]:
    numeric = [*(name for name in ("amount", "quantity")), *(n for n, k in world.JSON_TYPES.items() if k == "number")]
    amounts = (0, 0.1, 2.5, 7.25, 50, 100, 102.5, -1.5)
    summed = st.builds(lambda of, given: {"of": of, **given}, st.sampled_from(numeric), comparisons(amounts))
    asked = {
        "count": comparisons((0, 1, 2, 3, 4, 2.5)),
        "sum": summed,
        "average": summed,
        "or_never": st.just(True),
        "first_time": windows(),
        "last_time": windows(),
    }
    return st.builds(
        lambda events, filters, extras: {"did": {**events, **filters, **extras}},
        _events(apart=True),
        _some(_filters()),
        _some(asked),
    )


@cache
def did_nots() -> st.SearchStrategy[Any]:
    return st.builds(lambda events, extra: {"did_not": {**events, **extra}}, _events(apart=True), _some(_filters()))


@cache
def rules(segments: tuple[str, ...]) -> st.SearchStrategy[Any]:
    named = st.lists(st.sampled_from(segments), min_size=1, max_size=2) if segments else st.nothing()
    leaf = st.one_of(
        dids(),
        did_nots(),
        named.map(lambda names: {"segment": names}),
        named.map(lambda names: {"exclude_segment": names[0]}),
    )
    return st.recursive(
        leaf,
        lambda below: st.one_of(
            st.lists(below, min_size=1, max_size=3).map(lambda rules: {"all": rules}),
            st.lists(below, min_size=1, max_size=3).map(lambda rules: {"any": rules}),
            below.map(lambda rules: {"not": rules}),
            st.tuples(leaf, leaf).map(lambda pair: {**pair[0], **pair[1]}),
        ),
        max_leaves=5,
    )


@st.composite
def campaigns(draw: st.DrawFn) -> dict[str, Any]:
    """A campaign with saved segments that use one another; `at` is drawn next to the edges of the events."""
    lists: dict[str, Any] = {
        **{name: {"sql": text} for name, text in world.SQL_SEGMENTS.items()},
        "listed": {"users": ["7", "o'neil", "ü;--", "u11", "nobody", "%s", "back\\slash"]},
    }
    inner = draw(rules(tuple(lists)))
    outer = draw(rules((*lists, "inner")))
    saved = {**lists, "inner": {"rules": inner}, "outer": {"rules": outer}}
    shift = draw(
        st.sampled_from((timedelta(0), timedelta(0), -world.MICROSECOND, timedelta(hours=13), timedelta(days=30)))
    )
    return {
        "who": draw(rules(tuple(saved))),
        "segments": saved,
        "zone": draw(st.sampled_from(world.ZONES)),
        "at": draw(instants()) + shift,
    }
