"""Which regular expressions a campaign file may hold."""

from __future__ import annotations

import pytest

from audiences.campaign.patterns import check_pattern


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "a",
        "^a.*b$",
        r"\d+\.\d{2}",
        "(?i)shoes|bags",
        "(?:a|b)+?",
        r"[^\w\s-]",
        "[]x]",
        r"a{2,}",
        r"\bsale\b",
        "名前?",
        "a|",
    ],
)
def test_everyday_patterns_are_accepted(pattern: str) -> None:
    assert check_pattern(pattern) == pattern


@pytest.mark.parametrize(
    "pattern",
    [
        "(", "a)", "[a", "[z-a]", "*a", "a**", "a++", "a{2}{3}", "^*", r"\b+", "(?=a)", "(?!a)", "(?<=a)", "(?P<n>a)",
        r"(a)\1", "(?i:a)", "a(?i)", "(?s)a", "(?#c)", r"\p{L}", r"\Aa", r"a\Z", r"\x41", r"\u0041", r"\y", r"\m", r"\Qa",
        "[[:alpha:]]", "[[.a.]]", "[[=a=]]", r"[\D]", r"[\b]", "a{256}", "a{1,1000}", "(a{100}){100}", "{", "a{", "a{,3}", "a{x}",
        "a" * 501, "(" * 400, "\\", "|*", "(*a)", r"\é", r"\_", "(?i)[é]", "(?:+)",
    ],
)  # fmt: skip
def test_what_the_engines_would_read_differently_or_refuse_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"supported|regular expression|longer"):
        check_pattern(pattern)
