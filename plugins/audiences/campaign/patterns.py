"""Regular expressions of campaign files: the part of the syntax that RE2 (over frames) and Postgres read alike.

A pattern is searched for anywhere in the value; `.` matches a line break too, `$` only the very end; `\\d`, `\\w`, `\\s` and
`\\b` are about ASCII. Neither engine backtracks without bound on these, so a pattern cannot hang a run.
"""

from __future__ import annotations

import re
import warnings
from typing import NoReturn

LONGEST = 500
_IGNORE_CASE = "(?i)"
_MOST_REPEATS = 255  # Postgres' limit for one quantifier
_MOST_IN_ALL = 1000  # RE2's limit for quantifiers inside one another
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
    _check_tokens(pattern.removeprefix(_IGNORE_CASE), ignoring_case=pattern.startswith(_IGNORE_CASE))
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
    position, repeatable, product = 0, False, 1
    while position < len(pattern):
        token = _TOKEN.match(pattern, position)
        if token is None:
            _refuse(pattern[position : position + 3])
        kind, text = token.lastgroup, token[0]
        if token["repeat"]:
            product *= max(int(token["most"] or token["least"] or 1), 1)
            if not repeatable or product > _MOST_IN_ALL or int(token["most"] or token["least"] or 0) > _MOST_REPEATS:
                _refuse(text)
            repeatable = False
        else:
            if kind == "set" and ignoring_case and not text.isascii():
                _refuse(text)
            if (kind == "escape" and not _ESCAPES.fullmatch(text)) or (kind == "set" and _UNLIKE_IN_SETS.search(text)):
                _refuse(text)
            repeatable = kind not in ("open", "edge") and text not in ("|", r"\b", r"\B")
        position = token.end()


def _refuse(part: str) -> NoReturn:
    message = (
        f"`{part}` is not supported in `matches`; allowed are characters, `.`, sets, groups, `|`, `^`, `$`, "
        f"quantifiers up to {_MOST_REPEATS}, `\\d \\w \\s \\b` and their opposites, and `(?i)` in front"
    )
    raise ValueError(message)
