"""Whether the SQL of a saved segment can be one reading SELECT of a column `user_id`, as far as its text alone says.

Only what is sure to fail is refused here: nothing else than Postgres reads all of Postgres's SQL, and of its own version
at that. The rest is asked of the server where there is one: by `audiences catalog check`, by a preview, and by a run before
it does anything (`warehouse/queries.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from audiences.campaign.reserved import PREFIX, is_reserved
from audiences.campaign.sql_tokens import NotLexicalError, Token, line_and_column, tokens
from audiences.campaign.wording import shown

COLUMN = "user_id"

_BEGINNINGS = ("select", "with", "table")
_WRITING = ("insert", "update", "delete", "merge")
_LOCKS = ("update", "share", "no key update", "key share")
_CLOSING = {"(": ")", "[": "]"}
_COMPARED = frozenset({"=", "<", ">", "<=", ">=", "<>", "!="})


@dataclass(frozen=True, slots=True)
class Query:
    """The query without closing semicolon, or what is wrong with it at a line and column of its text (0: as a whole)."""

    sql: str
    mistake: str = ""
    line: int = 0
    column: int = 0


@dataclass(eq=False)
class _MistakeError(Exception):
    what: str
    start: int | None = None


@lru_cache(maxsize=256)
def read_query(text: str) -> Query:
    """Check the text of a `.sql` segment."""
    try:
        found = tokens(text)
        while found and found[-1].text == ";" and found[-1].kind == "mark":
            text = text[: found.pop().start]
        if not found:
            raise _MistakeError(what="holds no query")
        _check(found)
    except (NotLexicalError, _MistakeError) as mistake:
        place = (0, 0) if mistake.start is None else line_and_column(text, mistake.start)
        return Query("", mistake.what, *place)
    return Query(f"{text.rstrip()}\n")


def _check(found: list[Token]) -> None:
    statement = _Statement(found)
    for check in (_first_word, _one_statement, _parameters, _only_reads, _of_other_databases, _our_names, _column):
        for mistake in check(statement):
            raise mistake


class _Statement:
    """The tokens with, for each, the bracket that it stands in (the number of its token, or None)."""

    def __init__(self, found: list[Token]) -> None:
        self.tokens = found
        self.inside: list[int | None] = []
        self.closed_by: dict[int, int] = {}
        self._brackets()

    def _brackets(self) -> None:
        """Raises _MistakeError for one that is not closed, or was not opened."""
        opened: list[int] = []
        for number, token in enumerate(self.tokens):
            if token.kind == "mark" and token.text in (")", "]"):
                if not opened or _CLOSING[self.tokens[opened[-1]].text] != token.text:
                    raise _MistakeError(what=f"`{token.text}` closes what was not opened", start=token.start)
                self.closed_by[opened.pop()] = number
            self.inside.append(opened[-1] if opened else None)
            if token.kind == "mark" and token.text in _CLOSING:
                opened.append(number)
        if opened:
            token = self.tokens[opened[-1]]
            raise _MistakeError(what=f"`{token.text}` is not closed", start=token.start)

    def at(self, number: int) -> Token | None:
        return self.tokens[number] if 0 <= number < len(self.tokens) else None

    def word(self, number: int) -> str:
        """The bare word there, in lower case; empty for anything else."""
        token = self.at(number)
        return token.text if token and token.kind == "word" else ""

    def mark(self, number: int) -> str:
        token = self.at(number)
        return token.text if token and token.kind == "mark" else ""

    def bare(self, word: str) -> Iterator[int]:
        """Where a keyword stands as such: behind `AS` and a dot it is a name."""
        for number, token in enumerate(self.tokens):
            named = self.word(number - 1) == "as" or self.mark(number - 1) == "."
            if token.kind == "word" and token.text == word and not named:
                yield number


def _first_word(statement: _Statement) -> Iterator[_MistakeError]:
    token = next(token for token in statement.tokens if token.text != "(")
    if token.kind == "word" and token.text == "values":
        yield _MistakeError(
            f"VALUES names no column `{COLUMN}`; give it a name: FROM (VALUES …) AS v ({COLUMN})", token.start
        )
    if token.kind != "word" or token.text not in _BEGINNINGS:
        yield _MistakeError(f"must be one SELECT (WITH is fine); found {token.text.upper()[:20]}", token.start)


def _one_statement(statement: _Statement) -> Iterator[_MistakeError]:
    for token in statement.tokens:
        if token.kind == "mark" and token.text == ";":
            yield _MistakeError("must be one SELECT; found several statements", token.start)


def _parameters(statement: _Statement) -> Iterator[_MistakeError]:
    """`$1` is none of a file's; `:name` neither, but in a slice and in a JSON object; nor what a driver would fill in."""
    for number, token in enumerate(statement.tokens):
        if token.kind == "parameter" or (statement.mark(number) == ":" and not _in_slice_or_object(statement, number)):
            yield _MistakeError("takes no parameters; write the values out", token.start)
        if token.text == "%" and _filled_in(statement, number):
            yield _MistakeError("takes no parameters; write the values out", token.start)


