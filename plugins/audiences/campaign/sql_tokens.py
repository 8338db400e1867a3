"""PostgreSQL's lexical rules: where the words, texts, comments and semicolons of a statement are, without its grammar.

As in the server's own `scan.l`, read with `standard_conforming_strings` on, as every connection of ours sets it. What a
statement means is for the server to say; this is for what must be known of a file before there is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

TokenKind = Literal["word", "name", "text", "number", "parameter", "operator", "mark"]
"""`word`: a bare keyword or name. `name`: one in double quotes. `mark`: one of `( ) [ ] , ; . :` and `:: := ..`."""


class Token(NamedTuple):
    """One token: `text` as Postgres takes it (a bare word in lower case, a name without its quotes), and where it is."""

    kind: TokenKind
    text: str
    start: int
    end: int


@dataclass(eq=False)
class NotLexicalError(Exception):
    """The text ends inside of something, or holds what has no meaning to Postgres; `start` is the place from 0 on."""

    what: str
    start: int


_SPACE: Final = r"[ \t\n\r\f\v]"
_COMMENT: Final = r"--[^\n\r]*+"
_WORD: Final = r"[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*+"
_TAG: Final = r"\$(?:[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*+)?\$"
_DIGITS: Final = r"[0-9](?:_?[0-9])*+"
_TOKENS: Final = (
    rf"(?P<blank>{_SPACE}++|{_COMMENT})"
    r"|(?P<comment>/\*)"
    r"|(?P<escaped>[eE]')"
    r"|(?P<text>(?:[bBxXnN]|[uU]&)?')"
    r'|(?P<name>(?:[uU]&)?")'
    rf"|(?P<word>{_WORD})"
    rf"|(?P<dollars>{_TAG})"
    r"|(?P<parameter>\$[0-9]++)"
    r"|(?P<number>0[xX](?:_?[0-9A-Fa-f])++|0[oO](?:_?[0-7])++|0[bB](?:_?[01])++"
    rf"|(?:{_DIGITS}(?:\.(?!\.)(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?)"
    r"|(?P<mark>::|:=|\.\.|[][(),;.:])"
    r"|(?P<operator>[-+*/<>=~!@#%^&|`?]++)"
)
_NESTED: Final = re.compile(r"/\*|\*/")
_QUOTE: Final = re.compile(r"(?:[^']|'')*+'")
_ESCAPED_QUOTE: Final = re.compile(r"(?:[^'\\]|''|\\.)*+'", re.DOTALL)
_NAME_END: Final = re.compile(r'(?:[^"]|"")*+"')
# A text goes on in the next line, by the rules of its beginning.
_GOES_ON: Final = re.compile(rf"(?:[ \t\f\v]|{_COMMENT})*+[\n\r](?:{_SPACE}|{_COMMENT}[\n\r])*+'")
_UNICODE: Final = r"{0}(?:{0}|([0-9A-Fa-f]{{4}})|\+([0-9A-Fa-f]{{6}}))"
_STAYS: Final = frozenset("~!@#%^&|`?")  # with one of these in it, an operator may end in + or -


def tokens(text: str) -> list[Token]:
    """The tokens of a text, comments and white space left out. Raises NotLexicalError."""
    found: list[Token] = []
    position = 0
    any_token = re.compile(_TOKENS)  # kept by `re`; most commands read no SQL
    while position < len(text):
        match = any_token.match(text, position)
        if match is None:
            raise NotLexicalError(what=f"`{text[position]}` means nothing to Postgres here", start=position)
        start, position = position, match.end()
        match match.lastgroup:
            case "blank":
                pass
            case "comment":
                position = _after_comment(text, start)
            case "escaped":
                position = _after_text(text, position, _ESCAPED_QUOTE, start)
                found.append(Token("text", text[start:position], start, position))
            case "text":
                position = _after_text(text, position, _QUOTE, start)
                found.append(Token("text", text[start:position], start, position))
            case "dollars":
                closed = text.find(match[0], position)
                if closed < 0:
                    raise NotLexicalError(what=f"a text that begins with `{match[0]}` is not closed", start=start)
                position = closed + len(match[0])
                found.append(Token("text", text[start:position], start, position))
            case "name":
                position = _after(_NAME_END, text, position, "a name in double quotes", start)
                found.append(Token("name", text[start:position], start, position))
            case "word":
                found.append(Token("word", _lower(match[0]), start, position))
            case "operator":
                position = start + _operator(match[0])
                found.append(Token("operator", text[start:position], start, position))
            case "number" | "parameter" | "mark" as kind:
                found.append(Token(kind, match[0], start, position))
    return list(_named(found))


def _after(end: re.Pattern[str], text: str, position: int, what: str, start: int) -> int:
    match = end.match(text, position)
    if match is None:
        raise NotLexicalError(what=f"{what} is not closed", start=start)
    # What goes on behind two quotes in a row is a part of it already.
    return match.end()


def _after_text(text: str, position: int, end: re.Pattern[str], start: int) -> int:
    position = _after(end, text, position, "a text in quotes", start)
    while again := _GOES_ON.match(text, position):
        position = _after(end, text, again.end(), "a text in quotes", again.end() - 1)
    return position


def _after_comment(text: str, start: int) -> int:
    """Comments nest in Postgres."""
    depth = 0
    for match in _NESTED.finditer(text, start):
        depth += 1 if match[0] == "/*" else -1
        if depth == 0:
            return match.end()
    raise NotLexicalError(what="a comment is not closed", start=start)


def _operator(characters: str) -> int:
    """How many of the characters are one operator: up to a comment, and without a sign that belongs to what follows."""
    for comment in ("--", "/*"):
        if (begins := characters.find(comment)) >= 0:
            characters = characters[:begins]
    kept = characters
    while len(kept) > 1 and kept[-1] in "+-" and not _STAYS.intersection(kept):
        kept = kept[:-1]
    return len(kept)


def _lower(word: str) -> str:
    """Only ASCII letters are folded in a database of UTF-8."""
    return word.lower() if word.isascii() else re.sub("[A-Z]+", lambda letters: letters[0].lower(), word)


def _named(found: list[Token]) -> Iterator[Token]:
    """The tokens with names as they are without quotes and escapes; a UESCAPE belongs to the name before it."""
    passed_over = 0
    for number, token in enumerate(found):
        if passed_over:
            passed_over -= 1
        elif token.kind != "name":
            yield token
        else:
            name, escape, end = token.text[token.text.index('"') + 1 : -1].replace('""', '"'), "\\", token.end
            after = found[number + 1 : number + 3]
            if [each.text for each in after[:1]] == ["uescape"] and [each.kind for each in after[1:]] == ["text"]:
                escape, end, passed_over = after[1].text[1:-1], after[1].end, 2
            yield token._replace(text=name if token.text[0] == '"' else _unescaped(name, escape), end=end)


def _unescaped(name: str, escape: str) -> str:
    def character(match: re.Match[str]) -> str:
        code = int(match[1] or match[2] or "0", 16)
        return escape if not (match[1] or match[2]) else chr(code) if code < 0x110000 else ""

    halves = re.sub(_UNICODE.format(re.escape(escape)), character, name)
    return halves.encode("utf-16-le", "surrogatepass").decode(
        "utf-16-le", "replace"
    )  # two escapes may be one character


def line_and_column(text: str, position: int) -> tuple[int, int]:
    """Where a place of a text, from 0 on, is for people: both from 1 on."""
    return text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)
