"""The lists of names and values in the catalog: what is seen in the warehouse, written into the file for `validate`."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from audiences.campaign.wording import dotted
from audiences.campaign.yaml_reader import parse
from audiences.errors import ConfigError, FixConfigError
from audiences.warehouse.catalog.seen import event_names, event_values, user_values
from audiences.warehouse.catalog.yaml_text import entry, flow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from audiences.campaign.catalog import Catalog
    from audiences.campaign.wording import Path
    from audiences.warehouse.catalog.reflect import Glance

List = tuple["Path", tuple[str, ...]]
"""Where a list belongs in the catalog, and what it holds."""


@dataclass(eq=False)
class NotWritableError(FixConfigError):
    """A file that is written in a way that a list cannot be put into by itself."""

    file: str
    key: str
    line: str

    def __str__(self) -> str:
        return f"`{self.key}` could not be put into {self.file}, which was left as it is; write it there yourself: {self.line}"


def unrecorded(catalog: Catalog, glance: Glance) -> Iterator[List]:
    """The lists that the catalog lacks and that the warehouse gives in full: names of events, values of properties."""
    users = glance.relation(catalog.users.relation)
    for name, declared in catalog.users.properties.items() if users else ():
        if declared.values is None and declared.derive is None:  # of a country the names are known
            seen = user_values(catalog, declared, users, glance) if users else None
            if seen and seen.all and seen.values:
                yield ("users", "properties", name, "values"), tuple(sorted(seen.values))
    events = glance.relation(catalog.events.relation) if catalog.events else None
    if catalog.events is None or events is None:
        return
    if (
        catalog.events.names is None
        and (seen := event_names(catalog.events, events, glance))
        and seen.all
        and seen.values
    ):
        yield ("events", "names"), seen.values
    for name, event_property in catalog.events.properties.items():
        if event_property.values is None:
            seen = event_values(catalog.events, event_property, events, glance)
            if seen and seen.all and seen.values:
                yield ("events", "properties", name, "values"), tuple(sorted(seen.values))


def record(text: str, lists: Sequence[List], *, file: str) -> str:
    """The file with the lists in their places, everything else as it was. Raises NotWritableError.

    What comes out is read again: it says what the file said, and the lists.
    """
    for path, values in lists:
        written = _insert(text, path, values)
        if _read(written, file) != _with(parse(text, file).data, path, values):
            raise NotWritableError(file=file, key=dotted(path), line=f"{path[-1]}: {flow(list(values))}")
        text = written
    return text


def _read(text: str, file: str) -> dict[str, Any] | None:
    """What the file says; None when it can no longer be read."""
    try:
        return parse(text, file).data
    except ConfigError:
        return None


def _with(data: dict[str, Any], path: Path, values: Iterable[str]) -> dict[str, Any]:
    copied: Any = deepcopy(data)
    inside = copied
    for step in path[:-1]:
        inside = inside[step]
    inside[path[-1]] = list(values)
    return copied  # type: ignore[no-any-return]  # as deep a copy of a mapping


def _insert(text: str, path: Path, values: tuple[str, ...]) -> str:
    """Put the list at the end of a mapping in braces, or below the last short entry of a mapping in lines."""
    node: Any = yaml.compose(text, Loader=yaml.CSafeLoader)
    for step in path[:-1]:
        node = next(value for key, value in node.value if key.value == step)
    lines = text.splitlines(keepends=True)
    if node.flow_style:
        end = node.value[-1][1].end_mark  # of the last value; a comma may follow
        here = lines[end.line]
        lines[end.line] = f"{here[: end.column]}, {path[-1]}: {flow(list(values))}{here[end.column :]}"
        return "".join(lines)
    short = [
        value.end_mark.line
        for _, value in node.value
        if value.start_mark.line == value.end_mark.line and (isinstance(value, yaml.ScalarNode) or value.flow_style)
    ]
    first = node.value[0][0].start_mark
    below = max(short) + 1 if short else first.line
    if below and not lines[below - 1].endswith("\n"):
        lines[below - 1] += "\n"
    lines.insert(below, entry(str(path[-1]), values, indent=first.column))
    return "".join(lines)
