"""Where the catalog says that a value stands, and how the values of an identifier are to be read."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, StrictBool, model_validator
from pydantic.json_schema import JsonSchemaValue

from audiences.campaign.base import Strict, Text, Verbatim, as_tuple, only_one
from audiences.campaign.identifier_fields import DateOrder
from audiences.campaign.wording import shown

# As they stand: a key may begin or end with a blank.
Keys = Annotated[tuple[Text, ...], BeforeValidator(as_tuple, json_schema_input_type=Text | tuple[Text, ...])]


class Source(Strict):
    """Where a value stands: in a `column`, or under a `path` of keys in a `jsonb` column."""

    short_form: ClassVar[JsonSchemaValue | None] = {"type": "string"}

    column: Verbatim | None = None
    """A column of the table."""
    jsonb: Verbatim | None = None
    """A `jsonb` column of the table."""
    path: Keys | None = None
    """The key in the `jsonb` column, or the keys one after the other; `[]` is the document itself."""

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
    """The column holds SHA-256 in hex already."""

    @model_validator(mode="after")
    def _either_hashed_or_read(self) -> IdentifierSource:
        said = [name for name, value in self.reading().items() if value and name != "pre_hashed"]
        if self.pre_hashed and said:
            message = f"a hash (`pre_hashed: true`) is sent as it is, so {shown(said[0])} has nothing to say; remove one of them"
            raise ValueError(message)
        return self

    def reading(self) -> dict[str, Any]:
        """How the values are to be read, in the words of `Context` of the rules."""
        return {name: getattr(self, name) for name in type(self).model_fields if name not in Source.model_fields}


def unsaid(value: Any) -> bool:
    """Whether an option says nothing: it is left out of the JSON then, so that digests stay as they are."""
    return not value


class PhoneSource(IdentifierSource):
    """Phone numbers."""

    strict_valid: Annotated[StrictBool, Field(exclude_if=unsaid)] = False
    """Only numbers that are assigned in their country's plan; otherwise every number of a possible length is sent."""
    vanity: Annotated[StrictBool, Field(exclude_if=unsaid)] = False
    """Letters stand for digits, as in `1-800-FLOWERS`; otherwise they are a remark or a slip."""


class NameSource(IdentifierSource):
    """Names of people."""

    fold_diacritics: Annotated[StrictBool, Field(exclude_if=unsaid)] = False
    """Send names without accents, `jose` for `José`; otherwise they keep them, as Facebook describes it."""


class DateSource(IdentifierSource):
    """Days, in a column of dates or of text."""

    date_order: Annotated[DateOrder | None, Field(exclude_if=unsaid)] = None
    """How text such as `05.11.1990` is read: `day_first` is 5 November, `month_first` (and nothing said) 11 May;
    `year_first`: it cannot be read, the year comes first."""


SOURCES: dict[str, type[IdentifierSource]] = {
    "plain": IdentifierSource,
    "phone": PhoneSource,
    "name": NameSource,
    "date": DateSource,
}
