"""The part of a cell that is to be dialled, apart from labels, remarks, extensions and second numbers."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from audiences.what.identifiers.outcome import Reason

_LINE_BREAKS: Final = "\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029"
_SIGNS: Final = frozenset("+-/().,[]~*#;:")
_START: Final = re.compile(r"[(\[]? ?(?:\++[ (]*)?(?=[0-9])")
_BODY: Final = re.compile(r"[0-9 ().\-/~\[\]]*")
_MASKED: Final = re.compile(r"[xX*•#_?]{2,}")
# A whole number out of a column with decimals, or as Java writes a large double: 4.915112345678E12.
_DECIMALS: Final = re.compile(r"(\+?[0-9]{6,})[.,]0+")
_FRACTION: Final = re.compile(r"\+?[0-9]{7,}[.,][0-9]{1,2}")
_DOUBLE: Final = re.compile(r"(\+?[0-9])[.,]([0-9]+)[eE]\+?([0-9]{1,2})")
_EXTENSION: Final = re.compile(
    r"[,;]* *(?:;ext=|e?xt(?:ension|ensi[oó]n|n)?|x|#|доб(?:авочный)?|int(?:erno)?|anexo|app(?:areil)?|poste|ramal"
    r"|durchwahl|dw|toestel|wew|lokal|klappe)[.:)]*[ (]*#? ?[0-9]{1,7} *\)?[^0-9]*",
    re.IGNORECASE,
)
_CONTEXT: Final = re.compile(r";phone-context=\+[0-9]{1,3}\Z")  # RFC 3966's way to say which country's number it is
_ITEM: Final = re.compile(r"[0-9] *\)|[2-69]\. ")  # of a list; `1. ` and `8. ` may be dialled
_REMARK_IN_BRACKETS: Final = re.compile(r"[0-9][^()\[\]]*[(\[][0-9 ]*[)\]]?\Z")
_LETTER: Final = r"[^\W\d_]"
_TYPED_FOR_A_DIGIT: Final = re.compile(rf"[OoQDIilLSsBZzGxX*#?_•]+(?!{_LETTER})")
_BEFORE_A_DIGIT: Final = re.compile(r"(?:\A|[^\w])[OoIilL]\Z")
_GLUED_TO_DIGITS: Final = re.compile(rf"{_LETTER}+[0-9]")
_DIGITS_OF_A_REMARK: Final = 4
"""`after 6`, `ab 1830`; more digits may be a number."""


@dataclass(frozen=True, slots=True)
class Dialled:
    """What is to be dialled, in ASCII: digits and separators, perhaps a plus before them.

    `context` is RFC 3966's, for libphonenumber. `has_remark` when words were left off: then the digits are complete only
    if they make an assigned number.
    """

    number: str
    context: str = ""
    has_remark: bool = False


def dialled(text: str, *, vanity: bool) -> Dialled | Reason:
    """The first number of a cell, or why there is none to be sure of; with `vanity`, letters stay for libphonenumber."""
    plain = _plain(text)
    start = _START.search(plain)
    if not start or (not vanity and _MASKED.search(plain)):
        return Reason.IMPOSSIBLE_NUMBER
    rest = _whole_number(plain[start.start() :].strip())
    if rest is None:
        return Reason.IMPOSSIBLE_NUMBER
    if vanity:
        return Dialled(rest.replace("\n", " ").lstrip("([ "))
    if _BEFORE_A_DIGIT.search(plain[: start.start()]) and not start[0]:
        return Reason.IMPOSSIBLE_NUMBER
    return _without_remark(rest)


def _plain(text: str) -> str:
    """ASCII for the digits, blanks and separators of every script; line breaks are `\\n`."""
    return "".join(map(_plain_character, text))


def _plain_character(character: str) -> str:
    if character in _LINE_BREAKS:
        return "\n"
    if character.isspace():
        return " "
    if character.isascii():
        return character
    if (digit := unicodedata.decimal(character, None)) is not None:
        return str(digit)
    if unicodedata.category(character) == "Pd":
        return "-"
    folded = unicodedata.normalize("NFKC", character)
    return folded if folded in _SIGNS else character


def _whole_number(written: str) -> str | None:
    """The digits of a number that has decimals or an exponent, other text as it is; None if digits are lost."""
    if whole := _DECIMALS.fullmatch(written):
        return whole[1]
    if double := _DOUBLE.fullmatch(written):
        # Fewer digits than the exponent asks for: rounded, by a spreadsheet for instance.
        return f"{double[1]}{double[2]}" if len(double[2]) == int(double[3]) else None
    return None if _FRACTION.fullmatch(written) else written


def _without_remark(written: str) -> Dialled | Reason:
    start = _START.match(written)
    begin = start.end() if start else 0
    body = _BODY.match(written, begin)
    end = body.end() if body else begin
    number, rest = written[:end], written[end:]
    if context := _CONTEXT.search(rest):
        return Dialled(number.lstrip("([ "), context=context[0])
    remark = _remark(number, rest)
    if isinstance(remark, Reason):
        return remark
    number = number.rstrip(" .-/~([")
    if _ITEM.match(number) or _REMARK_IN_BRACKETS.search(number):
        return Reason.MORE_THAN_ONE_NUMBER
    return Dialled(number.lstrip("([ "), has_remark=remark)


def _remark(number: str, rest: str) -> bool | Reason:
    """Whether words follow the number, that is, more than an extension; or what is wrong with that."""
    if not rest or _EXTENSION.fullmatch(rest):
        return False
    if digits := sum(map(str.isdecimal, rest)):
        if digits > _DIGITS_OF_A_REMARK or not any(map(str.isalpha, rest)):
            return Reason.MORE_THAN_ONE_NUMBER
        return Reason.IMPOSSIBLE_NUMBER if _GLUED_TO_DIGITS.match(rest) else True
    if number[-1].isdigit() and _TYPED_FOR_A_DIGIT.match(rest):
        return Reason.IMPOSSIBLE_NUMBER
    return any(map(str.isalpha, rest))
