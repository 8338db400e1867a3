"""What every contender does around its work: say how long it took and how much memory it needed, as one line of JSON."""

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
    begun = time.perf_counter()
    more = work()
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux gives KiB
    sys.stdout.write(json.dumps({"seconds": seconds, "peak_mb": peak, **more}) + "\n")
