"""A pytest plugin: writes down which functions of the product each test called, and how long the test took.

One line of JSON a test, in a file for each process, in the folder that MUTANTS_CALLED names. What a test starts as another
process is not seen.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType, FrameType

VARIABLE = "MUTANTS_CALLED"
ROOT = f"{Path(__file__).parents[2]}{os.sep}"
_seen: set[CodeType] = set()


def _note(frame: FrameType, event: str, argument: object) -> None:
    """Called at the begin of each function; it asks for no more events of it."""
    _seen.add(frame.f_code)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """What fixtures of the session call counts for the test that happens to make them."""
    _seen.clear()
    begun = time.perf_counter()
    threading.settrace(_note)
    sys.settrace(_note)
    try:
        return (yield)
    finally:
        sys.settrace(None)
        threading.settrace(None)
        called = {
            f"{code.co_filename.removeprefix(ROOT)}:{code.co_qualname}"
            for code in tuple(_seen)
            if code.co_filename.startswith(f"{ROOT}plugins{os.sep}")
        }
        line = {"test": item.nodeid, "seconds": round(time.perf_counter() - begun, 3), "called": sorted(called)}
        with (Path(os.environ[VARIABLE]) / f"{os.getpid()}.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")
