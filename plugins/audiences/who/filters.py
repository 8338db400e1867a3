"""`with_properties` over Arrow-backed pandas frames: whole columns at a time, no row depending on another."""

from __future__ import annotations

from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from audiences.campaign.countries import country_code
from audiences.campaign.operators import ensure_evaluated
from audiences.campaign.patterns import re2_pattern
from audiences.query.conditions import (
    AllOf,
    AnyOf,
    IsSet,
    Moment,
    OneOf,
    Range,
    Searched,
    ValueCheck,
    clauses,
)
from audiences.query.versions import version_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    from audiences.campaign.catalog import Catalog, Property
    from audiences.campaign.properties import Condition, PropertyTree

Mask = np.ndarray[tuple[int], np.dtype[np.bool_]]

SEARCHES: Final[dict[str, Callable[[pa.Array, str], pa.Array]]] = {
    "contains": pc.match_substring,
    "starts_with": pc.starts_with,
    "ends_with": pc.ends_with,
    "matches": lambda values, pattern: pc.match_substring_regex(values, re2_pattern(pattern)),
}
"""How pandas, by way of Arrow, searches a column of text, by the operator's name."""

ensure_evaluated(SEARCHES, "pandas", "SEARCHES of audiences/who/filters.py")


def matches(
    tree: PropertyTree,
    frame: pd.DataFrame,
    *,
    columns: Mapping[str, str],
    catalog: Catalog,
    at: datetime,
    zone: ZoneInfo,
) -> pd.Series[bool]:
    """Which rows the tree lets through: booleans on the frame's index, never null.

    `columns` says in which column of the frame a property stands, typed as `Columns` describes. A null passes no
    positive condition and every `not_…` one; `not:` around a tree is plain negation, so it lets a null through where
    the tree does not.
    """
    properties = catalog.user_properties()

    def on_frame(name: str, condition: Condition) -> Mask:
        return holds(condition, frame[columns[name]], properties[name], Moment(at, zone))

    return pd.Series(_truth(tree, on_frame, len(frame)), index=frame.index, name="matches")


def _truth(tree: PropertyTree, on_frame: Callable[[str, Condition], Mask], rows: int) -> Mask:
    return reduce(and_, _parts(tree, on_frame, rows))


def _parts(tree: PropertyTree, on_frame: Callable[[str, Condition], Mask], rows: int) -> Iterator[Mask]:
    """What a level of the tree joins by `and`."""
    yield np.ones(rows, dtype=np.bool_)
    for name, condition in tree.conditions.items():
        yield on_frame(name, condition)
    for below in tree.all or ():
        yield _truth(below, on_frame, rows)
    if tree.any:
        yield reduce(or_, (_truth(below, on_frame, rows) for below in tree.any))
    if tree.not_:
        yield ~_truth(tree.not_, on_frame, rows)


def holds(condition: Condition, column: pd.Series, declared: Property, moment: Moment) -> Mask:
    """Which values of one property's column a condition lets through."""
    values = _typed(column, declared, moment.today)
    country = declared.derive == "country"
    truth = np.ones(len(column), dtype=np.bool_)
    for clause in clauses(condition, declared.compared_as, moment):
        if country and isinstance(clause.check, OneOf):
            compared = _countries(values)
            check: ValueCheck = OneOf(tuple(_country(value) for value in clause.check.values))
        else:
            compared, check = values, clause.check
        passed = pc.fill_null(_passes(check, compared), False).to_numpy(zero_copy_only=False)
        truth &= passed ^ clause.negated
    return truth


def _typed(column: pd.Series, declared: Property, today: date) -> pa.Array:
    """The column as one Arrow array whose order and equality are those of the property's type."""
    if declared.derive == "age":
        return ages(column, today)
    values = as_arrow(column)
    if declared.type == "version":
        return _by_distinct(values, version_key)
    if pa.types.is_floating(values.type):
        # NaN is no number; Postgres would have it above all numbers and equal to itself. A zero may have a sign, by which Arrow
        # tells it from the other one where it looks among values; with 0 added to it, it has none.
        return pc.add(pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values), 0.0)
    return values


def ages(column: pd.Series, today: date) -> pa.Array:
    """Whole years from a date to `today`; who is born on 29 February turns a year older on 1 March in common years."""
    born = as_arrow(column)
    birthday = pc.add(pc.multiply(pc.month(born), 100), pc.day(born))
    not_yet = pc.greater(birthday, today.month * 100 + today.day).cast(pa.int64())
    return pc.subtract(pc.subtract(pa.scalar(today.year, pa.int64()), pc.year(born)), not_yet)


def as_arrow(column: pd.Series) -> pa.Array:
    """A column of a frame as one Arrow array."""
    array = pa.array(column.array, from_pandas=True)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _countries(values: pa.Array) -> pa.Array:
    return _by_distinct(values, _country)


def _country(written: str) -> str:
    """The country's code, which names and codes have in common; what is no country is compared as it stands."""
    return country_code(written) or written


def _by_distinct(values: pa.Array, function: Callable[[str], str | None]) -> pa.Array:
    """`function` over text, called once per distinct value."""
    encoded = values.dictionary_encode()
    results = pa.array([function(value) for value in encoded.dictionary.to_pylist()], pa.large_string())
    return results.take(encoded.indices)


def _passes(check: ValueCheck, values: pa.Array) -> pa.Array:
    """True where the value passes; false or null elsewhere."""
    match check:
        case IsSet():
            return pc.is_valid(values)
        case OneOf(wanted):
            return pc.is_in(values, value_set=pa.array(wanted, values.type))
        case Range():
            return _in_range(check, values)
        case Searched(operator, text):
            return SEARCHES[operator](values, text)
        case AnyOf(wanted):
            return _any_of(values, wanted)
        case AllOf(wanted):
            return reduce(pc.and_, (_any_of(values, (each,)) for each in wanted))


def _in_range(check: Range, values: pa.Array) -> pa.Array:
    truth = pc.is_valid(values)
    if check.lower is not None:
        truth = pc.and_(truth, (pc.greater if check.above else pc.greater_equal)(values, check.lower))
    if check.upper is not None:
        truth = pc.and_(truth, (pc.less if check.below else pc.less_equal)(values, check.upper))
    return truth


def _any_of(lists: pa.Array, wanted: tuple[str, ...]) -> pa.Array:
    found = np.zeros(len(lists), dtype=np.bool_)
    hits = pc.is_in(pc.list_flatten(lists), value_set=pa.array(wanted, lists.type.value_type))
    found[pc.filter(pc.list_parent_indices(lists), hits).to_numpy()] = True
    return pa.array(found)
