"""One session for every call to the Graph API: authorisation, timeouts, retries by error class, pace, errors."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Self

import orjson
import requests
from requests.auth import AuthBase

from audiences.errors import AudiencesError, FacebookTransientError, RefusedError, ThrottledError
from audiences.facebook.answers import Answer, Done, Page, read_as
from audiences.facebook.classify import CallContext, error_for_exception, read_answer
from audiences.facebook.contract import (
    MOST_PAGES,
    RETIRED_PARAMETERS,
    VERSION_WARNING_HEADER,
    WAIT_IN_PLACE_SECONDS,
)
from audiences.facebook.graph_errors import OddAnswerError
from audiences.facebook.quiet import keep_addresses_quiet
from audiences.facebook.retries import Retries
from audiences.facebook.semaphore import OpenSemaphore, Semaphore
from audiences.facebook.transport import Http, read_body
from audiences.facebook.usage import Pace, Usage, read_usage
from audiences.logs import logger
from audiences.redact import redact

if TYPE_CHECKING:
    from types import TracebackType

    from audiences.facebook.credentials import Credentials
    from audiences.facebook.values import Json

_log = logger(__name__)
# An id or a name, then edges: nothing that could lead to another host, path or query.
_PATH = re.compile(r"[A-Za-z0-9_]+(/[A-Za-z0-9_]+)*")

Body = bytes | Mapping[str, Any]


class GraphSession:
    """Calls for one ad account; safe to use from several threads at once.

    `timeouts` are (connect, read) in seconds, the second for each wait for more of an answer; `answer_within` is for all of
    it. A passing fault is tried `max_tries` times with exponential waits and
    full jitter, up to `longest_wait` seconds. A throttle is not slept through, but for a few seconds: it raises
    ThrottledError with the seconds to wait, and until then every further call raises it at once, without a request.
    Sessions of one ad account in one process should share their `pace`; those of several processes, a kind of `semaphore` that
    knows of all of them. `server_time` is what Facebook's clock showed at the last answer, in Unix seconds.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        timeouts: tuple[float, float] = (10.0, 120.0),
        answer_within: float = 240.0,
        pool_size: int = 16,
        max_tries: int = 6,
        longest_wait: float = 60.0,
        pace: Pace | None = None,
        semaphore: Semaphore | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.credentials = credentials
        self.pace = pace or Pace(clock=clock)
        self.semaphore = semaphore or OpenSemaphore()
        self.sleep = sleep
        self.version_warning: str | None = None
        self.server_time: int | None = None
        self._timeouts = timeouts
        self._retries = Retries(max_tries, longest_wait, sleep)
        self._clock = clock
        self._base = f"{credentials.graph_url}/{credentials.api_version}"
        self._proof = {"appsecret_proof": proof} if (proof := credentials.appsecret_proof) else {}
        self._http = _http(credentials, pool_size, answer_within)
        keep_addresses_quiet()

    def get(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        action: str = "",
        reads: type[Answer] = Done,  # type: ignore[assignment]  # a default for a type variable, as for the calls below
        lags: bool = False,
    ) -> Answer:
        """Read `path`; values in `params` that are not text are sent as JSON."""
        return self.call("GET", path, params=params, action=action or f"read {path}", reads=reads, lags=lags)

    def pages(self, path: str, params: Mapping[str, Any], *, of: type[Answer], action: str = "") -> Iterator[Answer]:
        """The objects of an edge, page by page. The `next` address is not followed: it would carry the token.

        Raises OddAnswerError for a list that would never end, and the errors of `call`.
        """
        what, seen, cursor = action or f"list {path}", set[str](), ""
        for _ in range(MOST_PAGES):
            page = self.get(path, {**params, "after": cursor} if cursor else params, action=what, reads=Page[of])  # type: ignore[valid-type]  # made at run time
            yield from page.data
            if not page.paging.next:
                return
            cursor = page.paging.cursors.after
            if not cursor or cursor in seen:
                raise OddAnswerError(what, odd="`paging` names no next page, or one that was read before")
            seen.add(cursor)
        raise OddAnswerError(what, odd=f"the list goes on after {MOST_PAGES:,} pages")

    def call(
        self,
        method: str,
        path: str,
        *,
        action: str,
        params: Mapping[str, Any] | None = None,
        body: Body | None = None,
        reads: type[Answer] = Done,  # type: ignore[assignment]  # its own default
        repeatable: bool = True,
        lags: bool = False,
    ) -> Answer:
        """One call with its retries; returns the answer as the model `reads` takes it.

        `action` names the call in logs and errors ("add 500 rows to audience 238…"). An answer that the model cannot
        take counts as a passing fault, and as none that says what was done. `repeatable=False` allows a single try, for
        calls that must not be applied twice; `lags=True` asks again for some seconds when the object is not found, as it may
        have just been created. Raises FacebookTransientError, ThrottledError, FacebookAccessError, RefusedError and their
        subclasses.
        """
        if not _PATH.fullmatch(path):
            message = f"not a path of the Graph API: {path[:80]!r}"
            raise ValueError(message)
        if retired := RETIRED_PARAMETERS.intersection([*(params or ()), *(body if isinstance(body, Mapping) else ())]):
            message = f"Facebook no longer takes {', '.join(sorted(retired))} from new apps"
            raise ValueError(message)
        content = orjson.dumps(body) if isinstance(body, Mapping) else body
        unanswered = 0

        def attempt() -> Answer:
            nonlocal unanswered
            try:
                with self.semaphore.slot():
                    answer = self._attempt(method, path, params, content, action)
                return _read_quietly(reads, answer, action, about=path if _asks_for_one(method, path) else "")
            except FacebookTransientError:
                unanswered += 1
                raise
            except RefusedError as error:
                error.after_unknown = unanswered > 0
                raise

        def with_retries() -> Answer:
            return self._retries.of_passing_faults()(attempt) if repeatable else attempt()

        return self._retries.of_lag()(with_retries) if lags else with_retries()

    def close(self) -> None:
        """Close the pooled connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _attempt(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None,
        body: bytes | None,
        action: str,
    ) -> Json:
        self._take_turn(action)
        credentials = self.credentials
        context = CallContext(action, credentials.account_number, credentials.secrets, credentials.graph_url)
        started = self._clock()
        try:
            with self._http.request(
                method,
                f"{self._base}/{path}",
                # The proof is documented as a parameter; it opens nothing without the token, which is in the header.
                params={**_as_query(params or {}), **self._proof},
                data=body,
                headers={"Content-Type": "application/json"} if body is not None else None,
                timeout=self._timeouts,
                allow_redirects=False,
                stream=True,
            ) as response:
                content = read_body(response)
        except requests.RequestException as error:
            raise error_for_exception(error, context) from None
        except BaseException as interruption:  # noqa: BLE001  # it is raised again, whatever it is
            # The library's frames hold headers and address: a traceback with locals would show token and proof.
            raise interruption.with_traceback(None) from None
        usage = read_usage(response.headers, credentials.account_number)
        self._observe(usage, response)
        milliseconds = 1000 * (self._clock() - started)
        level = logging.DEBUG if method == "GET" else logging.INFO
        _log.log(
            level, "%s: HTTP %d, %.0f ms, usage %.0f %%", action, response.status_code, milliseconds, self.pace.percent
        )
        try:
            return read_answer(response.status_code, content.raw, context)
        except ThrottledError as error:
            wait = self._block((usage.regain_seconds if usage else 0.0) or error.seconds)
            raise ThrottledError(error.what, wait, error.code, error.subcode) from None
        except AudiencesError as error:
            raise error.with_traceback(None) from None  # the frames below hold the answer, which may quote the token

    def _observe(self, usage: Usage | None, response: requests.Response) -> None:
        if usage:
            self.pace.observe(usage)
            if response.ok and usage.percent >= 100:
                # This call still went through; the next one would be refused, and count.
                self._block(usage.regain_seconds)
        self.server_time = _unix_seconds(response.headers.get("Date")) or self.server_time
        warning = response.headers.get(VERSION_WARNING_HEADER)
        if warning and not self.version_warning:
            self.version_warning = redact(warning, *self.credentials.secrets)
            _log.warning(
                "Facebook warns about the API version %s: %s", self.credentials.api_version, self.version_warning
            )

    def _block(self, seconds: float) -> float:
        """Stop all calls of the account, here and elsewhere; the seconds it takes, also where Facebook states none."""
        wait = self.pace.block(seconds)
        self.semaphore.block(wait)
        return wait

    def _take_turn(self, action: str) -> None:
        """Sleep as the pace asks; raise when the account is blocked for longer than a few seconds."""
        if (elsewhere := self.semaphore.blocked_for()) > 0:
            self.pace.block(elsewhere)
        self._raise_if_blocked(action)
        turn = self.pace.take_turn()
        if turn > 0:
            self.sleep(turn)
            self._raise_if_blocked(action)
        blocked = self.pace.blocked_for()
        if blocked > 0:
            self.sleep(blocked)

    def _raise_if_blocked(self, action: str) -> None:
        blocked = self.pace.blocked_for()
        if blocked > WAIT_IN_PLACE_SECONDS:
            what = f"{action}: not sent, since the ad account's quota is used up"
            raise ThrottledError(what, blocked)


class _Bearer(AuthBase):
    """The token in the header. As `auth` and not as a plain header, so that no .netrc entry replaces it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _http(credentials: Credentials, pool_size: int, answer_within: float) -> Http:
    http = Http(pool_size=pool_size, answer_within=answer_within)
    http.auth = _Bearer(credentials.access_token)
    http.headers["User-Agent"] = "audiences"
    http.as_environment_says(credentials.graph_url)
    return http


def _asks_for_one(method: str, path: str) -> bool:
    """Whether an object is read by its id."""
    return method == "GET" and path.isdigit()


def _read_quietly(reads: type[Answer], answer: Json, action: str, *, about: str) -> Answer:
    try:
        return read_as(reads, answer, action, about=about)
    except OddAnswerError as error:
        raise error.with_traceback(None) from None  # the frames below hold the answer, which may quote the token


def _as_query(params: Mapping[str, Any]) -> dict[str, str]:
    return {key: value if isinstance(value, str) else orjson.dumps(value).decode() for key, value in params.items()}


def _unix_seconds(date: str | None) -> int | None:
    """The seconds that a `Date` header means; None where there is none, or no date in it."""
    try:
        return int(parsedate_to_datetime(date).timestamp()) if date else None
    except (ValueError, OverflowError):
        return None
