"""What is sent to the admin API, read and checked: JSON, objects of the world, rows of members, faults."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from audiences.sandbox.faults import BY_CELLS
from audiences.sandbox.member_sets import pack_dicts

if TYPE_CHECKING:
    from starlette.requests import Request

T = TypeVar("T")


class AdminError(Exception):
    """The admin API was asked for something that does not exist or makes no sense."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


async def body_of(request: Request) -> Any:
    """What was sent, read as JSON; raises AdminError for what is none, and for requests from pages of other sites."""
    origin = request.headers.get("origin")
    if origin is not None and origin.rstrip("/") != str(request.base_url).rstrip("/"):
        message = f"requests from pages of {origin} are not taken"
        raise AdminError(message, 403)
    raw = await request.body()
    try:
        return orjson.loads(raw) if raw else {}
    except orjson.JSONDecodeError as error:
        message = f"the body is not JSON: {error}"
        raise AdminError(message) from None


def fault_doc(doc: Any) -> dict[str, Any]:
    """Rows are refused for good unless the rule says how often; other faults strike once."""
    given = mapping(doc)
    return {"times": None, **given} if given.get("kind") in BY_CELLS else given


def mapping(value: Any) -> dict[str, Any]:
    """A JSON object as it is; raises AdminError for anything else."""
    if not isinstance(value, dict):
        message = "a JSON object is needed"
        raise AdminError(message)
    return value


def packed(rows: Any) -> Any:
    """Rows of members, a list of `{KEY: value}`, as a set of members holds them; raises AdminError for what is none."""
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        message = "the rows must be a list of objects {KEY: value}"
        raise AdminError(message)
    try:
        return pack_dicts(rows)
    except (ValueError, TypeError) as error:
        raise AdminError(str(error)) from None


def filled(kind: type[T], doc: dict[str, Any], existing: T | None = None) -> T:
    """A new thing from `doc`, or the existing one with the changes of `doc`; raises AdminError naming what does not fit."""
    known = {one.name for one in fields(kind)}  # type: ignore[arg-type]  # every kind here is a dataclass
    unknown = doc.keys() - known
    if unknown:
        message = f"unknown: {', '.join(sorted(unknown))}; known are {', '.join(sorted(known))}"
        raise AdminError(message)
    before = {} if existing is None else asdict(existing)  # type: ignore[call-overload]  # the same
    try:
        return TypeAdapter(kind).validate_python({**before, **doc})
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, one['loc'])) or kind.__name__}: {one['msg']}" for one in error.errors()
        )
        raise AdminError(problems) from None
