"""The one table of operators of property conditions, such as `starts_with`, and all that depends on which operator it is.

The keys of a condition in campaign files and their JSON schema, the types of properties that allow them, the checks of
`audiences validate`, the English of descriptions and of `audiences explain`: all of it is read from here. How an operator of
texts is evaluated cannot lie here, since this room knows no other: pandas has it in `SEARCHES` of `audiences/who/filters.py`,
Postgres in `SEARCHES` of `audiences/query/where.py`. Importing these fails for an operator that they lack.
"""

from __future__ import annotations

import keyword
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, get_args

from pydantic import Field, StrictBool

from audiences.campaign.base import Scalar, Text
from audiences.campaign.catalog import PropertyType
from audiences.campaign.windows import Day, Window

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

Check = Literal["presence", "equality", "range", "window", "text", "pattern", "list"]
Values = Annotated[tuple[Scalar, ...], Field(min_length=1)]
Pair = tuple[Scalar, Scalar]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """An operator of a condition on a property.

    `types` are the types of properties that allow it. `value` is what stands behind it in a file, as the model of the file
    reads it. `check` says what the value is compared with, and so how validation checks it: `equality` and `list` compare
    with whole values of the property, `range` with bounds, `window` with days and instants, `text` and `pattern` search a
    text, `presence` asks whether there is a value.

    `means` is the sentence that editors show. `says` is the operator in a sentence, with `{}` where its value stands, several
    values joined by commas; with several `{}` each has its own value. `says_no` stands for `false` behind a `presence`.

    `denies` is the operator of which this is the opposite: it passes wherever that one does not, a null included.
    """

    name: str
    types: tuple[PropertyType, ...]
    value: Any
    check: Check
    means: str
    says: str
    says_no: str = ""
    denies: str = ""

    @property
    def field(self) -> str:
        """Its name as an attribute of the model: `in_` for `in`, which is a word of Python."""
        return f"{self.name}_" if keyword.iskeyword(self.name) else self.name

    @property
    def whole_values(self) -> bool:
        """Whether it compares with whole values, of which the catalog or the warehouse may have none such."""
        return self.check in ("equality", "list")

    @property
    def scalars(self) -> bool:
        """Whether its values may be of any type in the file, so that each must be checked against the property's type."""
        return self.check in ("equality", "list", "range")

    @property
    def searches(self) -> bool:
        """Whether it searches a text, in a way that pandas and Postgres each have a function for."""
        return self.check in ("text", "pattern") and not self.denies

    def words(self, value: Any, shown: Callable[[Any], str]) -> str:
        """The operator with a value of the file in English: "is one of `a`, `b`"; `shown` shows one value."""
        if self.check == "presence":
            return self.says if value else self.says_no
        parts = [shown(each) for each in (value if isinstance(value, tuple) else (value,))]
        return self.says.format(*parts) if self.says.count("{}") > 1 else self.says.format(", ".join(parts))


def table(operators: Iterable[Operator]) -> dict[str, Operator]:
    """The operators by name, as listed; raises ValueError for a table that contradicts itself."""
    listed: dict[str, Operator] = {}
    for operator in operators:
        if operator.name in listed:
            message = f"operator `{operator.name}` is in the table more than once"
            raise ValueError(message)
        listed[operator.name] = operator
    for operator in listed.values():
        if not operator.types or not operator.means:
            message = f"operator `{operator.name}` lacks its `types` or what it `means`"
            raise ValueError(message)
        presence = operator.check == "presence"
        if presence == ("{}" in operator.says) or presence != bool(operator.says_no):
            message = (
                f"operator `{operator.name}`: `says` needs a {{}} for the value; for a `presence`, `says_no` instead"
            )
            raise ValueError(message)
        twin = listed.get(operator.denies)
        if operator.denies and (twin is None or _asks(twin) != _asks(operator)):
            message = f"operator `{operator.name}` and `{operator.denies}`, which it denies, differ in more than that"
            raise ValueError(message)
    return listed


def _asks(operator: Operator) -> tuple[Any, ...]:
    return operator.types, operator.value, operator.check


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
        ),
        Operator(
            name="at_least",
            types=_ORDERED,
            value=Scalar,
            check="range",
            means="This or more.",
            says="is at least {}",
        ),
        Operator(
            name="at_most",
            types=_ORDERED,
            value=Scalar,
            check="range",
            means="This or less.",
            says="is at most {}",
        ),
        Operator(
            name="more_than",
            types=_ORDERED,
            value=Scalar,
            check="range",
            means="More than this.",
            says="is more than {}",
        ),
        Operator(
            name="less_than",
            types=_ORDERED,
            value=Scalar,
            check="range",
            means="Less than this.",
            says="is less than {}",
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


def ensure_evaluated(
    evaluated: Collection[str], engine: str, place: str, operators: Iterable[Operator] = tuple(OPERATORS.values())
) -> None:
    """Raise LookupError, with what is missing and where, unless `evaluated` has each operator that searches, and no other."""
    there = "OPERATORS of audiences/campaign/operators.py"
    searches = [operator.name for operator in operators if operator.searches]
    if missing := [name for name in searches if name not in evaluated]:
        message = f"operator `{missing[0]}` is in {there}, and {engine} cannot evaluate it: add it to {place}"
        raise LookupError(message)
    if missing := [name for name in evaluated if name not in searches]:
        message = f"{engine} evaluates `{missing[0]}` in {place}, which is no operator that searches: add it to {there}"
        raise LookupError(message)
