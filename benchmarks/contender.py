"""What every contender does around its work: say what it cost, as one line of JSON."""

from __future__ import annotations

import json
import resource
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def report(work: Callable[[], dict[str, object]]) -> None:
    """Time the work (imports are done by then) and print the figures; `work` returns more of them."""
    begun, spent = time.perf_counter(), time.process_time()
    more = work()
    seconds, cpu = time.perf_counter() - begun, time.process_time() - spent
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux gives KiB
    sys.stdout.write(json.dumps({"seconds": seconds, "cpu": cpu, "peak_mb": peak, **more}) + "\n")
