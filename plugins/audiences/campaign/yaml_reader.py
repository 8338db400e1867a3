"""YAML, read without anything that could run: no tags, no merge keys, no duplicate keys, no expanding aliases.

Scalars follow YAML 1.2's core schema, cut down to what a campaign needs: `true` and `false`, `null`, decimal numbers;
everything else is text, so `on`, `no`, `09:00`, `2026-12-01`, `007` and `+4912345` stay what the author wrote.
The parser's events are read one by one, so that a limit is noticed before the memory for what exceeds it is spent.
"""

from __future__ import annotations

import math
import re
from pathlib import Path as FilePath
from typing import Any, NoReturn

import yaml

from audiences.campaign.source import Document, Position, fail, read_text
from audiences.campaign.wording import Path, bare, dotted
from audiences.errors import Problem

MAX_DEPTH = 40
MAX_NODES = 20_000  # keys and values, aliases counted as what they stand for

_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"-?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NAMED = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~"), None),
}
_EMPTY = "is empty; give it a value or remove the key (`null` says on purpose that there is none)"
_EMPTY_TEXT = "is read as a key without a value; a text with a comma inside `{}` needs quotes"
_CONFLICT = re.compile(r"^(?:<{7} |={7}$|>{7} )", re.MULTILINE)
_UNMERGED = "git has left a conflict here; keep one of the versions, and remove the lines with `<<<<<<<`, `=======` and `>>>>>>>`"
_HINTS = {
    "mapping values are not allowed in this context": (
        "`: ` cannot stand here; put the value in quotes if it holds `: `, or check the indentation"
    ),
    "block sequence entries are not allowed in this context": "a list cannot begin here; put `- ` on a line of its own",
    "could not find expected ':'": "a key without `:` after it, or a text over several lines that needs quotes",
    "did not find expected key": "the indentation does not fit the lines above, or a quote is missing",
    "did not find expected '-' indicator": "the indentation does not fit the list above, or a `- ` is missing",
    "did not find expected ',' or ']'": "the `[` before this is not closed, or a comma is missing",
    "did not find expected ',' or '}'": "the `{` before this is not closed, or a comma is missing",
    "found unexpected ':'": "a space is missing after `:`, or the value",
    "found unknown escape character": "unknown escape after `\\`; in double quotes write `\\\\`, or use single quotes",
    "did not find expected <document start>": "text after the end of the data; check quotes and indentation",
}


def read_document(path: FilePath, file: str) -> Document:
    """One YAML file. Raises ConfigError when it cannot be read as YAML within the limits."""
    return parse(read_text(path, file), file)


def parse(text: str, file: str) -> Document:
    """The text of one YAML file. Raises ConfigError when it is not YAML within the limits."""
    reader = _Reader(text, file)
    try:
        data, place = reader.document()
    except yaml.MarkedYAMLError as error:
        fail(file, "yaml-syntax", *_explain(error, text))
    except (yaml.YAMLError, UnicodeError) as error:
        fail(file, "yaml-syntax", f"not valid YAML: {bare(str(error))}")
    return Document(file, data, place, tuple(reader.problems))


def _explain(error: yaml.MarkedYAMLError, text: str) -> tuple[str, int, int]:
    """What is wrong, in the words of an author, with line and column."""
    if conflict := _CONFLICT.search(text):
        return _UNMERGED, text.count("\n", 0, conflict.start()) + 1, 1
    mark = error.problem_mark or error.context_mark
    problem = str(error.problem or error.context or "a mistake")
    if problem == "found unexpected end of stream" and error.context_mark:
        mark, problem = error.context_mark, "the quote that begins here is not closed"
    line, column = (mark.line, mark.column) if mark else (0, 0)
    if problem == "found character that cannot start any token":
        here = "".join(text.splitlines()[line : line + 1])[column : column + 1]
        problem = "a tab cannot indent; use spaces" if here == "\t" else f"a value cannot begin with {here}; quote it"
    return f"not valid YAML: {_HINTS.get(problem, problem)}", line + 1, column + 1


