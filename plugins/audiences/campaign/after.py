"""What a campaign runs after, when it has no times of its own: other DAGs, and assets that others update."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator
from pydantic.json_schema import JsonSchemaValue

from audiences.campaign import asset_uri
from audiences.campaign.base import Name, Strict, as_tuple, only_one, written_twice
from audiences.campaign.windows import Duration, Length
from audiences.campaign.wording import shown

_DAG = re.compile(r"[\w.-]{1,250}")  # what Airflow takes as the id of a DAG
_LENGTH = re.compile(r"\s*\d+\s")  # how a length of time begins, and no id of a DAG


def _dag(value: str) -> str:
    if not _DAG.fullmatch(value):
        message = (
            f"{shown(value)} cannot be the id of a DAG: letters, digits, `_`, `-`, `.`; an asset is written as its URI, such as "
            "`postgres://db/shop/public/orders`, or as `{asset: name}`"
        )
        raise ValueError(message)
    return value


def _asset(value: str) -> str:
    if value in asset_uri.NAMED:
        message = f"{shown(value)} is a name that Airflow gives to no asset"
        raise ValueError(message)
    asset_uri.as_stored(value)
    scheme, colon, dag = value.partition(":")
    if colon and scheme.lower() == asset_uri.OF_DAGS:
        message = (
            f"{shown(value)} begins with `dag:`, under which is kept what other DAGs have done; write the DAG's id alone, "
            f"{shown(dag.strip('/') or 'load_orders')}, or `{{dag: id}}`"
        )
        raise ValueError(message)
    return value


_ALLOWED = "allowed: `{dag: id}`, `{asset: URI or name}`, or the id or URI alone"


class Upstream(Strict):
    """A DAG or an asset, whose id or URI alone will do: `load_orders`, `postgres://db/shop/public/orders`."""

    short_form: ClassVar = {"type": "string"}

    dag: Annotated[Name, AfterValidator(_dag)] | None = None
    """The id of a DAG: whenever a run of it has succeeded."""
    asset: Annotated[Name, Field(max_length=asset_uri.LONGEST), AfterValidator(_asset)] | None = None
    """The URI or the name of an asset: whenever it was updated."""

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, value: Any) -> Any:
        if not isinstance(value, str | dict | Upstream):
            message = f"{shown(value)} is neither the id of a DAG nor an asset; {_ALLOWED}"
            raise ValueError(message)
        if isinstance(value, dict) and (
            wrong := [key for key in ("dag", "asset") if not isinstance(value.get(key), str | None)]
        ):
            message = f"`{wrong[0]}` must be text; found {shown(value[wrong[0]])}; put it in quotes"
            raise ValueError(message)
        return {"asset" if ":" in value else "dag": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _check(self) -> Upstream:
        if only_one(self, "dag", "asset") is None:
            message = f"says nothing; {_ALLOWED}"
            raise ValueError(message)
        return self

    @property
    def stored(self) -> tuple[str, str]:
        """What is waited for, equal for all spellings that Airflow takes for one."""
        return ("dag", self.dag) if self.dag else ("asset", asset_uri.as_stored(self.asset or ""))

    def __str__(self) -> str:
        return f"the DAG {self.dag}" if self.dag else f"the asset {self.asset}"


def _each_once(values: tuple[Upstream, ...]) -> tuple[Upstream, ...]:
    if twice := written_twice(values, key=lambda source: source.stored):
        message = f"names {' and '.join(shown(source.dag or source.asset) for source in twice)} more than once"
        raise ValueError(message)
    return values


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
    tuple[Upstream, ...],
    Field(min_length=1, max_length=20),
    BeforeValidator(as_tuple, json_schema_input_type=Upstream | tuple[Upstream, ...]),
    AfterValidator(_each_once),
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
        if isinstance(value, RunAfter) or (isinstance(value, dict) and not {"dag", "asset"} & {*value}):
            return value
        return {"all": value}

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
    def sources(self) -> tuple[Upstream, ...]:
        """All that is named."""
        return self.all or self.any or ()


def _which(value: Any) -> str:
    """A length of time, which a live campaign waits after an event, or what a scheduled one runs after."""
    return "length" if isinstance(value, Duration) or (isinstance(value, str) and _LENGTH.match(value)) else "sources"


After = Annotated[
    Annotated[Length, Tag("length")] | Annotated[RunAfter, Tag("sources")],
    Discriminator(_which),
]
