"""One call of the Graph API, whichever way its parameters came: query, JSON, form or multipart, with `method=` or without."""

from __future__ import annotations

import gc
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl

import orjson
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from audiences.sandbox.graph.error_table import GraphError, refuse

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from starlette.requests import Request

    from audiences.sandbox.objects import AccessToken, Account, AdCampaign, AdSet, CustomAudience
    from audiences.sandbox.request_log import LoggedRequest
    from audiences.sandbox.world import World

T = TypeVar("T")

MAX_BODY = 64 * 1024 * 1024
_VERSIONED = re.compile(r"/(v\d+\.\d+)(?:/(.*))?")
_METHODS = frozenset({"GET", "POST", "DELETE"})


@dataclass(slots=True)
class Call:
    """A parsed request. `thing` is what its node names, if anything; `throttle` is the block that it runs into.

    Rows with one of `invalid_cells` are taken for invalid, whatever they are. `only_received` is what the answer says of how
    many there were; unless it `keeps_rows`, nothing is done with them.
    """

    world: World
    entry: LoggedRequest
    method: str
    version: str
    path: str
    node: str
    edge: str | None
    params: dict[str, Any]
    base_url: str
    presented: str | None
    generation: int
    token: AccessToken | None = None
    graph_object: Account | CustomAudience | AdSet | AdCampaign | None = None
    account: Account | None = None
    throttle: GraphError | None = None
    invalid_cells: frozenset[str] = frozenset()
    only_received: int | None = None
    keeps_rows: bool = True
    _parsed: dict[str, Any] = field(default_factory=dict)

    def the(self, kind: type[T]) -> T:
        """The node of the call, as the kind of thing that the route is for."""
        if not isinstance(self.graph_object, kind):
            refuse("no_such_object", method=self.method.lower(), id=self.node)
        return self.graph_object

    def text(self, name: str) -> str | None:
        """The parameter as text; None when absent or empty."""
        value = self.params.get(name)
        if value is None or value == "":
            return None
        return value if isinstance(value, str) else orjson.dumps(value).decode()

    def required(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            refuse("missing_param", name=name)
        return value

    def json(self, name: str) -> Any:
        """The parameter as JSON, which forms and queries carry as text; None when absent."""
        if name not in self._parsed:
            value = self.params.get(name)
            try:
                self._parsed[name] = None if value == "" else orjson.loads(value) if isinstance(value, str) else value
            except orjson.JSONDecodeError:
                refuse("invalid_param", text=f"Param {name} must be valid JSON")
        return self._parsed[name]

    def integer(self, name: str) -> int | None:
        value = self.text(name)
        try:
            return None if value is None else int(value)
        except ValueError:
            refuse("invalid_param", text=f"Param {name} must be an integer")

    def truth(self, name: str) -> bool:
        return (self.text(name) or "").lower() in {"1", "true"}

    def fields(self) -> list[str]:
        """The names asked for in `fields`, which is text with commas or a JSON list; nested parts in braces are kept."""
        value = self.params.get("fields") or ""
        if isinstance(value, str) and value.startswith("["):
            value = self.json("fields")
        if isinstance(value, list):
            return [name for name in value if isinstance(name, str)]
        return re.findall(r"[^,{]+(?:\{[^}]*\})?", str(value))


def split_path(path: str) -> tuple[str, str, str | None]:
    """Version, node and edge of a path; raises 2500 or 100 for what is none."""
    match = _VERSIONED.fullmatch(path)
    if match is None:
        refuse("old_version", latest="v27.0")
    node, _, edge = (match[2] or "").strip("/").partition("/")
    if "/" in edge:
        refuse("unknown_path", path=f"/{edge.partition('/')[2]}")
    return match[1], node, edge or None


def effective_method(method: str, params: dict[str, Any]) -> str:
    """POST may stand for another method by a parameter of that name."""
    override = str(params.get("method", "")).upper()
    return override if method == "POST" and override in _METHODS else method


async def read_params(request: Request, body: bytes) -> dict[str, Any]:
    """Query and body as one mapping, the body's values first. Raises 100 for a body that cannot be read."""
    params: dict[str, Any] = dict(parse_qsl(request.url.query, keep_blank_values=True))
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not body:
        return params
    if kind == "multipart/form-data":
        return params | await _multipart(request, body)
    if kind == "application/json" or (kind != "application/x-www-form-urlencoded" and body.lstrip()[:1] == b"{"):
        return params | _json_object(body)
    try:
        return params | dict(parse_qsl(body.decode(), keep_blank_values=True))
    except UnicodeDecodeError:
        refuse("invalid_param", text="The request body is not UTF-8")


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        with _collector_paused():
            value = orjson.loads(body)
    except orjson.JSONDecodeError:
        refuse("invalid_param", text="The request body is not valid JSON")
    if not isinstance(value, dict):
        refuse("invalid_param", text="The request body must be a JSON object")
    return value


@contextmanager
def _collector_paused() -> Iterator[None]:
    """No garbage collection while a body becomes objects: it would look at ten thousand new lists again and again, in vain."""
    paused = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if paused:
            gc.enable()


async def _multipart(request: Request, body: bytes) -> dict[str, Any]:
    async def stream() -> AsyncGenerator[bytes, None]:
        yield body

    try:
        form: FormData = await MultiPartParser(request.headers, stream(), max_part_size=MAX_BODY).parse()
    except (MultiPartException, KeyError, UnicodeDecodeError):
        refuse("invalid_param", text="The multipart body cannot be read")
    values = {name: value for name, value in form.items() if not isinstance(value, UploadFile)}
    await form.close()
    return values
