"""What is said of an operator, and what a table of operators must hold. The table itself is in `operators.py`."""

from __future__ import annotations

import keyword
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from audiences.campaign.catalog import PropertyType

Check = Literal["presence", "equality", "range", "window", "text", "pattern", "list"]


@dataclass(frozen=True, slots=True)
class Compares:
    """How an operator compares a number of a rule over events: how often they were done, or how much their values come to.

    `means` is the sentence that editors show. `says` is the comparison in a sentence, with `{}` where a number stands.
    """

    means: str
    says: str

    def words(self, value: Any) -> str:
        """The comparison with its number, or its two numbers: `between 1 and 4`."""
        return self.says.format(*(value if isinstance(value, tuple) else (value,)))


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

    `compares` is there for one that also compares a number of a rule over events.
    """

    name: str
    types: tuple[PropertyType, ...]
    value: Any
    check: Check
    means: str
    says: str
    says_no: str = ""
    denies: str = ""
    compares: Compares | None = None

    @property
    def pair(self) -> bool:
        """Whether two values stand behind it."""
        return self.says.count("{}") > 1

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
        return self.says.format(*parts) if self.pair else self.says.format(", ".join(parts))


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
        compares = operator.compares
        if compares and (not compares.means or compares.says.count("{}") != operator.says.count("{}")):
            message = f"operator `{operator.name}`: what `compares` says needs as many {{}} as `says`, and a `means`"
            raise ValueError(message)
        twin = listed.get(operator.denies)
        if operator.denies and (twin is None or _asks(twin) != _asks(operator)):
            message = f"operator `{operator.name}` and `{operator.denies}`, which it denies, differ in more than that"
            raise ValueError(message)
    return listed


def _asks(operator: Operator) -> tuple[Any, ...]:
    return operator.types, operator.value, operator.check
