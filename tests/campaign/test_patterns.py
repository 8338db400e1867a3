"""Which regular expressions a campaign file may hold."""

from __future__ import annotations

import time

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from audiences.campaign.patterns import MOST_STEPS, check_pattern, re2_pattern


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
        r"^\d{10} \d{10} \d{20}$",
        "^.{0,200}$",
        "a{255}",
        "(?:[a-z]{1,10} ){1,20}",
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
    with pytest.raises(ValueError, match=r"supported|regular expression|longer|too large"):
        check_pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "steps"),
    [
        ("(?:a{10}){90}", 1081),
        ("(?:a{9}){100}", 1101),
        ("(?:ab?c?){0,180}", 1081),
        ("(?:[^x]{10}){22}", 925),
        ("(?:.{25}){10}", 1021),
        ("é{255}é{255}", 1022),
        ("(a|b){250}", 1001),
        ("(?:(?:a{5}){5}){25}", 826),
        ("a{250}b{250}c{250}d{250}", 1004),
    ],
)
def test_a_pattern_is_as_large_as_its_repeats_written_out(pattern: str, steps: int) -> None:
    if steps <= MOST_STEPS:
        assert check_pattern(pattern) == pattern
        return
    with pytest.raises(ValueError, match=f"too large.* {steps:,} steps.* 1,000 are the most.*smaller numbers"):
        check_pattern(pattern)


def test_a_pattern_just_within_the_bound_is_searched_fast_by_both_engines() -> None:
    pattern = check_pattern("(?:(?:ab?){0,15}){0,15}c")
    texts = pa.array(["ab" * 100] * 200)
    begun = time.process_time()
    assert pc.sum(pc.match_substring_regex(texts, re2_pattern(pattern))).as_py() == 0
    assert time.process_time() - begun < 1
