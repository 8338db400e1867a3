"""What all callers of one ad account agree on: how many requests are under way at once, and when none may be sent.

Pace does this for the threads of one session. Whoever knows the other processes gives the session a semaphore; alone, there is
nobody to agree with.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Semaphore(Protocol):
    """Safe to use from several threads at once."""

    def slot(self) -> AbstractContextManager[None]:
        """Wait for one of the ad account's slots and hold it for one request."""

    def blocked_for(self) -> float:
        """Seconds until the ad account may be called again, whichever process learnt of it; 0 when it may be now."""

    def block(self, seconds: float) -> None:
        """Tell the others that the ad account is not to be called for so long."""


class OpenSemaphore:
    """The semaphore of a process that is alone with its ad account."""

    def slot(self) -> AbstractContextManager[None]:
        """There is always room."""
        return nullcontext()

    def blocked_for(self) -> float:
        """Nobody else has learnt of a block."""
        return 0.0

    def block(self, seconds: float) -> None:
        """There is nobody to tell."""
