"""The one table of operators, such as `starts_with` or `at_least`, and all that depends on which operator it is.

The keys of a condition in campaign files and their JSON schema, the types of properties that allow them, the checks of
`audiences validate`, the English of descriptions and of `audiences explain`: all of it is read from here. So are the keys of
`count`, `sum` and `average` in a rule over events, which are the operators that compare numbers. How an operator is evaluated
cannot lie here, since this room knows no other: for texts pandas has it in `SEARCHES` of `audiences/who/filters.py`, Postgres in
`SEARCHES` of `audiences/query/where.py`; for numbers of events Postgres has it in `COMPARED` of `audiences/query/events.py`.
Importing these fails for an operator that they lack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, get_args

from pydantic import Field, StrictBool

from audiences.campaign.base import Scalar, Text
from audiences.campaign.catalog import PropertyType
from audiences.campaign.operator_table import Compares, Operator, table
from audiences.campaign.windows import Day, Window

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

Values = Annotated[tuple[Scalar, ...], Field(min_length=1)]
Pair = tuple[Scalar, Scalar]


_ALL: Final[tuple[PropertyType, ...]] = get_args(PropertyType)
_ORDERED: Final = ("integer", "number", "version")
_DAYS: Final = ("date", "datetime")

OPERATORS: Final = table(
    (
        Operator(
            name="equals",
            types=("string", "boolean", *_ORDERED, *_DAYS),
            value=Scalar,
            check="equality",
            means="The value is this one; a bare value says the same.",
            says="is {}",
            compares=Compares("Exactly this.", "exactly {}"),
        ),
        Operator(
            name="not_equals",
            types=("string", "boolean", *_ORDERED, *_DAYS),
            value=Scalar,
            check="equality",
            means="The value is another one, or there is none.",
            says="is not {}",
            denies="equals",
        ),
        Operator(
            name="in",
            types=("string", "boolean", *_ORDERED),
            value=Values,
            check="equality",
            means="The value is one of these.",
            says="is one of {}",
        ),
        Operator(
            name="not_in",
            types=("string", "boolean", *_ORDERED),
            value=Values,
            check="equality",
            means="The value is none of these, or there is none.",
            says="is none of {}",
            denies="in",
        ),
        Operator(
            name="contains",
            types=("string",),
            value=Text,
            check="text",
            means="The text contains this.",
            says="contains {}",
        ),
        Operator(
            name="not_contains",
            types=("string",),
            value=Text,
            check="text",
            means="The text does not contain this, or there is none.",
            says="does not contain {}",
            denies="contains",
        ),
        Operator(
            name="starts_with",
            types=("string",),
            value=Text,
            check="text",
            means="The text starts with this.",
            says="starts with {}",
        ),
        Operator(
            name="ends_with",
            types=("string",),
            value=Text,
            check="text",
            means="The text ends with this.",
            says="ends with {}",
        ),
        Operator(
            name="matches",
            types=("string",),
            value=Text,
            check="pattern",
            means="The text matches this regular expression somewhere.",
            says="matches {}",
        ),
        Operator(
            name="between",
            types=(*_ORDERED, *_DAYS),
            value=Pair,
            check="range",
            means="From the first value to the second, both included.",
            says="is between {} and {}",
            compares=Compares("From the first number to the second, both included.", "between {} and {}"),
        ),
        Operator(
            name="at_least",
            types=_ORDERED,
            value=Scalar,
            check="range",
            means="This or more.",
            says="is at least {}",
            compares=Compares("This or more.", "at least {}"),
        ),
        Operator(
            name="at_most",
            types=_ORDERED,
            value=Scalar,
            check="range",
            means="This or less.",
            says="is at most {}",
            compares=Compares("This or less, but at least once for a count.", "at most {}"),
        ),
        Operator(
            name="more_than",
            types=_ORDERED,
            value=Scalar,
            check="range",
            means="More than this.",
            says="is more than {}",
            compares=Compares("More than this.", "more than {}"),
        ),
        Operator(
            name="less_than",
            types=_ORDERED,
            value=Scalar,
            check="range",
            means="Less than this.",
            says="is less than {}",
            compares=Compares("Less than this, but at least once for a count.", "less than {}"),
        ),
        Operator(
            name="within",
            types=_DAYS,
            value=Window,
            check="window",
            means="The date falls in this window, such as `last 30 days`.",
            says="is within {}",
        ),
        Operator(
            name="before",
            types=_DAYS,
            value=Day,
            check="window",
            means="The date is before this day.",
            says="is before {}",
        ),
        Operator(
            name="after",
            types=_DAYS,
            value=Day,
            check="window",
            means="The date is after this day.",
            says="is after {}",
        ),
        Operator(
            name="contains_any",
            types=("list",),
            value=Values,
            check="list",
            means="The list holds at least one of these.",
            says="holds any of {}",
        ),
        Operator(
            name="contains_all",
            types=("list",),
            value=Values,
            check="list",
            means="The list holds all of these.",
            says="holds all of {}",
        ),
        Operator(
            name="is_set",
            types=_ALL,
            value=StrictBool,
            check="presence",
            means="`true`: there is a value; `false`: there is none.",
            says="is set",
            says_no="is not set",
        ),
    )
)

BY_TYPE: Final[dict[PropertyType, tuple[str, ...]]] = {
    kind: tuple(operator.name for operator in OPERATORS.values() if kind in operator.types) for kind in _ALL
}
"""The names of the operators that each type of property allows."""


COMPARISONS: Final = {name: operator for name, operator in OPERATORS.items() if operator.compares}
"""The operators that a rule over events compares a number with: how often, or how much in sum or on average."""


def ensure_evaluated(
    evaluated: Collection[str], engine: str, place: str, operators: Iterable[Operator] = tuple(OPERATORS.values())
) -> None:
    """Raise LookupError, with what is missing and where, unless `evaluated` has each operator that searches, and no other."""
    _ensure_same(evaluated, [each.name for each in operators if each.searches], engine, place, "searches")


def ensure_compared(
    evaluated: Collection[str], engine: str, place: str, operators: Iterable[str] = COMPARISONS
) -> None:
    """The same for the operators of COMPARISONS."""
    _ensure_same(evaluated, list(operators), engine, place, "compares numbers")


def _ensure_same(evaluated: Collection[str], wanted: Collection[str], engine: str, place: str, does: str) -> None:
    there = "OPERATORS of audiences/campaign/operators.py"
    if missing := [name for name in wanted if name not in evaluated]:
        message = f"operator `{missing[0]}` is in {there}, and {engine} cannot evaluate it: add it to {place}"
        raise LookupError(message)
    if missing := [name for name in evaluated if name not in wanted]:
        message = f"{engine} evaluates `{missing[0]}` in {place}, which is no operator that {does}: add it to {there}"
        raise LookupError(message)
