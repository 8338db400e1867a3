"""The loader's own limit of time, below Airflow's: past Airflow's, all campaigns would be gone and not only the last ones."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow.configuration import conf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SHARE_OF_IMPORT = 0.6
_SHARE_OF_CHILD = 0.3  # which serialises the DAGs after that, and the errors of those that are left

TO_READ = 0.8
"""The share of the loader's time in which files are read; in the rest some of what was read become DAGs, more at each reading."""


def time_is_up(clock: Callable[[], float], of_it: float = 1.0) -> Callable[[], bool]:
    """Says whether the seconds that Airflow's settings leave to the loader are over, counted from now on by `clock`.

    `of_it` is the share of them that counts.
    """
    seconds = [
        share * limit
        for share, limit in (
            (_SHARE_OF_IMPORT, conf.getfloat("core", "dagbag_import_timeout")),
            (_SHARE_OF_CHILD, conf.getfloat("dag_processor", "dag_file_processor_timeout")),
        )
        if limit > 0  # a limit that is off
    ]
    if not seconds:
        return lambda: False
    end = clock() + of_it * min(seconds)
    return lambda: clock() >= end


@contextmanager
def no_collector() -> Iterator[None]:
    """Switch the garbage collector off: while thousands of DAGs are built there is no garbage, and it takes a fourth of the time.

    What was built is left out of later looks as well: it lives as long as the process does.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()
