"""Work that goes on in other threads while the caller is busy: one item ahead, or several at a time."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

Item = TypeVar("Item")
Result = TypeVar("Result")


def prefetch(items: Iterator[Item]) -> Generator[Item]:
    """Make the next item in a thread of its own while the caller works on this one; an item None ends it."""
    yield from begun(items)


def begun(items: Iterator[Item]) -> Iterator[Item]:
    """As `prefetch`, with the first item under way already; it has to be read to its end, or closed once it is being read."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="ahead")
    first = pool.submit(next, items, None)

    def others() -> Iterator[Item]:
        upcoming = first
        with pool:
            while (item := upcoming.result()) is not None:
                upcoming = pool.submit(next, items, None)
                yield item

    return others()


@contextmanager
def meanwhile(work: Callable[[], Result]) -> Iterator[Future[Result]]:
    """Do the work in a thread of its own while the caller goes on; at the end it is done, and raises what it has raised.

    Where the caller raises, the work is waited for all the same, and the caller's error is the one that is told.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="meanwhile") as pool:
        done = pool.submit(work)
        yield done
        done.result()


def map_concurrently(
    work: Callable[[Item], Result], items: Iterable[Item], *, max_concurrency: int
) -> Iterator[Result]:
    """The results of `work` in the order of the items, made in threads of their own ahead of the caller."""
    with ThreadPoolExecutor(max_concurrency, thread_name_prefix="ahead") as pool:
        under_way: deque[Future[Result]] = deque()
        for item in items:
            under_way.append(pool.submit(work, item))
            if len(under_way) > max_concurrency:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
