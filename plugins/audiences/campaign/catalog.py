"""The warehouse catalog `include/warehouse.yml`: the user's own tables and columns as typed properties and events."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StrictBool, model_validator

from audiences.campaign.base import Name, Names, Scalar, Strict, only_one
from audiences.campaign.what import Identifier

PropertyType = Literal["string", "integer", "number", "boolean", "date", "datetime", "version", "list"]
Group = Literal["user", "demographics", "geography", "reachability", "app"]


class Source(Strict):
    """Where a value stands: in a `column`, or under a `path` of keys in a `jsonb` column."""

    column: Name | None = None
    jsonb: Name | None = None
    path: Names | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare_column(cls, value: Any) -> Any:
        return {"column": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _check(self) -> Source:
        if only_one(self, "column", "jsonb") is None:
            message = "needs `column: …`, or `jsonb: …` with `path: …`"
            raise ValueError(message)
        if (self.jsonb is None) != (self.path is None):
            message = "`jsonb` and `path` belong together"
            raise ValueError(message)
        return self


class IdentifierSource(Source):
    """An identifier of a user; `pre_hashed: true` when the column holds SHA-256 in hex already."""

    pre_hashed: StrictBool = False


def _list_of_string(value: Any) -> Any:
    return "list" if value in ("list of string", "list of strings") else value


class Property(Source):
    """A typed property of a user; `type` is that of the column, `derive` says what campaigns compare instead of it.

    `age`: whole years since a date. `country`: names and ISO codes alike; `equals`, `not_equals`, `in` and `not_in`
    compare countries, the other text operators the text as it stands. `is_set`: whether the column holds anything
    but null and blank text.
    """

    type: Annotated[PropertyType, BeforeValidator(_list_of_string)]
    group: Group = "user"
    values: tuple[Scalar, ...] | None = None
    derive: Literal["age", "country", "is_set"] | None = None
    description: Name | None = None

    @model_validator(mode="after")
    def _derivable(self) -> Property:
        allowed = _DERIVED_FROM.get(self.derive or "")
        if allowed and self.type not in allowed:
            message = f"`derive: {self.derive}` needs `type: {allowed[0]}`, found `type: {self.type}`"
            raise ValueError(message)
        return self

    @property
    def compared_as(self) -> PropertyType:
        """The type that a campaign's operators and values must fit: an age is an integer, all else its own type."""
        return "integer" if self.derive == "age" else self.type


_DERIVED_FROM = {"age": ("date", "datetime"), "country": ("string",), "is_set": ("boolean",)}


class EventProperty(Source):
    """A typed property of an event."""

    type: Annotated[PropertyType, BeforeValidator(_list_of_string)]
    values: tuple[Scalar, ...] | None = None
    description: Name | None = None


Sources = Annotated[
    tuple[Source, ...], BeforeValidator(lambda value: value if isinstance(value, list | tuple) else (value,))
]


class Users(Strict):
    """The table or view with one row per user; `opt_out` columns that are true keep a user out of every upload."""

    relation: Name
    key: Name
    email: IdentifierSource | None = None
    phone: IdentifierSource | None = None
    external_id: IdentifierSource | None = None
    first_name: IdentifierSource | None = None
    last_name: IdentifierSource | None = None
    city: IdentifierSource | None = None
    region: IdentifierSource | None = None
    zip: IdentifierSource | None = None
    country: IdentifierSource | None = None
    date_of_birth: IdentifierSource | None = None
    gender: IdentifierSource | None = None
    madid: IdentifierSource | None = None
    opt_out: Sources = ()
    properties: dict[str, Property] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _country_is_a_country(self) -> Users:
        country = self.properties.get("country")
        plain = country is not None and country.type == "string" and country.derive is None
        if country is not None and plain and (country.group == "geography" or "group" not in country.model_fields_set):
            self.properties["country"] = country.model_copy(update={"derive": "country", "group": "geography"})
        return self

    def identifier(self, name: Identifier) -> IdentifierSource | None:
        """Where the catalog says this identifier stands, None when it is not mapped."""
        source: IdentifierSource | None = getattr(self, name)
        return source


class Events(Strict):
    """The table or view with one row per event; `arrived_at` is when the row came in, for live campaigns."""

    relation: Name
    id: Name
    user: Name
    name: Name
    occurred_at: Name
    arrived_at: Name | None = None
    names: tuple[Name, ...] | None = None
    properties: dict[str, EventProperty] = Field(default_factory=dict)


class Catalog(Strict):
    """What the warehouse holds, in the words that campaigns use."""

    users: Users
    events: Events | None = None
    default_country: Annotated[str, Field(pattern="^[A-Za-z]{2}$")] | None = None
    timezone: Name = "UTC"

    def user_properties(self) -> dict[str, Property]:
        """Every property that `with_properties` may name: the catalog's own, and `has_email` and `has_phone`.

        Those two are there, unless the catalog declares them itself, for each of the identifiers that it maps: boolean,
        with `derive: is_set` over the identifier's column.
        """
        return {**_reachability(self.users), **self.users.properties}


def _reachability(users: Users) -> dict[str, Property]:
    mapped = {"has_email": users.email, "has_phone": users.phone}
    return {
        name: Property(
            column=source.column,
            jsonb=source.jsonb,
            path=source.path,
            type="boolean",
            group="reachability",
            derive="is_set",
        )
        for name, source in mapped.items()
        if source is not None
    }
