"""One answer or exception in, one error of ours out: by Facebook's code and subcode, never by the HTTP status alone."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import Any

import orjson
import requests
from urllib3.exceptions import NewConnectionError, ReadTimeoutError

from audiences.errors import AudiencesError, FacebookAccessError, FacebookTransientError, RefusedError, ThrottledError
from audiences.facebook.codes import ErrorKind, Meaning, meaning_of
from audiences.facebook.contract import (
    GRAPH_URL,
    REPLACE_RUNNING_WAIT_SECONDS,
    TOO_MUCH_DATA_TEXT,
    WRONG_PROOF_TEXT,
)
from audiences.facebook.graph_errors import (
    AudienceBusyError,
    AudienceTooSmallError,
    ObjectNotFoundError,
    ReplaceBrokenError,
    TooMuchDataError,
    UnreachableError,
)
from audiences.facebook.transport import LONGEST_ANSWER, AnswerTooLongError
from audiences.facebook.values import Json, as_integer
from audiences.redact import redact

# The wait of a throttle that the error itself does not state: the session fills it in from the usage headers.
UNSTATED_WAIT = 0.0
_TIMED_OUT_REPLACE = 1870158


@dataclass(frozen=True, slots=True)
class CallContext:
    """What the texts of an error need: what we were doing, for which account, and what no text, the repr neither, may show."""

    action: str
    account_number: str
    secrets: tuple[str | None, ...] = field(default=(), repr=False)
    graph_url: str = GRAPH_URL


@dataclass(frozen=True, slots=True)
class GraphFault:
    """The `error` object of an answer, read without trust: any key may be absent or of another type."""

    code: int | None
    subcode: int | None
    transient: bool
    text: str
    trace: str | None

    @classmethod
    def read(cls, error: Any, context: CallContext) -> GraphFault:
        """`error` is an object as documented, or a plain string as some gateways send it."""
        if not isinstance(error, dict):
            return cls(None, None, False, redact(str(error), *context.secrets), None)
        # error_data adds nothing that the message lacks, and is an object, a string or absent: not read.
        parts = [error.get(key) for key in ("error_user_title", "error_user_msg", "message")]
        text = ": ".join(dict.fromkeys(part for part in parts if isinstance(part, str) and part))
        trace = error.get("fbtrace_id")
        return cls(
            code=as_integer(error.get("code")),
            subcode=as_integer(error.get("error_subcode")),
            transient=error.get("is_transient") is True,
            text=redact(text, *context.secrets),
            trace=redact(trace, *context.secrets) if isinstance(trace, str) else None,
        )


def read_answer(status: int, body: bytes, context: CallContext) -> Json:
    """The JSON object of a successful answer, or the error it stands for.

    A success is status 200 to 299 with a JSON object that has no `error` and says no other `success` than true. Raises
    errors of `audiences.errors` and `audiences.facebook.graph_errors`.
    """
    if 300 <= status <= 399:
        what = (
            f"{context.action}: HTTP {status} leads to another address, and none is followed; `graph_url` of the connection must "
            "be that of Facebook, or of a sandbox, itself"
        )
        raise RefusedError(what)
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise _without_code(status, f"HTTP {status} with a body that is not JSON", context) from None
    if not isinstance(answer, dict):
        raise _without_code(status, f"HTTP {status} with JSON that is no object", context)
    if "error" in answer:
        raise error_for(GraphFault.read(answer["error"], context), status, context)
    if not 200 <= status <= 299:
        raise _without_code(status, f"HTTP {status} with JSON that names no error", context)
    if answer.get("success", True) is not True:
        what = f"{context.action}: Facebook answered that it did not succeed, and not why"
        raise FacebookTransientError(what)
    return answer


def error_for(fault: GraphFault, status: int, context: CallContext) -> AudiencesError:
    """The error for one `error` object."""
    if fault.code is None:
        return _without_code(status, fault.text or "an error without a code", context)
    meaning = _refine(meaning_of(fault.code, fault.subcode), fault)
    if meaning is None or (meaning.kind is ErrorKind.REFUSED and fault.transient):
        passing = fault.transient or status >= 500
        meaning = Meaning(ErrorKind.TRANSIENT if passing else ErrorKind.REFUSED, "an error unknown to us")
    return _build(meaning, fault, context)


def error_for_exception(error: requests.RequestException, context: CallContext) -> AudiencesError:
    """The error for a request that got no whole answer. Its own text is not passed on: it quotes the address."""
    if _found_in(error, ssl.SSLCertVerificationError):
        return FacebookAccessError(
            f"{context.action}: the certificate of the host does not verify",
            "Check `graph_url` in the connection; a proxy in between may need a CA of its own (REQUESTS_CA_BUNDLE).",
        )
    if isinstance(error, requests.exceptions.InvalidProxyURL):
        return FacebookAccessError(
            f"{context.action}: the proxy's address is wrong", "Correct the variables HTTPS_PROXY and HTTP_PROXY."
        )
    if isinstance(error, AnswerTooLongError):
        what = (
            f"{context.action}: the answer is longer than {LONGEST_ANSWER // 1024**2} MB, and was not read to its end"
        )
        return FacebookTransientError(what)
    if isinstance(error, requests.exceptions.Timeout) or _found_in(error, ReadTimeoutError):
        return FacebookTransientError(f"{context.action}: no answer in time")
    if _found_in(error, NewConnectionError):
        known = f"nothing answers at {context.graph_url}"
        if context.graph_url != GRAPH_URL:
            known += ", the `graph_url` of the connection; start what is to answer there, or correct it"
        return UnreachableError(f"{context.action}: {known}")
    return FacebookTransientError(f"{context.action}: the connection failed ({type(error).__name__})")


def _refine(meaning: Meaning | None, fault: GraphFault) -> Meaning | None:
    """Two codes stand for two things each, told apart by their text only."""
    text = fault.text.lower()
    if fault.code == 1 and TOO_MUCH_DATA_TEXT in text:
        return Meaning(ErrorKind.TOO_MUCH_DATA, "the answer would be too large")
    if fault.code == 100 and WRONG_PROOF_TEXT in text:
        remedy = "Set `app_secret` in the Airflow connection to the secret of the app that made the token."
        return Meaning(ErrorKind.ACCESS, "the proof of the app secret is missing or wrong", remedy)
    return meaning


def _build(meaning: Meaning, fault: GraphFault, context: CallContext) -> AudiencesError:
    code, subcode, trace = fault.code, fault.subcode, fault.trace
    what = f"{context.action}: {meaning.cause}"
    # The text helps where the cause is a class of faults rather than one; elsewhere it only repeats the cause.
    told = f"{what}. Facebook says: {fault.text.rstrip('.')}" if fault.text else what
    remedy = meaning.remedy.format(account=context.account_number)
    match meaning.kind:
        case ErrorKind.THROTTLED:
            return ThrottledError(what, meaning.wait or UNSTATED_WAIT, code, subcode)
        case ErrorKind.BUSY:
            return AudienceBusyError(what, REPLACE_RUNNING_WAIT_SECONDS, code, subcode)
        case ErrorKind.TRANSIENT:
            return FacebookTransientError(told, code, subcode, trace)
        case ErrorKind.ACCESS:
            return FacebookAccessError(told, remedy, code, subcode, trace)
        case ErrorKind.NOT_FOUND:
            return ObjectNotFoundError(what, remedy, code, subcode, trace)
        case ErrorKind.TOO_SMALL:
            return AudienceTooSmallError(what, code, subcode, trace)
        case ErrorKind.REPLACE_BROKEN:
            return ReplaceBrokenError(what, code, subcode, trace, truncated=subcode == _TIMED_OUT_REPLACE)
        case ErrorKind.TOO_MUCH_DATA:
            return TooMuchDataError(what, code, subcode, trace)
        case ErrorKind.REFUSED:
            return RefusedError(told, code, subcode, trace)


def _without_code(status: int, found: str, context: CallContext) -> AudiencesError:
    """Only where Facebook's own numbers are missing does the status decide: a gateway answered, not the Graph API."""
    what = f"{context.action}: {found}"
    if status == 429:
        return ThrottledError(what, UNSTATED_WAIT)
    if status >= 500 or status == 408 or status <= 299:
        return FacebookTransientError(what)
    return RefusedError(what)


def _found_in(error: BaseException, kind: type[BaseException]) -> bool:
    """Whether an error of that kind is behind it: requests wraps urllib3's wrapping, by arguments and not by `__cause__`."""
    queue: list[Any] = [error]
    for _ in range(10):
        if not queue:
            return False
        current = queue.pop()
        if isinstance(current, kind):
            return True
        if isinstance(current, BaseException):
            queue += [getattr(current, "reason", None), current.__cause__, current.__context__, *current.args]
    return False
