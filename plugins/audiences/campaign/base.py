"""What all models of the project's files share: unknown keys are errors, values are immutable."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
)


class Strict(BaseModel):
    """A part of a file: no unknown keys, no silent conversion between types, frozen once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True)


Scalar = StrictBool | StrictInt | StrictFloat | StrictStr


def _as_tuple(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else (value,)


def _printable(value: str) -> str:
    if "\x00" in value:
        message = "a NUL character cannot occur in a Postgres text"
        raise ValueError(message)
    return value


Text = Annotated[StrictStr, AfterValidator(_printable)]
Name = Annotated[Text, AfterValidator(lambda value: value.strip() or _blank())]
Names = Annotated[tuple[Name, ...], BeforeValidator(_as_tuple)]


def _blank() -> str:
    message = "must not be blank"
    raise ValueError(message)


def only_one(model: BaseModel, *names: str) -> str | None:
    """The one field among `names` that is set, None when there is none; raises ValueError when there are several."""
    given = [name for name in names if getattr(model, name) is not None]
    if len(given) > 1:
        message = f"{' and '.join(f'`{name.removesuffix(chr(95))}`' for name in given)} exclude each other; keep one"
        raise ValueError(message)
    return given[0] if given else None
