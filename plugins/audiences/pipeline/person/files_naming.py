"""The files of a project that name an erased person; a person has to change those, and commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from audiences.campaign.files import folders_read
from audiences.campaign.source import is_file, is_there
from audiences.campaign.wording import file_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from audiences.what.traces import Traces

_FOLDERS = ("campaigns", "include")
_DOCUMENTS, _LISTS, _TEXTS = (".yml", ".yaml"), (".csv",), (".sql",)


def files_naming(root: Path, traces: Traces) -> Iterator[tuple[str, str]]:
    """Their names, relative to the project: an id under `never_hold_out` or in a list, an id or an address in a filter.

    With each an empty text, or why it cannot be looked into: nobody could say then that the person is gone.
    """
    # Whatever is in the project's folders, read or not, and in those that are read and are links to others.
    found = {path for folder in _FOLDERS for path in (root / folder).rglob("*")}
    for folder in folders_read(root):
        try:
            found |= {*folder.iterdir()}
        except OSError as error:
            if is_there(folder):
                yield _shown(root, folder), error.strerror or type(error).__name__
    for path in sorted(found):
        if path.suffix.lower() in (*_DOCUMENTS, *_LISTS, *_TEXTS) and is_file(path):
            try:
                if _names(path, traces):
                    yield _shown(root, path), ""
            except OSError as error:
                yield _shown(root, path), error.strerror or type(error).__name__


def _shown(root: Path, path: Path) -> str:
    return "/".join(map(file_name, path.relative_to(root).parts))


def _names(path: Path, traces: Traces) -> bool:
    text = path.read_text(encoding="utf-8", errors="replace")
    if traces.without(text) != text:
        return True
    if path.suffix.lower() in _LISTS:
        users = [line.strip().strip('"') for line in text.splitlines()]
        return bool(traces.listed(users) != users)
    if path.suffix.lower() in _DOCUMENTS:
        document = _document(text)
        return bool(traces.cleaned(document) != document)
    return False


def _document(text: str) -> Any:
    """The file with every value as it is written, `007` too; None where it is no YAML, which `audiences validate` tells."""
    try:
        return yaml.load(text, yaml.BaseLoader)  # noqa: S506  # it makes texts, lists and mappings only
    except yaml.YAMLError:
        return None
