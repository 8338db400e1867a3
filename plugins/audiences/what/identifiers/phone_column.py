"""The phone numbers of a column that need no second look, all at once.

Only numbers whose reading is beyond doubt are decided here, exactly as `phone` decides them; it takes 15 µs for each of
the rest, several times that for those in groups.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from audiences.what.identifiers.groups import by_group
from audiences.what.identifiers.home import dialling_home
from audiences.what.identifiers.numbering import CALLING_CODES, NumberingPlan, plan_of_code, plan_of_region
from audiences.what.identifiers.phone import LONGEST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audiences.what.identifiers.outcome import Context

# Groups of ASCII digits as people write them: perhaps a plus, one group in brackets, separators between groups.
_GROUPS: Final = r"^(?:\(\+?[0-9]{2,}\)|\+ ?[0-9]+|[0-9]+)(?:[ .\-]*\([0-9]+\))?[ .\-/]*[0-9]+(?:[ .\-/]+[0-9]+)*$"
_SEPARATORS: Final = r"[ ().\-/]+"
# What `dialled` looks at twice: decimals, and an item of a list.
_NOT_PLAIN: Final = r"^\+?[0-9]{6,}\.[0-9]+$|^[0-9]\. |^[1-9][^0-9+]+0"
_DECIMALS: Final = r"^(\+?[0-9]{6,})\.0+$"  # of a whole number that went through a column with decimals
_LITERAL: Final = re.compile(r"\^\(\?:([0-9]+)\)\Z")
_LONGEST_CODE: Final = 3
_END: Final = 2**31 - 1  # of a slice: no text is longer
_NOTHING: Final = pa.scalar(None, pa.string())


def fast_phones(texts: pa.Array, context: Context) -> pa.Array:
    """E.164 digits per text, null where `phone` has to look."""
    if context.strict_valid:
        return pa.nulls(len(texts), pa.string())
    written, digits = _plain_digits(texts)
    region = dialling_home(context)
    plan = plan_of_region(region.upper()) if region else None
    has_plus, has_zeros = pc.starts_with(digits, "+"), pc.starts_with(digits, "00")
    abroad = pc.if_else(has_plus, _without_first(digits, 1), _NOTHING)
    if plan is None or plan.abroad == "^(?:00)":
        abroad = pc.if_else(has_zeros, _without_first(digits, 2), abroad)
    found = by_group(_calling_codes(abroad), _rows(abroad, written), _with_code)
    inland = pc.if_else(pc.or_(has_plus, has_zeros), _NOTHING, digits)
    if plan is not None and inland.null_count < len(inland):
        found = pc.coalesce(found, _inland(inland, written, plan))
    # The national number may be made of zeros only, or the whole one of one digit.
    only_zeros = pc.less_equal(pc.binary_length(pc.ascii_rtrim(found, characters="0")), _LONGEST_CODE)
    return pc.if_else(pc.or_(only_zeros, _is_one_digit(found)), _NOTHING, found)


def _plain_digits(texts: pa.Array) -> tuple[pa.Array | None, pa.Array]:
    """Numbers as written, None if all are digits only; and their digits, with the plus; null where neither is plain."""
    trimmed = pc.ascii_trim_whitespace(texts)
    short = pc.less_equal(pc.binary_length(trimmed), LONGEST)
    if pc.all(pc.and_(pc.ascii_is_decimal(_without_plus(trimmed)), short)).as_py():
        return None, trimmed
    whole = pc.replace_substring_regex(trimmed, _DECIMALS, r"\1")
    plain = pc.and_not(pc.match_substring_regex(whole, _GROUPS), pc.match_substring_regex(whole, _NOT_PLAIN))
    kept = pc.if_else(pc.and_(plain, short), whole, _NOTHING)
    return kept, pc.replace_substring_regex(kept, _SEPARATORS, "")


def _without_first(digits: pa.Array, length: int) -> pa.Array:
    """ASCII texts without so many of their first characters."""
    return pc.binary_replace_slice(digits, 0, length, "")


def _first(digits: pa.Array, length: int) -> pa.Array:
    """So many of the first characters of ASCII texts."""
    return pc.binary_replace_slice(digits, length, _END, "")


def _without_plus(texts: pa.Array) -> pa.Array:
    return pc.if_else(pc.starts_with(texts, "+"), _without_first(texts, 1), texts)


def _begin(digits: pa.Array, pattern: str) -> pa.Array:
    """Whether texts begin as the pattern of a numbering plan says, which mostly is a digit or two."""
    literal = _LITERAL.match(pattern)
    return pc.starts_with(digits, literal[1]) if literal else pc.match_substring_regex(digits, pattern)


def _is_one_digit(digits: pa.Array) -> pa.Array:
    """Whether a text is one digit all through."""
    return pc.equal(_without_first(digits, 1), pc.binary_replace_slice(digits, -1, _END, ""))


def _rows(digits: pa.Array, written: pa.Array | None) -> pa.Array:
    if written is None:
        return digits
    return pa.StructArray.from_arrays([digits, written], names=["digits", "written"])


def _calling_codes(numbers: pa.Array) -> pa.Array:
    """The calling code that each number begins with, null where there is none; `numbers` are digits or null.

    As a dictionary array, which `by_group` takes as it is.
    """
    known, by_start = _codes_by_start()
    long_enough = pc.greater_equal(pc.binary_length(numbers), _LONGEST_CODE)
    starts = pc.if_else(long_enough, _first(numbers, _LONGEST_CODE), _NOTHING)
    return pa.DictionaryArray.from_arrays(by_start.take(starts.cast(pa.int32())), known)


@cache
def _codes_by_start() -> tuple[pa.Array, pa.Array]:
    """The calling codes, and which of them a number has, by its first three digits."""
    of_code = {code: place for place, code in enumerate(CALLING_CODES)}
    starts = (f"{start:0{_LONGEST_CODE}}" for start in range(10**_LONGEST_CODE))
    lengths = range(1, _LONGEST_CODE + 1)
    places = [next((of_code[start[:n]] for n in lengths if start[:n] in of_code), None) for start in starts]
    return pa.array(CALLING_CODES), pa.array(places, pa.int32())


def _with_code(code: str | None, rows: pa.Array) -> pa.Array:
    """Numbers that begin with one calling code, if they are possible."""
    if code is None:
        return pa.nulls(len(rows), pa.string())
    plan = plan_of_code(code)
    numbers, written = (rows.field(0), rows.field(1)) if pa.types.is_struct(rows.type) else (rows, None)
    national = _national(_without_first(numbers, len(code)), plan)
    if written is not None:
        national = pc.if_else(_is_one_number(national, numbers, written, plan, before=len(code)), national, _NOTHING)
    return _complete(plan, national)


def _inland(digits: pa.Array, written: pa.Array | None, plan: NumberingPlan) -> pa.Array:
    """Numbers without a sign that they go abroad, dialled in the region of the plan."""
    if plan.abroad:
        digits = pc.if_else(_begin(digits, plan.abroad), _NOTHING, digits)
    # A number may begin with the country's own calling code all the same. If as a whole it is none of the country's
    # and without the code it is one, the code is taken off; if as a whole it is one, it stays.
    coded = pc.starts_with(digits, plan.calling_code)
    whole = pc.match_substring_regex(digits, plan.national)
    without_code = _without_first(digits, len(plan.calling_code))
    rest = pc.if_else(pc.and_not(coded, whole), without_code, _NOTHING)
    rest = pc.if_else(pc.match_substring_regex(rest, plan.national), rest, _NOTHING)
    own = pc.if_else(pc.and_not(coded, whole), _NOTHING, digits)
    sure = pc.and_(pc.equal(_after_prefix(rest, plan)[1], 0), _has_length(rest, plan))
    coded_nationals = pc.if_else(pc.and_(sure, plan.leads), rest, _NOTHING)
    nationals = _national(own, plan)
    nationals = pc.if_else(_may_be_abroad(digits, nationals, plan), _NOTHING, nationals)
    if written is not None:
        nationals = pc.if_else(_is_one_number(nationals, digits, written, plan, before=0), nationals, _NOTHING)
        coded_nationals = pc.if_else(pc.equal(written, digits), coded_nationals, _NOTHING)
    return _complete(plan, pc.coalesce(nationals, coded_nationals))


def _may_be_abroad(digits: pa.Array, nationals: pa.Array, plan: NumberingPlan) -> pa.Array:
    """Whether the digits may be a number of another country, and are none of this one's mobile numbers."""
    open_to_doubt = pc.and_(nationals.is_valid(), pc.invert(pc.starts_with(digits, "0")))
    if not pc.any(open_to_doubt).as_py():
        return open_to_doubt
    mobile = pc.and_not(
        pc.match_substring_regex(nationals, plan.mobile), pc.match_substring_regex(nationals, plan.special)
    )
    doubted = pc.if_else(pc.and_not(open_to_doubt, mobile), digits, _NOTHING)
    if doubted.null_count == len(doubted):
        return doubted.is_valid()
    return by_group(_calling_codes(doubted), doubted, _is_possible_with)


