"""The files of a project that name an erased person; a person has to change those, and commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from audiences.what.traces import Traces

_FOLDERS = ("campaigns", "include")
_DOCUMENTS, _LISTS, _TEXTS = (".yml", ".yaml"), (".csv",), (".sql",)


def files_naming(root: Path, traces: Traces) -> Iterator[str]:
    """Their names, relative to the project: an id under `never_hold_out` or in a list, an id or an address in a filter."""
    for folder in _FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (*_DOCUMENTS, *_LISTS, *_TEXTS) and path.is_file() and _names(path, traces):
                yield path.relative_to(root).as_posix()


def _names(path: Path, traces: Traces) -> bool:
    text = path.read_text(encoding="utf-8", errors="replace")
    if traces.without(text) != text:
        return True
    if path.suffix in _LISTS:
        users = [line.strip().strip('"') for line in text.splitlines()]
        return bool(traces.listed(users) != users)
    if path.suffix in _DOCUMENTS:
        document = _document(text)
        return bool(traces.cleaned(document) != document)
    return False


def _document(text: str) -> Any:
    """The file as plain values; None where it is no YAML, which `audiences validate` tells."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None
