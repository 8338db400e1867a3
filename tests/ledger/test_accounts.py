from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from audiences.ledger.accounts import AccountSemaphore
from audiences.ledger.migrate import migrate

pytestmark = pytest.mark.integration


@pytest.fixture
def gates(new_database):
    """Makes gates as processes of their own would."""
    connection = new_database("ledger")
    migrate(connection)
    with ExitStack() as opened:
        yield lambda account="act_1", places=2, **more: opened.enter_context(
            AccountSemaphore(connection, account, places, **more)
        )


class FullError(Exception):
    pass


def give_up(seconds):
    raise FullError


def test_processes_share_the_places_of_an_ad_account(gates):
    one, other = gates(), gates(sleep=give_up)
    with one.place(), one.place():
        with pytest.raises(FullError), other.place():
            pass
        with gates("act_2").place(), gates("act_2").place():
            pass
    with other.place():
        pass


def test_threads_of_one_process_do_not_share_a_place(gates):
    semaphore = gates(sleep=give_up)
    with semaphore.place(), semaphore.place(), pytest.raises(FullError), semaphore.place():
        pass


def test_a_place_is_waited_for(gates):
    one = gates(places=1)
    held = one.place()
    held.__enter__()
    other = gates(places=1, sleep=lambda seconds: held.__exit__(None, None, None))
    with other.place(), pytest.raises(FullError), gates(places=1, sleep=give_up).place():
        pass


def test_a_process_that_dies_leaves_its_places_free(gates):
    dead = gates(places=1)
    dead.place().__enter__()
    dead._sql.close()
    with gates(places=1, sleep=give_up).place():
        pass


def test_never_more_requests_at_once_than_there_are_places(gates):
    inside, most = [], []

    def request(semaphore):
        with semaphore.place():
            inside.append(1)
            most.append(len(inside))
            inside.pop()

    processes = [gates(places=3) for _ in range(3)]
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(request, processes * 20))
    assert max(most) <= 3
    assert len(most) == 60


def test_a_block_is_known_to_all_processes_and_the_longest_one_stays(gates):
    one, other = gates(), gates()
    assert other.blocked_for() == 0
    one.block(120)
    one.block(30)
    assert 119 < other.blocked_for() <= 120
    assert gates("act_2").blocked_for() == 0
