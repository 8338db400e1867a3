from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from audiences.ledger.account_semaphore import AccountSemaphore
from audiences.ledger.migrate import migrate

pytestmark = pytest.mark.integration


@pytest.fixture
def semaphores(new_database):
    """Makes semaphores as processes of their own would."""
    connection = new_database("ledger")
    migrate(connection)
    with ExitStack() as opened:
        yield lambda account="act_1", slots=2, **more: opened.enter_context(
            AccountSemaphore(connection, account, slots, **more)
        )


class FullError(Exception):
    pass


def give_up(seconds):
    raise FullError


def test_processes_share_the_slots_of_an_ad_account(semaphores):
    one, other = semaphores(), semaphores(sleep=give_up)
    with one.slot(), one.slot():
        with pytest.raises(FullError), other.slot():
            pass
        with semaphores("act_2").slot(), semaphores("act_2").slot():
            pass
    with other.slot():
        pass


def test_threads_of_one_process_do_not_share_a_slot(semaphores):
    semaphore = semaphores(sleep=give_up)
    with semaphore.slot(), semaphore.slot(), pytest.raises(FullError), semaphore.slot():
        pass


def test_a_slot_is_waited_for(semaphores):
    one = semaphores(slots=1)
    held = one.slot()
    held.__enter__()
    other = semaphores(slots=1, sleep=lambda seconds: held.__exit__(None, None, None))
    with other.slot(), pytest.raises(FullError), semaphores(slots=1, sleep=give_up).slot():
        pass


def test_a_process_that_dies_leaves_its_slots_free(semaphores):
    dead = semaphores(slots=1)
    dead.slot().__enter__()
    dead._sql.close()
    with semaphores(slots=1, sleep=give_up).slot():
        pass


def test_never_more_requests_at_once_than_there_are_slots(semaphores):
    inside, most = [], []

    def request(semaphore):
        with semaphore.slot():
            inside.append(1)
            most.append(len(inside))
            inside.pop()

    processes = [semaphores(slots=3) for _ in range(3)]
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(request, processes * 20))
    assert max(most) <= 3
    assert len(most) == 60


def test_a_block_is_known_to_all_processes_and_the_longest_one_stays(semaphores):
    one, other = semaphores(), semaphores()
    assert other.blocked_for() == 0
    one.block(120)
    one.block(30)
    assert 119 < other.blocked_for() <= 120
    assert semaphores("act_2").blocked_for() == 0
