"""Allocators that give back what batches of rows took, so that the steps of a run in one process do not add up."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress
from typing import Final

import pyarrow as pa

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_LARGE: Final = (
    2 * 1024 * 1024
)  # bytes; columns of a batch are larger, the body of a request is not, which is made anew each time
_SPARE: Final = 4 * 1024 * 1024


def give_back_large_blocks() -> None:
    """Have Arrow and the C library give large blocks back to the system; process-wide, and harmless to call again.

    The allocator that Arrow prefers keeps what it was given once; the system's hands it back when asked to, after each file. That
    one takes large blocks from the system one by one, but raises the size from which it does so to that of the largest that was
    ever freed, up to 32 MB: from then on batches lie among all else, which keeps them. A fixed size saves a tenth of the peak.
    Then no more than 128 KB of all else is kept to spare either, unless that is said too: the system gave the memory for each
    part of a request anew, which took a third of the CPU of making one.
    """
    pa.set_memory_pool(pa.system_memory_pool())
    if sys.platform == "linux":
        with suppress(AttributeError):  # another C library than GNU's
            library = ctypes.CDLL(None)
            library.mallopt(_M_MMAP_THRESHOLD, _LARGE)
            library.mallopt(_M_TRIM_THRESHOLD, _SPARE)
