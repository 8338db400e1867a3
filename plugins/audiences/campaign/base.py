"""What all models of the project's files share: unknown keys are errors, values are immutable.

The text under a field says what its key means; it travels into the JSON Schema and so into editors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from audiences.campaign.wording import shown
from audiences.redact import without_secrets

T = TypeVar("T")


class Strict(BaseModel):
    """A part of a file: no unknown keys, no silent conversion between types, frozen once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True)

    short_form: ClassVar[JsonSchemaValue | None] = None
    """JSON Schema of the short form that stands for the mapping, such as a bare number for `{percent: 10}`."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        full = handler(core_schema)
        return {"anyOf": [cls.short_form, full]} if cls.short_form else full


class PlacedError(ValueError):
    """A mistake that a check of a whole mapping found in one of its keys."""

    def __init__(self, message: str, *path: str | int) -> None:
        super().__init__(message)
        self.path = path


Scalar = StrictBool | StrictInt | StrictFloat | StrictStr


def as_tuple(value: Any) -> Any:
    """One value where several are allowed."""
    return value if isinstance(value, list | tuple) else (value,)


def written_twice(values: Iterable[T], *, key: Callable[[T], Hashable]) -> list[T]:
    """The first of each of those values that are there more than once, by `key`."""
    first: dict[Hashable, T] = {}
    doubled: dict[Hashable, T] = {}
    for value in values:
        if (found := key(value)) in first:
            doubled[found] = first[found]
        else:
            first[found] = value
    return list(doubled.values())


def each_once(values: tuple[T, ...]) -> tuple[T, ...]:
    """A list in which nothing stands twice."""
    if doubled := written_twice(values, key=lambda value: value):
        message = f"names {', '.join(map(shown, doubled))} more than once"
        raise ValueError(message)
    return values


def _printable(value: str) -> str:
    if "\x00" in value:
        message = "a NUL character cannot occur in a Postgres text"
        raise ValueError(message)
    return value


def _not_blank(value: str) -> str:
    if not value.strip():
        message = "must not be blank"
        raise ValueError(message)
    return value.strip()


def _says_something(value: str) -> str:
    _not_blank(value)
    return value


Text = Annotated[StrictStr, AfterValidator(_printable)]
# A name in the warehouse, of an event or a column, is that of the warehouse to the letter, blanks at its ends included.
Verbatim = Annotated[Text, AfterValidator(_says_something)]
Verbatims = Annotated[
    tuple[Verbatim, ...], BeforeValidator(as_tuple, json_schema_input_type=Verbatim | tuple[Verbatim, ...])
]
Name = Annotated[Text, AfterValidator(_not_blank)]
# What Airflow keeps in columns of limited width. A longer one would not fail its own DAG only: it ends the DAG processor.
ShortName = Annotated[Name, Field(max_length=200)]
Label = Annotated[Name, Field(max_length=100)]
# The name of a campaign's or a segment's file without its ending, which is the id of a DAG and a part of paths.
STEM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
STEM_RULE = "letters a to z, digits, `_` and `-`, at most 100, and begins with a letter or digit"


def _stem(value: str) -> str:
    if not STEM.fullmatch(value):
        message = f"{shown(value)} cannot be a campaign's id, its file's name without `.yml`; an id is {STEM_RULE}"
        raise ValueError(message)
    return value


# What Airflow takes as the id of a connection, whichever backend keeps it.
_CONNECTION = re.compile(r"[\w#!()\-.:/\\]{1,250}")


def _connection(value: str) -> str:
    if "://" in value or without_secrets(value) != value:
        message = (
            "holds a secret where the name of an Airflow connection belongs; create the connection in Airflow "
            "(Admin, Connections), write its name here, and replace the secret where it was issued: it stays in the history"
        )
        raise ValueError(message)
    if not _CONNECTION.fullmatch(value):
        allowed = "letters, digits and `_ - . / : # ! ( )`, at most 250"
        message = f"{shown(value)} cannot be the name of an Airflow connection: {allowed}"
        raise ValueError(message)
    return value


def _staging(value: str) -> str:
    if without_secrets(value) != value and "@" in value and ":" in value.partition("://")[2].partition("@")[0]:
        message = (
            "holds a password; write `s3://<connection>@<bucket>/<folder>`, with the name of an Airflow connection"
        )
        raise ValueError(message)
    return value


StagingPath = Annotated[Name, AfterValidator(_staging)]
ConnectionId = Annotated[Name, AfterValidator(_connection)]
CampaignId = Annotated[Name, AfterValidator(_stem), Field(json_schema_extra={"pattern": f"^{STEM.pattern}$"})]
CampaignIds = Annotated[
    tuple[CampaignId, ...], BeforeValidator(as_tuple, json_schema_input_type=CampaignId | tuple[CampaignId, ...])
]
Names = Annotated[tuple[Name, ...], BeforeValidator(as_tuple, json_schema_input_type=Name | tuple[Name, ...])]


def only_one(model: BaseModel, *names: str) -> str | None:
    """The one field among `names` that is set, None when there is none; raises ValueError when there are several."""
    given = [name for name in names if getattr(model, name) is not None]
    if len(given) > 1:
        message = f"{' and '.join(f'`{name.removesuffix(chr(95))}`' for name in given)} exclude each other; keep one"
        raise ValueError(message)
    return given[0] if given else None
