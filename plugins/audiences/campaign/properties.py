"""Conditions on properties: `{customer_type: Platinum}`, `{age: {between: [25, 40]}}`, nested with `all`, `any`, `not`.

The same tree filters users (in pandas) and events (in SQL); which operators a property allows follows from its type in
the catalog and is checked before anything runs.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, ConfigDict, Field, StrictBool, model_validator

from audiences.campaign.base import Scalar, Strict, Text
from audiences.campaign.windows import Day, Window

Values = Annotated[tuple[Scalar, ...], Field(min_length=1)]


class Condition(Strict):
    """What must hold for one property; several operators in one mapping must all hold. A bare value means `equals`.

    A null matches no positive condition and always matches the `not_…` twin.
    """

    short_form: ClassVar = {"type": ["string", "number", "boolean"]}

    equals: Scalar | None = None
    """The value is this one; a bare value says the same."""
    not_equals: Scalar | None = None
    """The value is another one, or there is none."""
    in_: Values | None = Field(None, alias="in")
    """The value is one of these."""
    not_in: Values | None = None
    """The value is none of these, or there is none."""
    contains: Text | None = None
    """The text contains this."""
    not_contains: Text | None = None
    """The text does not contain this, or there is none."""
    starts_with: Text | None = None
    """The text starts with this."""
    matches: Text | None = None
    """The text matches this regular expression somewhere."""
    between: tuple[Scalar, Scalar] | None = None
    """From the first value to the second, both included."""
    at_least: Scalar | None = None
    """This or more."""
    at_most: Scalar | None = None
    """This or less."""
    more_than: Scalar | None = None
    """More than this."""
    less_than: Scalar | None = None
    """Less than this."""
    within: Window | None = None
    """The date falls in this window, such as `last 30 days`."""
    before: Day | None = None
    """The date is before this day."""
    after: Day | None = None
    """The date is after this day."""
    contains_any: Values | None = None
    """The list holds at least one of these."""
    contains_all: Values | None = None
    """The list holds all of these."""
    is_set: StrictBool | None = None
    """`true`: there is a value; `false`: there is none."""

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
        names = ((name, name.removesuffix("_")) for name in type(self).model_fields)
        return {written: value for name, written in names if (value := getattr(self, name)) is not None}


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
