"""The garbage collector in processes that import much and end soon.

What was imported stays until the end, and looking through it again and again is a third of the time that importing takes.
"""

from __future__ import annotations

import atexit
import gc


def hold_collection() -> None:
    """Until `keep_what_is_there`, nothing is looked at: all of it stays."""
    gc.disable()


def keep_what_is_there() -> None:
    """From now on only what is made later is looked at, and not as often as in programs that run for days.

    At the very end all of it, as some libraries look then for what was left behind.
    """
    atexit.register(gc.unfreeze)
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    gc.enable()