class _Reader:
    """Builds data and places from the parser's events; recursion is bounded by MAX_DEPTH."""

    def __init__(self, text: str, file: str) -> None:
        self.parser = yaml.CSafeLoader(text)
        self.file = file
        self.problems: list[Problem] = []
        self.anchors: dict[str, tuple[Any, Position]] = {}
        self.nodes = 0

    def document(self) -> tuple[dict[str, Any], Position]:
        self._next()  # the stream's start
        if isinstance(self._next(), yaml.StreamEndEvent):
            fail(self.file, "empty-file", "is empty")
        first = self._next()
        data, place = self._node(first, ())
        self._next()  # the document's end
        if not isinstance(after := self._next(), yaml.StreamEndEvent):
            self._stop(after, "several-documents", "a second document begins here; write one file for each")
        if data is None and isinstance(first, yaml.ScalarEvent) and not first.value:
            fail(self.file, "empty-file", "is empty")
        if not isinstance(data, dict):
            self._stop(first, "wrong-type", "the file must be a mapping of keys, such as `name: …`")
        return data, place

    def _next(self) -> yaml.Event:
        event = self.parser.get_event()
        return yaml.StreamEndEvent() if event is None else event

    def _stop(self, event: yaml.Event, code: str, message: str, path: Path = ()) -> NoReturn:
        fail(self.file, code, message, *_at(event), dotted(path))

    def _add(self, event: yaml.Event, path: Path, code: str, message: str) -> None:
        self.problems.append(Problem(self.file, *_at(event), dotted(path), code, message))

    def _spend(self, event: yaml.Event, path: Path, depth: int) -> None:
        self.nodes += 1
        if depth > MAX_DEPTH:
            self._stop(event, "too-deep", f"is nested deeper than {MAX_DEPTH} levels", path[:3])
        if self.nodes > MAX_NODES:
            self._stop(event, "too-large", f"the file holds more than {MAX_NODES:,} keys and values", path[:3])

    def _node(self, event: yaml.Event, path: Path) -> tuple[Any, Position]:
        self._spend(event, path, len(path))
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, path)
        place = Position(*_at(event))
        if isinstance(event, yaml.ScalarEvent):
            data = self._scalar(event, path)
        elif isinstance(event, yaml.MappingStartEvent):
            data = self._mapping(path, place)
        else:
            data = self._sequence(path, place)
        if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
            if event.tag is not None:
                self._stop(event, "tag", f"tags such as `{bare(event.tag)}` are not read; write plain values", path)
            if event.anchor is not None:
                self.anchors[event.anchor] = data, place
        return data, place

    def _alias(self, event: yaml.AliasEvent, path: Path) -> tuple[Any, Position]:
        name = event.anchor or ""
        if name not in self.anchors:
            self._stop(event, "unknown-alias", f"`*{bare(name)}` names no `&{bare(name)}` that ends above", path)
        data, place = self.anchors[name]
        self._spend_again(event, place, path, len(path))
        return data, Position(place.line, place.column, None, place.inside)

    def _spend_again(self, event: yaml.Event, place: Position, path: Path, depth: int) -> None:
        """An alias costs as much as what it stands for, so that a few lines cannot stand for billions."""
        for inner in place.inside.values():
            self._spend(event, path, depth + 1)
            self._spend_again(event, inner, path, depth + 1)

    def _sequence(self, path: Path, place: Position) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            item, place.inside[len(items)] = self._node(event, (*path, len(items)))
            items.append(item)
        return items

    def _mapping(self, path: Path, place: Position) -> dict[str, Any]:
        data: dict[str, Any] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._key(event, path)
            value, inner = self._node(self._next(), (*path, key))
            inner.key = _at(event)
            if key in data:
                line, column = place.inside[key].key or (0, 0)
                self._add(event, (*path, key), "duplicate-key", f"is given twice, first at {line}:{column}; keep one")
            else:
                data[key], place.inside[key] = value, inner
        return data

    def _key(self, event: yaml.Event, path: Path) -> str:
        if not isinstance(event, yaml.ScalarEvent) or event.tag is not None or event.anchor is not None:
            self._stop(event, "bad-key", "a key must be plain text", path)
        if event.value == "<<" and event.implicit[0]:
            self._stop(event, "bad-key", "merge keys (`<<`) are not read; write the keys out", path)
        if not event.value.strip() or "\x00" in event.value:
            self._stop(event, "bad-key", "a key must be plain text, and not blank", path)
        return event.value

    def _scalar(self, event: yaml.ScalarEvent, path: Path) -> Any:
        text = event.value
        if "\x00" in text:
            self._add(event, path, "bad-character", "holds a NUL character, which no Postgres text can")
        if not event.implicit[0]:  # quoted or a block
            return text
        if not text:
            self._add(event, path, "empty-value", _EMPTY_TEXT if _is_sentence(path) else _EMPTY)
            return None
        return _NAMED[text] if text in _NAMED else self._number(event, text, path)

    def _number(self, event: yaml.ScalarEvent, text: str, path: Path) -> int | float | str:
        """A number that Postgres and JSON can hold, else the text."""
        if _INTEGER.fullmatch(text):
            if len(text) <= len("-9223372036854775808") and -(2**63) <= int(text) < 2**63:
                return int(text)
        elif not _FLOAT.fullmatch(text):
            return text
        elif math.isfinite(number := float(text)):
            return number
        self._add(event, path, "out-of-range", f"`{bare(text)}` is too large a number; put it in quotes if it is text")
        return text


def _is_sentence(path: Path) -> bool:
    return bool(path) and isinstance(path[-1], str) and " " in path[-1]


def _at(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (0, 0)
