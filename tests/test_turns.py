"""The order in which several processes share the tests."""

from __future__ import annotations

import pytest
from tests.turns import in_turn


class Given:
    """As much of a collected test as the order goes by."""

    def __init__(self, name: str, *marks: str) -> None:
        self.name, self.marks = name, marks

    def get_closest_marker(self, name: str) -> str | None:
        return name if name in self.marks else None


def shares(given: list[Given], processes: int) -> list[list[str]]:
    """What each process is given, as pytest-xdist deals out what it has."""
    left, found = [each.name for each in in_turn(given, processes)], []
    for remaining in range(processes, 0, -1):
        share = len(left) // remaining
        found.append(left[:share])
        del left[:share]
    return found


GIVEN = [
    *(Given(f"plain{number}") for number in range(11)),
    Given("airflow1", "e2e"),
    Given("storm", "integration", "slow"),
    *(Given(f"plain{number}") for number in range(11, 20)),
    Given("demo", "e2e", "slow"),
    Given("airflow2", "e2e"),
    Given("doors", "e2e", "slow"),
]


@pytest.mark.parametrize("processes", [2, 3, 4, 5])
def test_the_tests_of_airflow_begin_in_the_first_process_the_demos_in_the_second_and_the_slow_ones_in_the_last(
    processes,
):
    dealt = shares(GIVEN, processes)
    heads = [["airflow1", "airflow2"], ["demo", "doors"]]
    assert [share[: len(head)] for share, head in zip(dealt, heads, strict=False)] == heads
    assert dealt[-1][2 * (processes == 2)] == "storm"
    rest = [name for share in dealt for name in share if name.startswith("plain")]
    assert rest == [f"plain{number}" for number in range(20)]


@pytest.mark.parametrize("processes", [1, 2, 8, 40])
def test_no_test_is_lost_or_doubled_by_the_order(processes):
    for given in (GIVEN, GIVEN[-3:], GIVEN[:1], []):
        assert sorted(each.name for each in in_turn(given, processes)) == sorted(each.name for each in given)
