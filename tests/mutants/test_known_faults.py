"""The list of faults that we know how to make."""

from __future__ import annotations

from pathlib import Path

from tests.mutants.planting import misplaced, read

ROOT = Path(__file__).resolve().parents[2]
FAULTS = read(Path(__file__).parent / "faults")


def test_no_two_are_the_same_and_each_says_who_would_be_hurt():
    assert len({(fault.file, fault.before, fault.after) for fault in FAULTS}) == len(FAULTS) > 100
    assert all(fault.why and fault.tests for fault in FAULTS)


def test_each_can_be_planted_where_the_code_is_now():
    wrong = [error for fault in FAULTS if (error := misplaced(ROOT, fault))]
    assert wrong == [], "\n".join(wrong)
