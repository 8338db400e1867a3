"""The warehouse catalog `include/warehouse.yml`: the user's own tables and columns as typed properties and events."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, create_model, model_validator
from pydantic.json_schema import JsonSchemaValue

from audiences.campaign.base import Name, Scalar, Strict, Verbatim, as_tuple
from audiences.campaign.catalog_sources import SOURCES, IdentifierSource, Source, unsaid
from audiences.campaign.identifiers import FIELDS, Identifier
from audiences.campaign.wording import shown

PropertyType = Literal["string", "integer", "number", "boolean", "date", "datetime", "version", "list"]
Group = Literal["user", "demographics", "geography", "reachability", "app"]


def _list_of_string(value: Any) -> Any:
    return "list" if value in ("list of string", "list of strings") else value


TypeName = Annotated[
    PropertyType,
    BeforeValidator(
        _list_of_string, json_schema_input_type=PropertyType | Literal["list of string", "list of strings"]
    ),
]


class Property(Source):
    """A typed property of a user; `type` is that of the column, `derive` says what campaigns compare instead of it.

    `age`: whole years since a date. `country`: names and ISO codes alike; `equals`, `not_equals`, `in` and `not_in`
    compare countries, the other text operators the text as it stands. `is_set`: whether the column holds anything
    but null and blank text.
    """

    short_form: ClassVar[JsonSchemaValue | None] = None

    type: TypeName
    """The type of the column, which decides what conditions a campaign may use."""
    group: Group = "user"
    """The group of properties that it is listed in."""
    values: tuple[Scalar, ...] | None = None
    """All values there are; campaigns that name another one are wrong."""
    derive: Literal["age", "country", "is_set"] | None = None
    """`age` from a date, `country` from names and codes, `is_set` from any column."""
    description: Name | None = None
    """What it says, for people."""

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

    short_form: ClassVar[JsonSchemaValue | None] = None

    type: TypeName
    """The type of the value, which decides what conditions a campaign may use."""
    values: tuple[Scalar, ...] | None = None
    """All values there are; campaigns that name another one are wrong."""
    description: Name | None = None
    """What it says, for people."""


Sources = Annotated[tuple[Source, ...], BeforeValidator(as_tuple, json_schema_input_type=Source | tuple[Source, ...])]


_PART = r'("([^"]|"")+"|[^."]+)'
_RELATION = re.compile(rf"{_PART}(\.{_PART})*")


def _names_a_relation(value: str) -> str:
    if not _RELATION.fullmatch(value):
        message = (
            f"{shown(value)} names no table or view; write `users` or `shop.users`, and a name with a dot or a double "
            'quote inside of it as `"shop.old"."users ""2"""`'
        )
        raise ValueError(message)
    return value


RelationName = Annotated[Verbatim, AfterValidator(_names_a_relation)]


# Digests of campaigns were made when their JSON had these as null where they are not mapped, and stay what they are. An
# identifier that came later is left out there, so that a new one does not make every campaign another one.
_IN_ALL_DIGESTS = {
    *("email", "phone", "external_id", "first_name", "last_name", "city", "region", "zip", "country", "date_of_birth"),
    *("gender", "madid"),
}


class _Keyed(Strict):
    relation: RelationName
    """The table or view, such as `shop.users`."""
    key: Verbatim
    """The column that identifies a user."""


if TYPE_CHECKING:

    class _Identified(_Keyed): ...

else:  # a key for each identifier of the table
    _Identified = create_model(
        "_Identified",
        __base__=_Keyed,
        **{
            field.name: (
                SOURCES[field.read_as] | None,
                Field(
                    default=None, description=field.means, exclude_if=None if field.name in _IN_ALL_DIGESTS else unsaid
                ),
            )
            for field in FIELDS.values()
        },
    )


class Users(_Identified):
    """The table or view with one row per user; `opt_out` columns that are true keep a user out of every upload."""

    opt_out: Sources = ()
    """Boolean columns; a user for whom one of them is true is never uploaded."""
    properties: dict[Name, Property] = Field(default_factory=dict)
    """What campaigns may ask about a user, by the names that they use."""

    @model_validator(mode="after")
    def _country_is_a_country(self) -> Users:
        country = self.properties.get("country")
        plain = country is not None and country.type == "string" and country.derive is None
        if country is not None and plain and (country.group == "geography" or "group" not in country.model_fields_set):
            self.properties["country"] = country.model_copy(update={"derive": "country", "group": "geography"})
        return self

    def identifier(self, name: Identifier) -> IdentifierSource | None:
        """Where the catalog says this identifier stands, None when it is not mapped; KeyError for a name of none."""
        source: IdentifierSource | None = getattr(self, FIELDS[name].name)
        return source

    def identifiers(self) -> dict[Identifier, IdentifierSource]:
        """The identifiers that the catalog maps."""
        return {name: source for name in FIELDS if (source := self.identifier(name)) is not None}


class Events(Strict):
    """The table or view with one row per event; `arrived_at` is when the row came in, for live campaigns."""

    relation: RelationName
    """The table or view, such as `shop.events`."""
    id: Verbatim
    """The column that identifies an event."""
    user: Verbatim
    """The column with the user's key."""
    name: Verbatim
    """The column with the event's name."""
    occurred_at: Verbatim
    """The column with the time at which the event took place."""
    arrived_at: Verbatim | None = None
    """The column with the time at which the row came in; live campaigns read by it."""
    names: tuple[Verbatim, ...] | None = None
    """All events there are; campaigns that name another one are wrong."""
    properties: dict[Name, EventProperty] = Field(default_factory=dict)
    """What campaigns may ask about an event, by the names that they use."""


class Catalog(Strict):
    """What the warehouse holds, in the words that campaigns use."""

    model_config = ConfigDict(title="Warehouse catalog")

    users: Users
    """The users."""
    events: Events | None = None
    """What users did."""
    default_country: Annotated[str, Field(pattern="^[A-Za-z]{2}$")] | None = None
    """The country of phone numbers without a country code, as two letters."""
    timezone: Name = "UTC"
    """The time zone of campaigns when neither they nor the settings name one."""

    def user_properties(self) -> dict[str, Property]:
        """Every property that `with_properties` may name: the catalog's own, and `has_email` and `has_phone`.

        Those two are there, unless the catalog declares them itself, for each of the identifiers that it maps: boolean,
        with `derive: is_set` over the identifier's column.
        """
        return {**_reachability(self.users), **self.users.properties}


def _reachability(users: Users) -> dict[str, Property]:
    return {
        f"has_{name}": Property(
            column=source.column,
            jsonb=source.jsonb,
            path=source.path,
            type="boolean",
            group="reachability",
            derive="is_set",
        )
        for name, source in users.identifiers().items()
        if FIELDS[name].contact
    }
