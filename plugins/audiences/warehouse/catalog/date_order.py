"""Whether dates in a column of text can be read in two ways, day first and month first, and what the others tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from audiences.checklist import State
from audiences.query.sources import text
from audiences.warehouse.catalog.fit import SAMPLE
from audiences.warehouse.catalog.reflect import Refusal
from audiences.warehouse.catalog.seen import some_of

if TYPE_CHECKING:
    from audiences.campaign.catalog_sources import DateSource
    from audiences.warehouse.catalog.fit import FitResult
    from audiences.warehouse.catalog.reflect import Glance
    from audiences.warehouse.catalog.relation import Relation

# As the rule of dates of birth reads it; the year has four digits there too.
_YEAR_LAST = "^[^0-9]*([0-9]{1,2})[^0-9A-Za-z]{1,3}([0-9]{1,2})[^0-9A-Za-z]{1,3}[0-9]{4}(?![0-9])"
_MONTHS = 12
_OTHER = {"day_first": "month_first", "month_first": "day_first"}


def order_told(
    source: DateSource, table: sa.FromClause, relation: Relation, verdict: FitResult, glance: Glance
) -> FitResult:
    """A good verdict on a column of dates as it is, unless its dates need another `date_order` than the catalog says."""
    seen = _counted(source, some_of(table, relation), glance)
    if seen is None or not seen.either:
        return verdict
    two_ways = f"{verdict[1]}: {_values(seen.either)} can be read day first or month first"
    if source.date_order is None:
        return State.WARN, f"{two_ways}, and are read month first", _advice(seen)
    other = _OTHER.get(source.date_order)
    if other is None:
        return State.WARN, f"{two_ways}, and as the year does not come first they are not sent", _advice(seen)
    against, by = getattr(seen, other), getattr(seen, source.date_order)
    if against <= by:
        return verdict
    found = f"{verdict[1]}: {_values(against)} can only be read {other.replace('_', ' ')}, {by:,} only as declared"
    return State.WARN, found, f"See whether `date_order: {other}` is meant."


def _counted(source: DateSource, sample: sa.FromClause, glance: Glance) -> Any | None:
    """Of the sample's dates that end with the year: how many can be read either way, and in one way only."""
    parts = sa.func.regexp_match(text(source, sample), _YEAR_LAST, type_=ARRAY(sa.Text)).label("parts")
    some = sa.select(parts).select_from(sample).limit(SAMPLE).subquery()
    first, second = (sa.cast(some.c.parts[place], sa.Integer) for place in (1, 2))
    counts = (
        sa.func.count().filter(first <= _MONTHS, second <= _MONTHS, first != second).label("either"),
        sa.func.count().filter(first > _MONTHS).label("day_first"),
        sa.func.count().filter(second > _MONTHS).label("month_first"),
    )
    answer = glance.ask(sa.select(*counts))
    return None if isinstance(answer, Refusal) else answer[0]


def _advice(seen: Any) -> str:
    likely = max(_OTHER, key=lambda order: getattr(seen, order))
    if not getattr(seen, likely):
        return "Add `date_order: day_first` or `date_order: month_first`."
    only = f"{_values(getattr(seen, likely), 'other ')} can only be read {likely.replace('_', ' ')}"
    return f"Add `date_order: {likely}`: {only}, {getattr(seen, _OTHER[likely]):,} only {_OTHER[likely].replace('_', ' ')}."


def _values(number: int, which: str = "") -> str:
    return f"{number:,} {which}value{'' if number == 1 else 's'}"
