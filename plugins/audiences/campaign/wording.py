"""How problems quote what they found: short, on one line, safe to print, with the nearest valid name."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from audiences.redact import without_secrets

LONGEST = 60  # characters of a value that a message shows
_LONGEST_NAME = 100  # difflib compares in quadratic time; nobody mistypes a longer name
_LONGEST_FILE_NAME = 255
_MOST_NAMES = 20  # more allowed names than this are not listed

Path = tuple[str | int, ...]


def shown(value: Any) -> str:
    """A value in backticks as the file would write it, cut to a readable length; containers only by their kind."""
    if isinstance(value, dict):
        return "a mapping of keys"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    if value is None:
        return "`null`"
    return f"`{bare(str(value).lower() if isinstance(value, bool) else str(value))}`"


def bare(text: str) -> str:
    """Text without secrets and without anything that would break a line, a terminal or the backticks around it."""
    text = without_secrets(text)
    cut = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    return "".join(char if char.isprintable() and char != "`" else "�" for char in cut)


def file_name(name: str) -> str:
    """A file's name as messages, tables and Airflow's database can hold it, whatever bytes it is made of.

    What is no printable text is written as `\\x1b`; of a very long name the middle is left out.
    """
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    safe = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    return safe if len(safe) <= _LONGEST_FILE_NAME else f"{safe[:120]}…{safe[-120:]}"


def counted(count: int, one: str) -> str:
    """`1 request`, `1,200 requests`."""
    return f"{count:,} {one}{'' if count == 1 else 's'}"


def dotted(path: Path) -> str:
    """A path as people say it: `who.all[0].did.event`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{bare(step)}" for step in path)
    return "".join(steps).removeprefix(".")


def folded(text: str) -> str:
    """Text as it is compared with what people mistype: without letter case and accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in apart if not unicodedata.combining(character))


def nearest(name: Any, names: Iterable[Any]) -> str | None:
    """The valid name most like `name`, None when none is near; letter case and accents are looked past.

    Where none is like it, the only one that begins with it: `California` for `CA`.
    """
    if isinstance(name, dict | list) or len(str(name)) > _LONGEST_NAME:
        return None
    by_folded = {folded(str(valid)): str(valid) for valid in names}
    wanted = folded(str(name))
    if found := get_close_matches(wanted, by_folded, n=1, cutoff=0.6):
        return by_folded[found[0]]
    longer = [valid for each, valid in by_folded.items() if each.startswith(wanted)] if len(wanted) > 1 else []
    return longer[0] if len(longer) == 1 else None


def choice(name: Any, names: Iterable[Any], *, none: str = "", called: str = "allowed:") -> str:
    """The end of a message about a wrong name: what is allowed and the nearest of it, or `none` if nothing is."""
    valid = [str(each) for each in names]
    if not valid:
        return f"; {none}" if none else ""
    allowed = f"; {called} {', '.join(bare(each) for each in valid)}" if len(valid) <= _MOST_NAMES else ""
    return allowed + did_you_mean(name, valid)


def did_you_mean(name: Any, names: Iterable[Any]) -> str:
    """`; did you mean …?` with the nearest valid name, or nothing."""
    near = nearest(name, names)
    return f"; did you mean `{bare(near)}`?" if near is not None else ""
