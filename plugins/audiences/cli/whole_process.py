"""A process that is there for one command: what Python spends before and after the command is kept small."""

from __future__ import annotations

import atexit
import gc
import os
import sys
import threading
from contextlib import suppress
from typing import Final

from audiences.cli import main, streams

_YOUNG_OBJECTS: Final = 400_000
"""So many new objects are there before Python looks for garbage among them. Its own 700 are for objects that come and go; the
quarter of a million that imports make stay, and looking at them again and again took up to a seventh of a command's time."""
_SPARED: Final = {
    "OPENBLAS_NUM_THREADS": "1",  # threads of NumPy's linear algebra, which nobody here uses, and which wait in a loop
    "PYDANTIC_DISABLE_PLUGINS": "__all__",  # it would look for some in each of the packages that are installed
}
"""Settings by which libraries leave out what a command has no use for, unless the environment says otherwise."""

_INTERRUPTED: Final = 130
_ARENAS: Final = -8  # glibc's number of the setting, M_ARENA_MAX
_MOST_ARENAS: Final = 2


def command() -> None:
    """The script `audiences`: do what the command line says, and end the process."""
    gc.set_threshold(_YOUNG_OBJECTS)
    for name, value in _SPARED.items():
        os.environ.setdefault(name, value)
    streams.ready()
    try:
        main()
    except SystemExit as ended:
        _end(ended)
        raise
    except KeyboardInterrupt:  # while it imports what it needs; the command itself ends like this, too
        sys.exit(_INTERRUPTED)


def few_arenas() -> None:
    """Let threads share free memory. Of what one of them has freed, glibc gives the others nothing unless it is told to.

    An upload has a thread for each request under way, and took 100 MB more for it. Other C libraries have no such arenas.
    """
    import ctypes

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_ARENAS, _MOST_ARENAS)


def _end(ended: SystemExit) -> None:
    """End now, unless Python has more to do: taking apart all that was imported takes it longer than some commands."""
    alone = all(thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread())
    if not alone or not isinstance(ended.code, int | None):
        return
    atexit._run_exitfuncs()
    code = ended.code or 0
    if not streams.written_out():
        code = code or 1
    with suppress(OSError):
        sys.stderr.flush()
    os._exit(code)
