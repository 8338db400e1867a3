"""Conditions on properties: `{customer_type: Platinum}`, `{age: {between: [25, 40]}}`, nested with `all`, `any`, `not`.

The same tree filters users (in pandas) and events (in SQL); the operators are those of
`operators.py`; which of them a property allows follows from its type in the catalog and is checked before anything runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BeforeValidator, ConfigDict, Field, create_model, model_validator

from audiences.campaign.base import Strict
from audiences.campaign.operators import OPERATORS

# Digests of campaigns were made when their JSON had these as null where they are not used, and stay what they are. An
# operator that came later is left out there, so that a new one does not make every campaign another one.
_IN_ALL_DIGESTS = {
    *(
        "equals",
        "not_equals",
        "in",
        "not_in",
        "contains",
        "not_contains",
        "starts_with",
        "matches",
        "between",
        "at_least",
    ),
    *("at_most", "more_than", "less_than", "within", "before", "after", "contains_any", "contains_all", "is_set"),
}


def _unset(value: Any) -> bool:
    return value is None


if TYPE_CHECKING:

    class _Operators(Strict): ...

else:  # a key for each operator of the table
    _Operators = create_model(
        "_Operators",
        __base__=Strict,
        **{
            operator.field: (
                operator.value | None,
                Field(
                    default=None,
                    alias=operator.name,
                    description=operator.means,
                    exclude_if=None if operator.name in _IN_ALL_DIGESTS else _unset,
                ),
            )
            for operator in OPERATORS.values()
        },
    )


class Condition(_Operators):
    """What must hold for one property; several operators in one mapping must all hold. A bare value means `equals`.

    A null matches no positive condition and always matches the `not_…` twin.
    """

    short_form: ClassVar = {"type": ["string", "number", "boolean"]}

    @model_validator(mode="before")
    @classmethod
    def _bare_value(cls, value: Any) -> Any:
        if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
            message = "holds conditions, which are joined by `all`, `any` or `not`; a property has values"
            raise ValueError(message)
        if value is None:
            message = "`null` is no value to compare with; write `{is_set: false}` for users without one"
            raise ValueError(message)
        if isinstance(value, list):
            message = "a list needs an operator; write `{in: […]}`, or `{contains_any: […]}` if the property is a list"
            raise ValueError(message)  # pydantic reports ValueError, not TypeError
        return {"equals": value} if isinstance(value, str | int | float) else value

    @model_validator(mode="after")
    def _says_something(self) -> Condition:
        if not self.operators():
            message = "names no operator; write a value, or an operator such as `{between: [25, 40]}`"
            raise ValueError(message)
        return self

    def operators(self) -> dict[str, Any]:
        """The operators that are set, by the names of the file (`in`, not `in_`)."""
        given = ((operator.name, getattr(self, operator.field)) for operator in OPERATORS.values())
        return {name: value for name, value in given if value is not None}


class PropertyTree(Strict):
    """Conditions joined by `and`: property names with their conditions, and `all` / `any` / `not` around trees."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Condition] = Field(init=False)

    all: tuple[PropertyTree, ...] | None = Field(None, min_length=1)
    """All of these hold."""
    any: tuple[PropertyTree, ...] | None = Field(None, min_length=1)
    """At least one of these holds."""
    not_: PropertyTree | None = Field(None, alias="not")
    """This does not hold."""

    @model_validator(mode="after")
    def _says_something(self) -> PropertyTree:
        if not self.conditions and self.all is None and self.any is None and self.not_ is None:
            message = "names no property"
            raise ValueError(message)
        return self

    @property
    def conditions(self) -> dict[str, Condition]:
        """The conditions of this level by property name."""
        return self.__pydantic_extra__ or {}

    def properties(self) -> set[str]:
        """The names of all properties in the tree."""
        below = (*(self.all or ()), *(self.any or ()), *((self.not_,) if self.not_ else ()))
        return set(self.conditions).union(*(tree.properties() for tree in below))


def _list_as_all(value: Any) -> Any:
    return {"all": value} if isinstance(value, list) else value


Properties = Annotated[
    PropertyTree, BeforeValidator(_list_as_all, json_schema_input_type=PropertyTree | tuple[PropertyTree, ...])
]
"""A tree; a bare list stands for `all`."""
