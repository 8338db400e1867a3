"""Conditions on properties: `{customer_type: Platinum}`, `{age: {between: [25, 40]}}`, nested with `all`, `any`, `not`.

The same tree filters users (in pandas) and events (in SQL); which operators a property allows follows from its type in
the catalog and is checked before anything runs.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, StrictBool, model_validator

from audiences.campaign.base import Scalar, Strict, Text
from audiences.campaign.windows import Day, Window

Values = Annotated[tuple[Scalar, ...], Field(min_length=1)]


class Condition(Strict):
    """What must hold for one property; several operators in one mapping must all hold. A bare value means `equals`.

    A null matches no positive condition and always matches the `not_…` twin.
    """

    equals: Scalar | None = None
    not_equals: Scalar | None = None
    in_: Values | None = Field(None, alias="in")
    not_in: Values | None = None
    contains: Text | None = None
    not_contains: Text | None = None
    starts_with: Text | None = None
    matches: Text | None = None
    between: tuple[Scalar, Scalar] | None = None
    at_least: Scalar | None = None
    at_most: Scalar | None = None
    more_than: Scalar | None = None
    less_than: Scalar | None = None
    within: Window | None = None
    before: Day | None = None
    after: Day | None = None
    contains_any: Values | None = None
    contains_all: Values | None = None
    is_set: StrictBool | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare_value(cls, value: Any) -> Any:
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
    any: tuple[PropertyTree, ...] | None = Field(None, min_length=1)
    not_: PropertyTree | None = Field(None, alias="not")

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


Properties = Annotated[PropertyTree, BeforeValidator(_list_as_all)]
"""A tree; a bare list stands for `all`."""