def _in_slice_or_object(statement: _Statement, number: int) -> bool:
    inside = statement.inside[number]
    if inside is None:
        return False
    return statement.mark(inside) == "[" or statement.word(inside - 1) in ("json_object", "json_objectagg")


def _filled_in(statement: _Statement, number: int) -> bool:
    """`%s` and `%(name)s` where nothing stands before them that a remainder could be taken of."""
    before, here, after = statement.at(number - 1), statement.tokens[number], statement.at(number + 1)
    operand = before is None or not (before.kind == "operator" or before.text in ("(", ","))
    if operand or after is None or after.start != here.end:
        return False
    named = statement.mark(number + 1) == "("
    return (statement.word(statement.closed_by[number + 1] + 1) if named else after.text) == "s"


def _only_reads(statement: _Statement) -> Iterator[_MistakeError]:
    """What writes or locks, as far as no name can be meant."""
    for number in statement.bare("into"):
        yield _MistakeError("must only read; found INTO", statement.tokens[number].start)
    for number in statement.bare("for"):
        words = " ".join(filter(None, map(statement.word, range(number + 1, number + 4))))
        inside = statement.inside[number]
        of_a_text = inside is not None and statement.word(inside - 1) in ("substring", "overlay")
        if words.startswith(_LOCKS) and not of_a_text:
            message = "must only read; found a locking clause (FOR UPDATE or FOR SHARE)"
            yield _MistakeError(message, statement.tokens[number].start)
    for number, token in enumerate(statement.tokens):
        if token.kind == "word" and token.text in _WRITING and _begins_a_statement(statement, number):
            yield _MistakeError(f"must only read; found {token.text.upper()}", token.start)


def _begins_a_statement(statement: _Statement, number: int) -> bool:
    """Whether a word that could be a name begins a part of a WITH, or what follows its parts."""
    word, follows, inside = statement.word(number), statement.word(number + 1), statement.inside[number]
    if follows != {"insert": "into", "delete": "from", "merge": "into"}.get(word, follows):
        return False
    level = [each for each in range(len(statement.tokens)) if statement.inside[each] == inside]
    before = {statement.word(each) for each in level if each < number}
    if word == "update" and not any(statement.word(each) == "set" for each in level if each > number + 1):
        return False  # `AS (update text)` are columns
    part = statement.mark(number - 1) == "(" and statement.word(number - 2) in ("as", "materialized")
    return part or (statement.mark(number - 1) == ")" and "with" in before and "select" not in before)


def _of_other_databases(statement: _Statement) -> Iterator[_MistakeError]:
    """`LIMIT 5, 10` of MySQL, and QUALIFY of Snowflake and others."""
    for number in statement.bare("limit"):
        inside = statement.inside[number]
        end = len(statement.tokens) if inside is None else statement.closed_by[inside]
        for other in range(number + 1, end):
            if statement.inside[other] != inside:
                continue
            if statement.word(other) in ("offset", "fetch", "for"):
                break
            if statement.mark(other) == ",":
                message = "`LIMIT 5, 10` is not Postgres's; write LIMIT 10 OFFSET 5"
                yield _MistakeError(message, statement.tokens[other].start)
    for number in statement.bare("qualify"):
        after = statement.at(number + 2)
        if not statement.word(number + 1) or after is None:
            continue
        windowed = statement.mark(number + 2) == "(" and statement.word(statement.closed_by[number + 2] + 1) == "over"
        if windowed or (after.kind == "operator" and after.text in _COMPARED):
            message = "QUALIFY is not Postgres's; filter the window function in a SELECT around this one"
            yield _MistakeError(message, statement.tokens[number].start)


def _our_names(statement: _Statement) -> Iterator[_MistakeError]:
    """A table of such a name would be taken for a part of the statement around the query."""
    for token in statement.tokens:
        if token.kind in ("word", "name") and is_reserved(token.text):
            message = f"names {shown(token.text)}; names that begin with `{PREFIX}` are the statement's own. Rename it"
            yield _MistakeError(f"{message}, or read it through a view of another name", token.start)


def _column(statement: _Statement) -> Iterator[_MistakeError]:
    """A column's name stands somewhere in the text, unless it comes out of a `*` or a whole table."""
    for token in statement.tokens:
        if (token.kind in ("word", "name") and token.text == COLUMN) or token.text in ("*", "table"):
            return
    written = next((token for token in statement.tokens if token.kind == "name" and token.text.lower() == COLUMN), None)
    found = f"; found `{written.text}`, which is another name" if written else ""
    yield _MistakeError(
        f"must call its one column `{COLUMN}`: SELECT … AS {COLUMN}{found}", written.start if written else None
    )
