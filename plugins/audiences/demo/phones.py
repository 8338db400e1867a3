"""Phone numbers of the sample shop: fictional where a country reserves such numbers, written as people write them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class NumberRange:
    """National numbers that start with one of `prefixes` and go on with `digits` digits; in groups for writing."""

    prefixes: tuple[str, ...]
    digits: int
    groups: tuple[int, ...]
    formats: tuple[str, ...]

    def draw(self, random: np.random.Generator, *, count: int) -> list[str]:
        """`count` numbers, each written in one of the formats."""
        heads = random.integers(len(self.prefixes), size=count).tolist()
        tails = random.integers(10**self.digits, size=count).tolist()
        shapes = random.integers(len(self.formats), size=count).tolist()
        return [
            self.formats[shape].format(*self._groups(f"{self.prefixes[head]}{tail:0{self.digits}d}"))
            for head, tail, shape in zip(heads, tails, shapes, strict=True)
        ]

    def _groups(self, number: str) -> list[str]:
        parts, start = [], 0
        for length in self.groups:
            parts.append(number[start : start + length])
            start += length
        return [*parts, number[start:]]


# Areas that the numbering plan gave out in whole runs.
_US_AREAS = (*range(205, 211), *range(212, 220), *range(301, 306), *range(307, 311), *range(312, 319), *range(404, 411))

RANGES: dict[str, NumberRange] = {
    # The exchange 555 has no subscribers; 555-0100 to 555-0199 are set apart for fiction.
    "US": NumberRange(
        prefixes=tuple(f"{area}555" for area in _US_AREAS),
        digits=4,
        groups=(3, 3),
        formats=("({0}) {1}-{2}", "{0}-{1}-{2}", "+1 {0} {1} {2}", "1{0}{1}{2}", "{0}.{1}.{2}", "+1({0}){1}{2}"),
    ),
    # Ofcom, telephone numbers for drama.
    "GB": NumberRange(
        prefixes=(
            *("1134960", "1144960", "1164960", "1174960", "1184960", "1214960", "1314960", "1414960", "1514960"),
            *("1614960", "1914980", "2079460", "2896496", "2920180"),
        ),
        digits=3,
        groups=(3, 3),
        formats=("0{0} {1} {2}", "+44 {0} {1} {2}", "0044 {0}{1}{2}", "+44 (0){0} {1} {2}", "(0{0}) {1}-{2}"),
    ),
    # India and Brazil set no numbers apart: these are drawn from all mobile numbers.
    "IN": NumberRange(
        prefixes=("70", "81", "90", "98"),
        digits=8,
        groups=(5,),
        formats=("{0} {1}", "0{0} {1}", "+91-{0}-{1}", "0091{0}{1}", "{0}{1}", "91{0}{1}"),
    ),
    # Bundesnetzagentur, numbers for use in media.
    "DE": NumberRange(
        prefixes=("3023125", "6990009", "4066969", "8999998"),
        digits=3,
        groups=(2,),
        formats=("0{0} {1}", "0{0}/{1}", "+49 {0} {1}", "0049 (0){0} {1}", "(0{0}) {1}"),
    ),
    "BR": NumberRange(
        prefixes=("1198", "2198", "3198", "4198", "5198", "6198", "7198", "8198"),
        digits=7,
        groups=(2, 5),
        formats=("({0}) {1}-{2}", "+55 {0} {1}-{2}", "+55({0}){1}{2}", "0{0} {1} {2}", "{0}{1}{2}"),
    ),
    # Arcep, numbers for audiovisual works.
    "FR": NumberRange(
        prefixes=("19900", "26191", "35301", "46571", "53649"),
        digits=4,
        groups=(1, 2, 2, 2),
        formats=("0{0} {1} {2} {3} {4}", "0{0}{1}{2}{3}{4}", "+33 {0} {1} {2} {3} {4}", "0033{0}{1}{2}{3}{4}"),
    ),
}

GARBAGE = ("n/a", "-", "unknown", "0", "000000000", "123", "call me", "555-CALL-NOW", "+", "?", "none given")
