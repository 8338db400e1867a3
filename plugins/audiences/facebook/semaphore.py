"""The semaphore of one ad account, shared by all its callers: how many requests are under way, and when none may be sent.

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
        """Every request gets a slot."""
        return nullcontext()

    def blocked_for(self) -> float:
        """0: no other process shares the ad account."""
        return 0.0

    def block(self, seconds: float) -> None:
        """Do nothing: no other process shares the ad account."""
