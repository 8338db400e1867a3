"""A list of user ids as people save it: out of an editor, a spreadsheet or a database, read right or refused with the place.

A list that is read wrong names nobody, and as `exclude_segment` lets everybody through who was to be left out. So what
is surely no id is refused. What could be one stays one; `audiences preview` says which of them no user has.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from audiences.campaign.source import fail
from audiences.campaign.wording import shown

_SEPARATORS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "`|`"}
_DIRECTIVE: Final = re.compile(r'"?sep=([^\w \r\n"])"?[ \t]*(?:\r\n?|\n|$)', re.IGNORECASE)  # Excel's own first line
_AS_TEXT: Final = re.compile(r'="(.*)"')  # Excel's way to keep a number as it is written
_UNSEEN: Final = " \t\xa0\u200b\u200c\u200d\u2060\u202f"
_HEADERS: Final = frozenset({"id", "ids", "uid", "userid", "userids", "customerid", "memberid"})
_QUOTES: Final = "'‘’‚“”„«»`"
_NO_IDS: Final = {
    r".*@.*": "is an e-mail address or the like; a list names users by their key, and no file should hold addresses",
    r"[+][0-9][0-9 ().-]{5,}[0-9]": "is a phone number; a list names users by their key",
    r"[0-9](?:[.,][0-9]+)?[eE][+][0-9]{1,2}": "is what a spreadsheet makes of a long number, and its last digits are lost; "
    "save the column as text",
    r"[0-9]{1,3}(?:[,'’ \xa0\u202f][0-9]{3})+|[0-9]{1,3}(?:[.][0-9]{3}){2,}": "has thousands separators; write digits only",
    rf"[{_QUOTES}].*[{_QUOTES}]|[{_QUOTES}][0-9]+": 'stands in quotes that are none of CSV; take them away, or write `"`',
    r"#(?:N/A|REF!|NAME[?]|VALUE!|DIV/0!|NUM!|NULL!)": "is an error of a spreadsheet",
}


class _Row(NamedTuple):
    line: int
    cells: list[str]


def read_list(text: str, file: str, key: str) -> tuple[str, ...]:
    """The ids, each once, in their order; `key` is the column that the users have them in.

    One id a line; a first line with the column's name is passed over. Raises ConfigError.
    """
    separator, begins = _separator(text, key)
    headings = {*_HEADERS, _plain(key)}
    users: dict[str, None] = {}
    first = True
    for line, cells in _rows(text, separator, file):
        if line < begins or not any(cells):
            continue
        if any(cells[1:]):
            between = _SEPARATORS.get(separator, shown(separator))
            fail(file, "bad-list", f"must hold one user id a line; found several columns, between {between}", line, 1)
        if not (first and _plain(cells[0]) in headings):
            users[_id(cells[0], file, line)] = None
        first = False
    if not users:
        fail(file, "empty-file", "lists nobody")
    return tuple(users)


def _id(text: str, file: str, line: int) -> str:
    """The id, if it can be one. Raises ConfigError."""
    if text.replace("-", "").isalnum():  # most ids, and no pattern
        return text
    for pattern, what in _NO_IDS.items():
        if re.fullmatch(pattern, text):
            fail(file, "bad-list", f"{shown(text)} {what}", line, 1)
    return text


def unlike_the_others(users: Iterable[str]) -> tuple[str, ...]:
    """The few ids that are no whole numbers where nearly all are: a heading, a total, a slip."""
    listed = tuple(users)
    odd = tuple(user for user in listed if not user.isascii() or not re.fullmatch(r"[+-]?[0-9]+(?:[.]0*)?", user))
    return odd if 0 < len(odd) <= max(1, len(listed) // 20) and len(listed) > len(odd) + 1 else ()


def _separator(text: str, key: str) -> tuple[str, int]:
    """What stands between the columns, if there are several, and the line that the list begins in."""
    if directive := _DIRECTIVE.match(text):
        return directive[1], 2
    for separator in _SEPARATORS:
        if separator not in text:
            continue
        split = [cells for cells in _split(text, separator) if len(cells) > 1]
        if split and (separator != "|" or _divides(split, key)):
            return separator, 1
    return ",", 1


def _split(text: str, separator: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    except csv.Error:  # told when the rows are read
        return


def _divides(split: list[list[str]], key: str) -> bool:
    """Whether `|` stands between columns: ids such as `auth0|5f7c8ec7` have one in them."""
    headed = any(_plain(cell) in {*_HEADERS, _plain(key)} for cell in split[0])
    return headed or all(cells[0].strip().isdigit() or not "".join(cells[1:]).strip() for cells in split)


def _rows(text: str, separator: str, file: str) -> Iterator[_Row]:
    """The rows with the line that each begins in. Raises ConfigError for what is no CSV."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    try:
        for row in rows:
            if any("\n" in cell or "\r" in cell for cell in row):
                fail(file, "bad-list", "a line break inside of quotes; is a double quote not closed?", line, 1)
            yield _Row(line, [_cell(cell) for cell in row])
            line = rows.line_num + 1
    except csv.Error as error:
        fail(file, "bad-list", f"cannot be read as CSV: {error}; is a double quote not closed?", line, 1)


def _cell(text: str) -> str:
    """What a person sees of a cell."""
    seen = text.strip().strip(_UNSEEN)
    as_text = _AS_TEXT.fullmatch(seen)
    return as_text[1].strip(_UNSEEN) if as_text else seen


def _plain(heading: str) -> str:
    """`User ID`, `user_id` and `userId` are one heading."""
    return re.sub(r"[\W_]+", "", heading).lower()
