"""Which test has its turn when several processes share them: those that take long begin first, each in a process of its own.

Whatever takes long and begins last keeps one process busy while the others have nothing left to do.
"""

from __future__ import annotations

import os
from itertools import islice
from typing import TYPE_CHECKING

import pytest
from tests.garbage import keep_what_is_there

if TYPE_CHECKING:
    from collections.abc import Sequence


def in_turn(items: Sequence[pytest.Item], processes: int) -> list[pytest.Item]:
    """The tests in another order. pytest-xdist gives each process as many of them, one process after the other.

    The first one begins with the tests of Airflow, all of them, as each process that has any needs an installation for
    them. The slow end-to-end ones, which start demos, come one after the other in the second process: two demos would want
    the same ports. The last process begins with the other slow ones.
    """

    def those(*, e2e: bool, slow: bool) -> list[pytest.Item]:
        return [item for item in items if _has(item, "e2e") is e2e and _has(item, "slow") is slow]

    airflow, demos, slow = those(e2e=True, slow=False), those(e2e=True, slow=True), those(e2e=False, slow=True)
    early = set(map(id, [*airflow, *demos, *slow]))
    rest = iter([item for item in items if id(item) not in early])
    heads: list[list[pytest.Item]] = [[] for _ in range(processes)]
    heads[0] += airflow
    heads[min(1, processes - 1)] += demos
    heads[-1] += slow
    found: list[pytest.Item] = []
    for number, head in enumerate(heads):
        share = (len(items) - len(found)) // (processes - number)
        found += [*head, *islice(rest, max(0, share - len(head)))]
    return found


def _has(item: pytest.Item, mark: str) -> bool:
    return item.get_closest_marker(mark) is not None


@pytest.hookimpl(trylast=True)  # after those that are not asked for have been left out
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put them in turn, in each process of pytest-xdist alike."""
    if processes := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0")):
        items[:] = in_turn(items, processes)


def pytest_collection_finish() -> None:
    """What was imported and collected stays until the end."""
    keep_what_is_there()