def _is_possible_with(code: str | None, numbers: pa.Array) -> pa.Array:
    """Whether numbers that begin with one calling code may be numbers that have it."""
    if code is None:
        return pa.repeat(pa.scalar(False), len(numbers))
    plan = plan_of_code(code)
    possible = _has_length(national := _without_first(numbers, len(code)), plan)
    if plan.before_national:
        possible = pc.or_(possible, _begin(national, plan.before_national))
    return pc.fill_null(possible, False)


def _is_one_number(
    national: pa.Array, digits: pa.Array, written: pa.Array, plan: NumberingPlan, before: int
) -> pa.Array:
    """Whether groups of digits are beyond doubt one number; `before` is the length of the calling code there.

    Of a number that is not assigned, a part may be the number, if it is longer than the shortest. Nor may one end within
    it (see `phone`), which takes as many digits as the shortest number has, before a slash or a zero.
    """
    grouped = pc.match_substring_regex(written, "[^0-9+]")
    zero = pc.if_else(pc.starts_with(digits, "0"), 1 if plan.trunk == "0" and not before else 0, 0)
    short = pc.less_equal(pc.subtract(pc.binary_length(digits), zero), plan.shortest + before)
    if not pc.all(pc.or_(short, pc.invert(grouped))).as_py():
        short = pc.or_(short, pc.match_substring_regex(national, plan.assigned))
    for pattern in _splits(plan, before, longest=pc.max(pc.binary_length(written)).as_py() or 0):
        short = pc.and_not(short, pc.match_substring_regex(written, pattern))
    return pc.or_(pc.invert(grouped), short)


