"""Values as YAML for a file that people go on with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable

_WIDTH = 120
_ESCAPE = re.compile(r"\\(?:U([0-9A-F]{8})|.)")


def flow(value: Any) -> str:
    """A list or mapping on one line."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {flow(each)}' for key, each in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(flow, value))}]"
    return "true" if value is True else scalar(value)


def scalar(text: str) -> str:
    """A text as YAML: bare where it cannot be read as anything else, else in double quotes."""
    if text.isascii() and text.isidentifier() and text.lower() not in ("true", "false", "null"):
        return text
    quoted = yaml.dump(text, default_style='"', allow_unicode=True, width=2**31).rstrip("\n")
    return _ESCAPE.sub(_as_it_is, quoted)


def _as_it_is(escape: re.Match[str]) -> str:
    """A character beyond the first 65,536, an emoji, as people write it; other escapes stay."""
    character = chr(int(escape[1], 16)) if escape[1] else ""
    return character if character.isprintable() and character else escape[0]


def entry(key: str, values: Iterable[str], *, indent: int) -> str:
    """`key: [a, b]` as lines of a block mapping, the long list broken between its values."""
    lines = [f"{' ' * indent}{key}: ["]
    for number, value in enumerate(map(scalar, values)):
        added = f"{', ' if number else ''}{value}"
        if len(lines[-1]) + len(added) >= _WIDTH:
            lines[-1] += "," if number else ""
            lines.append(f"{' ' * (indent + 2)}{value}")
        else:
            lines[-1] += added
    return "\n".join(lines) + "]\n"
