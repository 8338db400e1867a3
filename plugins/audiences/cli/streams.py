"""The standard streams of a command: whoever started it may have closed them, and what is printed may not reach anybody."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path


def ready() -> None:
    """Put one that nobody reads, or that says nothing, in the place of each stream that is closed.

    Else printing would fail there, and the next file or connection would be taken for the stream by the libraries in C. What the
    encoding of standard output does not have is written as `\\u2713`, as it is on standard error.
    """
    nothing = Path(os.devnull)
    sys.stdin = sys.stdin or nothing.open(encoding="utf-8")
    sys.stdout = sys.stdout or nothing.open("w", encoding="utf-8")
    sys.stderr = sys.stderr or nothing.open("w", encoding="utf-8")
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def has_every_character() -> bool:
    """Whether standard output can show any text as it is; JSON has escapes of its own for where it cannot."""
    return "utf" in (sys.stdout.encoding or "utf").lower()


def written_out() -> bool:
    """Whether all that was printed has been written; where not it is told, and what is left is thrown away."""
    try:
        sys.stdout.flush()
    except OSError as error:
        cut_off(error)
        return False
    return True


def cut_off(error: OSError) -> None:
    """Tell why the output ends here, and throw the rest away; a reader that has gone, as `head` does, has all that it wanted."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if not isinstance(error, BrokenPipeError):
        with suppress(OSError):
            sys.stderr.write(f"error  the output cannot be written: {error.strerror or type(error).__name__}\n")