def _splits(plan: NumberingPlan, before: int, longest: int) -> Iterator[str]:
    """How two numbers in one look: with a number's digits before a slash, or before and after a zero that begins a group."""
    enough = plan.shortest + before
    if plan.trunk == "0" and not before:
        yield f"^[^0-9]*(?:0(?:[^0-9]*[0-9]){{{enough},}}|[1-9](?:[^0-9]*[0-9]){{{enough - 1},}})[^0-9]*/"
    else:
        yield f"^(?:[^0-9]*[0-9]){{{enough},}}[^0-9]*/"
    if longest > enough + plan.shortest:
        yield f"(?:[0-9][^0-9]*){{{enough - 1},}}[0-9][^0-9]+0(?:[^0-9]*[0-9]){{{plan.shortest - 1},}}"


def _national(digits: pa.Array, plan: NumberingPlan) -> pa.Array:
    """National numbers from digits with or without the trunk prefix; null where anything else is to be considered."""
    rest, cut = _after_prefix(digits, plan)
    untouched = pc.if_else(pc.and_(pc.equal(cut, 0), _has_length(digits, plan)), digits, _NOTHING)
    if not plan.trunk or untouched.null_count == digits.null_count:
        return untouched
    # The trunk prefix and nothing more: then no carrier code was matched and nothing is to be rewritten.
    trunk_only = pc.and_(pc.equal(cut, len(plan.trunk)), pc.starts_with(digits, plan.trunk))
    sure = pc.and_(pc.and_(trunk_only, pc.match_substring_regex(rest, plan.national)), _has_length(rest, plan))
    return pc.coalesce(untouched, pc.if_else(sure, rest, _NOTHING))


def _after_prefix(digits: pa.Array, plan: NumberingPlan) -> tuple[pa.Array, pa.Array]:
    """What is left without anything that may stand before a national number, and how many digits that takes off."""
    if not plan.before_national or not pc.any(_begin(digits, plan.before_national)).as_py():
        return digits, pa.repeat(0, len(digits))
    rest = pc.replace_substring_regex(digits, plan.before_national, "", max_replacements=1)
    return rest, pc.subtract(pc.binary_length(digits), pc.binary_length(rest))


def _has_length(digits: pa.Array, plan: NumberingPlan) -> pa.Array:
    """Whether the lengths are possible in the region, and for the calling code as a whole."""
    lengths = sorted(set(plan.lengths) & set(plan_of_code(plan.calling_code).lengths))
    return pc.is_in(pc.binary_length(digits), value_set=pa.array(lengths, pa.int32()))


def _complete(plan: NumberingPlan, national: pa.Array) -> pa.Array:
    """With the calling code, unless that may be there already (`phone` asks which reading is an assigned number)."""
    long_enough = pc.greater_equal(pc.binary_length(national), len(plan.calling_code) + min(plan.lengths))
    twice = pc.and_(pc.starts_with(national, plan.calling_code), long_enough)
    return pc.binary_replace_slice(pc.if_else(twice, _NOTHING, national), 0, 0, plan.calling_code)
