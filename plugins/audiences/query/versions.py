"""Versions compared component by component: 3.10 is newer than 3.9.

A version is a row of numbers and words; what stands between them, and a `v` in front, does not count. Numbers compare as
numbers, a missing one counts as 0 (3.1 = 3.1.0), words compare as lower-case text and stand before the plain version
(3.1-beta < 3.1 < 3.1.1). Text without any digit or Latin letter is no version and counts as null.
"""

from __future__ import annotations

import re

LONGEST = 200  # characters that are looked at; keeps a component's length inside four digits

# A `v` in front, and zero components at the end of a row of numbers.
NOISE = r"^[vV](?=[0-9])|([.]0+)+(?![0-9.])"
COMPONENT = r"[0-9]+|[A-Za-z]+"
# Sorts after every word and before every number, so that 3.1-beta < 3.1 < 3.1.1.
END = "0~"
# Sorts before everything a component is made of.
SEPARATOR = " "


def version_key(text: str) -> str | None:
    """A text that sorts, byte by byte, as the version does; None for what is no version."""
    components = re.findall(COMPONENT, re.sub(NOISE, "", text[:LONGEST]))
    if not components:
        return None
    return SEPARATOR.join([*map(_component, components), END])


def _component(component: str) -> str:
    if not component.isdigit():
        return f"0{component.lower()}"
    number = component.lstrip("0")
    return f"1{len(number):04d}{number}"
