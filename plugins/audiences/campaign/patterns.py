"""Regular expressions of campaign files: the part of the syntax that RE2 (over frames) and Postgres read alike.

A pattern is searched for anywhere in the value; `.` matches a line break too, `$` only the very end; `\\d`, `\\w`, `\\s` and
`\\b` are about ASCII. Neither engine backtracks without bound on these, but both write repeats out before they search, and a
search takes as long as the pattern is then: bounded repeats inside one another could hold a run up. So that size is bounded.
"""

from __future__ import annotations

import re
import warnings
from typing import NoReturn

LONGEST = 500
_IGNORE_CASE = "(?i)"
_MOST_REPEATS = 255  # Postgres' limit for one quantifier
# With all repeats written out. It also keeps to RE2's limit of 1,000 for repeats inside one another. Patterns of half as many
# steps again were measured to fall out of RE2's fast search: 20 s for a million characters.
MOST_STEPS = 1000
_STEPS_OF_MANY = 4  # of `.`, and of a set of characters that take more than one byte
_TOKEN = re.compile(
    r"""(?P<escape>\\.)
      | (?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])
      | (?P<open>\((?:\?:)?(?!\?))
      | (?P<repeat>(?:[*+?]|\{(?P<least>\d{1,4})(?:,(?P<most>\d{0,4}))?\})\??)
      | (?P<edge>[\^$])
      | (?P<other>[^\\\[(*+?{])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = re.compile(r"\\[dDwWsSbBtnrfv -/:-@\[-^`{-~]")
_UNLIKE_IN_SETS = re.compile(r"\\[^dwstnrfv -/:-@\[-^`{-~]|\[[:.=]")


def check_pattern(pattern: str) -> str:
    """The pattern itself; raises ValueError when some engine would refuse it or read it otherwise."""
    if len(pattern) > LONGEST:
        message = f"is longer than {LONGEST} characters"
        raise ValueError(message)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # `[[` means nothing special here, and is said to some day
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            message = f"`{pattern}` is not a regular expression: {error}"
            raise ValueError(message) from error
    tokens = pattern.removeprefix(_IGNORE_CASE)
    _check_tokens(tokens, ignoring_case=pattern.startswith(_IGNORE_CASE))
    if (steps := _steps(tokens)) > MOST_STEPS:
        message = (
            f"`{pattern}` is too large: with its repeats written out it has {steps:,} steps, and {MOST_STEPS:,} are the most: "
            "a larger one could hold a run up for hours; use smaller numbers in `{…}`, or `*` or `+` in their place"
        )
        raise ValueError(message)
    return pattern


def postgres_pattern(pattern: str) -> str:
    """The pattern as Postgres' `~` reads it, under the collation "C"."""
    flags = _IGNORE_CASE if pattern.startswith(_IGNORE_CASE) else ""
    tokens = (token[0] for token in _TOKEN.finditer(pattern.removeprefix(_IGNORE_CASE)))
    return flags + "".join(_for_postgres(token, ignoring_case=bool(flags)) for token in tokens)


def _for_postgres(token: str, *, ignoring_case: bool) -> str:
    if ignoring_case and len(token) == 1 and not token.isascii():
        # The collation "C" knows upper and lower case of ASCII only.
        cases = sorted({case for case in (token, token.lower(), token.upper()) if len(case) == 1})
        return f"[{''.join(cases)}]"
    return {r"\b": r"\y", r"\B": r"\Y"}.get(token, token)


def re2_pattern(pattern: str) -> str:
    """The pattern as RE2 reads it."""
    return f"(?s){pattern}"


def _check_tokens(pattern: str, *, ignoring_case: bool) -> None:
    position, repeatable = 0, False
    while position < len(pattern):
        token = _TOKEN.match(pattern, position)
        if token is None:
            _refuse(pattern[position : position + 3])
        kind, text = token.lastgroup, token[0]
        if token["repeat"]:
            if not repeatable or int(token["most"] or token["least"] or 0) > _MOST_REPEATS:
                _refuse(text)
            repeatable = False
        else:
            if kind == "set" and ignoring_case and not text.isascii():
                _refuse(text)
            if (kind == "escape" and not _ESCAPES.fullmatch(text)) or (kind == "set" and _UNLIKE_IN_SETS.search(text)):
                _refuse(text)
            repeatable = kind not in ("open", "edge") and text not in ("|", r"\b", r"\B")
        position = token.end()


def _steps(pattern: str) -> int:
    """About how many characters, sets and choices a checked pattern has once its repeats are written out."""
    done, last = [0], [0]  # for each open group: the steps before its last part, and those of the last part
    for token in _TOKEN.finditer(pattern):
        text = token[0]
        if token["open"]:
            done.append(0)
            last.append(0)
        elif token["repeat"]:
            last[-1] = last[-1] * max(int(token["most"] or token["least"] or 1), 1) + 1
        else:
            part = done.pop() + last.pop() + 1 if text == ")" else _steps_of(text)
            done[-1] += last[-1]
            last[-1] = part
    return done[0] + last[0]


def _steps_of(text: str) -> int:
    """Of one character, escape or set; RE2 spells a character that is not ASCII, or any that may be, byte by byte."""
    many = text in {".", r"\D", r"\W", r"\S"} or text.startswith("[^") or (text.startswith("[") and not text.isascii())
    return _STEPS_OF_MANY if many else len(text.encode()) if len(text) == 1 else 1


def _refuse(part: str) -> NoReturn:
    message = (
        f"`{part}` is not supported in `matches`; allowed are characters, `.`, sets, groups, `|`, `^`, `$`, "
        f"quantifiers up to {_MOST_REPEATS}, `\\d \\w \\s \\b` and their opposites, and `(?i)` in front"
    )
    raise ValueError(message)
