"""What a campaign runs after, when it has no times of its own: other DAGs, and assets that others update."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator
from pydantic.json_schema import JsonSchemaValue

from audiences.campaign.base import Name, Strict, as_tuple, only_one
from audiences.campaign.windows import Duration, Length
from audiences.campaign.wording import shown

_DAG = re.compile(r"[\w.-]{1,250}")  # what Airflow takes as the id of a DAG
_LENGTH = re.compile(r"\s*\d+\s")  # how a length of time begins, and no id of a DAG


def _dag(value: str) -> str:
    if not _DAG.fullmatch(value):
        message = (
            f"{shown(value)} cannot be the id of a DAG: letters, digits, `_`, `-`, `.`; an asset is written as its URI, such as "
            "`postgres://shop/public/orders`, or as `{asset: name}`"
        )
        raise ValueError(message)
    return value


def _asset(value: str) -> str:
    parts = urlsplit(value)
    if parts.password:
        message = "holds a password; the URI of an asset is a name and opens nothing, so write it without"
        raise ValueError(message)
    if parts.scheme.lower() == "airflow":
        message = f"{shown(value)} begins with `airflow:`, which Airflow keeps for itself"
        raise ValueError(message)
    return value


class Source(Strict):
    """A DAG or an asset, whose id or URI alone will do: `load_orders`, `postgres://shop/public/orders`."""

    short_form: ClassVar = {"type": "string"}

    dag: Annotated[Name, AfterValidator(_dag)] | None = None
    """The id of a DAG: whenever a run of it has succeeded."""
    asset: Annotated[Name, Field(max_length=1500), AfterValidator(_asset)] | None = None
    """The URI or the name of an asset: whenever it was updated."""

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, value: Any) -> Any:
        return {"asset" if ":" in value else "dag": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _check(self) -> Source:
        if only_one(self, "dag", "asset") is None:
            message = "says nothing; allowed: `{dag: id}`, `{asset: URI or name}`, or the id or URI alone"
            raise ValueError(message)
        return self

    def __str__(self) -> str:
        return f"the DAG {self.dag}" if self.dag else f"the asset {self.asset}"


_ONE: list[JsonSchemaValue] = [
    {"type": "string"},
    {
        "type": "object",
        "properties": {"dag": {"type": "string"}, "asset": {"type": "string"}},
        "additionalProperties": False,
        "minProperties": 1,
    },
]
Sources = Annotated[
    tuple[Source, ...],
    Field(min_length=1, max_length=20),
    BeforeValidator(as_tuple, json_schema_input_type=Source | tuple[Source, ...]),
]


class RunAfter(Strict):
    """Runs when all of these are done since the last run, or whenever any of them is; a list alone means all."""

    short_form: ClassVar = {"anyOf": [*_ONE, {"type": "array", "items": {"anyOf": _ONE}, "minItems": 1}]}

    all: Sources | None = None
    """Runs when each of these has been done since the last run began."""
    any: Sources | None = None
    """Runs whenever one of these has been done."""

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, value: Any) -> Any:
        alone = isinstance(value, str | list | tuple) or (isinstance(value, dict) and {"dag", "asset"} & {*value})
        return {"all": value} if alone else value

    @model_validator(mode="after")
    def _check(self) -> RunAfter:
        if only_one(self, "all", "any") is None:
            message = "says nothing; allowed: the id of a DAG, the URI of an asset, a list of them, `{any: [...]}`"
            raise ValueError(message)
        return self

    def __str__(self) -> str:
        """In words, to follow `runs`."""
        return f"after {(' and ' if self.all else ' or ').join(map(str, self.sources))}"

    @property
    def sources(self) -> tuple[Source, ...]:
        """All that is named."""
        return self.all or self.any or ()


def _which(value: Any) -> str:
    """A length of time, which a live campaign waits after an event, or what a scheduled one runs after."""
    return "length" if isinstance(value, Duration) or (isinstance(value, str) and _LENGTH.match(value)) else "sources"


After = Annotated[
    Annotated[Length, Tag("length")] | Annotated[RunAfter, Tag("sources")],
    Discriminator(_which),
]
