"""Reading objects: the `fields` parameter, and lists with cursors."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from audiences.sandbox.graph.error_table import refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from audiences.sandbox.graph.call import Call

DEFAULT_LIMIT = 25
MAX_LIMIT = 5_000


def select(
    call: Call, available: Mapping[str, Callable[[], Any]], *, node: str, default: Sequence[str] = ("id",)
) -> dict[str, Any]:
    """The fields asked for, plus `id`; values that are None are left out, as Facebook does. Raises 100 for an unknown one."""
    chosen: dict[str, Any] = {}
    for asked in call.fields() or list(default):
        plain, _, inner = asked.strip().partition("{")
        name, _, alias = plain.partition(".as(")
        if name not in available:
            refuse("no_such_field", field=name, node=node)
        value = available[name]()
        if inner and isinstance(value, dict):
            wanted = {part.strip() for part in inner.rstrip("}").split(",")} | {"id"}
            value = {key: part for key, part in value.items() if key in wanted}
        if value is not None:
            chosen[alias.rstrip(")") or name] = value
    return {**chosen, "id": available["id"]()}


def constants(values: Mapping[str, Any]) -> dict[str, Callable[[], Any]]:
    """Fields whose values are at hand, in the form that `select` takes."""
    return {name: partial(values.__getitem__, name) for name in values}


def iso(seconds: float) -> str:
    """A time as Facebook writes it: 2026-11-23T09:00:00+0000."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S%z")


def page(call: Call, rows: Sequence[tuple[str, Callable[[], dict[str, Any]]]]) -> dict[str, Any]:
    """One page of `(id, make)` rows in the shape of an edge: data, cursors, `next` when there is more, a summary on request.

    As at Facebook, `next` is a whole address with the access token in it; a careful client goes by the cursor.
    """
    asked = call.integer("limit")
    limit = DEFAULT_LIMIT if asked is None else asked
    if not 0 < limit <= MAX_LIMIT:
        refuse("invalid_param", text=f"Param limit must be between 1 and {MAX_LIMIT}")
    ids = [identifier for identifier, _ in rows]
    start = _position_after(call.text("after"), ids)
    shown = rows[start : start + limit]
    answer: dict[str, Any] = {"data": [make() for _, make in shown]}
    if shown:
        after = _cursor(shown[-1][0])
        answer["paging"] = {"cursors": {"before": _cursor(shown[0][0]), "after": after}}
        if start + limit < len(rows):
            query = {name: call.text(name) or "" for name in call.params if name != "method"} | {"after": after}
            if call.token is not None:
                query["access_token"] = call.token.token
            answer["paging"]["next"] = f"{call.base_url}/{call.version}{call.path}?{urlencode(query)}"
    if call.truth("summary") or call.text("summary") == "total_count":
        answer["summary"] = {"total_count": len(rows)}
    return answer


def _cursor(identifier: str) -> str:
    return base64.b64encode(identifier.encode()).decode()


def _position_after(cursor: str | None, ids: list[str]) -> int:
    if cursor is None:
        return 0
    try:
        return ids.index(base64.b64decode(cursor, validate=True).decode()) + 1
    except (binascii.Error, ValueError):
        refuse("invalid_param", text="Invalid cursors values")
