"""Work in other threads: its order, how much of it is under way at once, and its errors."""

from __future__ import annotations

import time
from threading import Barrier, Event, Lock, current_thread, main_thread

import pytest

from audiences.concurrency import begun, map_concurrently, meanwhile, prefetch


def test_the_next_item_is_made_in_another_thread_while_the_caller_has_this_one():
    made, threads = [], set()

    def items():
        for number in range(1, 4):
            made.append(number)
            threads.add(current_thread())
            yield number

    upcoming = prefetch(items())
    assert next(upcoming) == 1
    until = time.monotonic() + 5
    while made != [1, 2] and time.monotonic() < until:
        time.sleep(0.001)
    assert made == [1, 2]  # one ahead, and not more
    assert list(upcoming) == [2, 3]
    assert main_thread() not in threads


def test_what_is_begun_is_under_way_before_anybody_asks_for_it():
    made = Event()

    def items():
        made.set()
        yield 1

    under_way = begun(items())
    assert made.wait(5)
    assert list(under_way) == [1]


def test_an_error_of_the_item_ahead_is_raised_to_the_caller():
    def items():
        yield 1
        raise LookupError

    upcoming = prefetch(items())
    assert next(upcoming) == 1
    with pytest.raises(LookupError):
        next(upcoming)


def test_results_come_in_the_order_of_the_items_however_long_each_takes():
    def work(seconds):
        time.sleep(seconds)
        return seconds

    assert list(map_concurrently(work, [0.03, 0.0, 0.01, 0.0], max_concurrency=3)) == [0.03, 0.0, 0.01, 0.0]


def test_no_more_items_are_worked_on_at_once_than_allowed():
    both, lock = Barrier(2, timeout=5), Lock()
    now, most = 0, 0

    def work(_):
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        both.wait()  # breaks, and fails the test, unless two are under way together
        with lock:
            now -= 1

    list(map_concurrently(work, range(4), max_concurrency=2))
    assert most == 2


def test_an_error_of_the_work_is_raised_to_the_caller():
    with pytest.raises(ZeroDivisionError):
        list(map_concurrently(lambda number: 1 // number, [1, 0, 1], max_concurrency=2))


def test_what_is_done_meanwhile_is_done_at_the_end_and_its_error_is_raised_there():
    going_on = Event()

    def work():
        assert going_on.wait(5)
        return current_thread()

    with meanwhile(work) as done:
        going_on.set()
    assert done.result() is not main_thread()
    with pytest.raises(LookupError), meanwhile(lambda: [][0]):
        pass
    with pytest.raises(KeyError), meanwhile(lambda: [][0]):  # whoever goes on has the first word
        raise KeyError
