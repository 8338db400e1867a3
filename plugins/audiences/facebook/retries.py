"""Retries of calls to the Graph API, with their waits: passing faults, short blocks, objects not there yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential,
    wait_random_exponential,
)

from audiences.errors import FacebookTransientError, ThrottledError
from audiences.facebook.contract import LAG_FIRST_WAIT_SECONDS, LAG_TRIES, WAIT_IN_PLACE_SECONDS
from audiences.facebook.graph_errors import ObjectNotFoundError, OddAnswerError, UnreachableError
from audiences.logs import logger

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logger(__name__)
# What seldom passes is tried less often; the step as a whole is tried again.
_FEWER_TRIES: Final[dict[type, int]] = {UnreachableError: 2, OddAnswerError: 3}


@dataclass(frozen=True, slots=True)
class Retries:
    """At most `max_tries` tries of a call, with exponential waits and full jitter in between, up to `longest_wait` seconds."""

    max_tries: int
    longest_wait: float
    sleep: Callable[[float], None]

    def of_passing_faults(self) -> Retrying:
        """For a call that may be made again: after a fault that passes, and at once after a block of a few seconds."""
        jittered = wait_random_exponential(multiplier=1, max=self.longest_wait)
        return Retrying(
            retry=retry_if_exception(_worth_a_retry),
            # A short block is waited for when the next try takes its turn.
            wait=lambda state: 0.0 if isinstance(_error_of(state), ThrottledError) else jittered(state),
            stop=lambda state: state.attempt_number >= self._tries_for(_error_of(state)),
            before_sleep=self._tell,
            sleep=self.sleep,
            reraise=True,
        )

    def of_lag(self) -> Retrying:
        """For an object that is not found, as it may have just been created."""
        return Retrying(
            retry=retry_if_exception_type(ObjectNotFoundError),
            wait=wait_exponential(multiplier=LAG_FIRST_WAIT_SECONDS),
            stop=stop_after_attempt(LAG_TRIES),
            sleep=self.sleep,
            reraise=True,
        )

    def _tries_for(self, error: BaseException | None) -> int:
        return min(_FEWER_TRIES.get(type(error), self.max_tries), self.max_tries)

    def _tell(self, state: RetryCallState) -> None:
        error, wait = _error_of(state), state.next_action.sleep if state.next_action else 0.0
        _log.warning("%s (try %d of %d, next in %.1f s)", error, state.attempt_number, self._tries_for(error), wait)


def _worth_a_retry(error: BaseException) -> bool:
    if isinstance(error, ThrottledError):
        return error.seconds <= WAIT_IN_PLACE_SECONDS
    return isinstance(error, FacebookTransientError)


def _error_of(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
