"""Faults of object stores in words: which of them pass, and which stay until a person acts."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from audiences.errors import AudiencesError, FixAccessError, RetryError

if TYPE_CHECKING:
    from collections.abc import Iterator

_LIBRARIES: Final = frozenset(
    {"aiobotocore", "aiohttp", "azure", "botocore", "adlfs", "fsspec", "gcsfs", "google", "s3fs"}
)
# Faults that stay until somebody acts, by the name of the class, and by the code that a store gives for them.
_CLOSED: Final = re.compile(
    r"Credential|Unauthorized|Forbidden|AccessDenied|ClientAuthentication|ProfileNotFound|NoRegion|ParamValidation"
    r"|InvalidEndpoint|UnknownEndpoint"
)
_CLOSED_CODES: Final = re.compile(
    r"AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidToken|NoSuchBucket|InvalidBucketName"
    r"|ContainerNotFound|ContainerDisabled"
    r"|AllAccessDisabled|AccountProblem|AuthorizationHeaderMalformed|PermanentRedirect|KMS|InvalidArgument|MethodNotAllowed"
)
_CLOSED_STATUS: Final = frozenset({400, 401, 403, 405, 501})
# DuckDB gives the text only of what met it while it read rows through us.
_OURS_IN_TEXT: Final = re.compile(r"\bObjectStore(Lost|Closed)Error: [^(]{1,200}\(([\w: `.-]{1,200})\)")
_THEIRS_IN_TEXT: Final = re.compile(
    rf"\b(?:{'|'.join(sorted(_LIBRARIES))})\.[\w.]{{1,80}}?\b(\w{{1,60}}(?:Error|Exception|Timeout))\b"
)


@dataclass(eq=False)
class ObjectStoreLostError(RetryError):
    """The object store could not be reached, or failed; `fault` names the library's class and the store's code, no more."""

    fault: str

    def __str__(self) -> str:
        return (
            f"the object store of `staging` cannot be reached, or failed ({self.fault}). Such faults pass: when all tries are "
            "used up, see that it is up and reachable from every worker, then run it again; what Facebook acknowledged is on "
            "record, and nothing is lost"
        )


@dataclass(eq=False)
class ObjectStoreClosedError(FixAccessError):
    """The object store does not let us in, until a person acts: credentials, rights, the bucket, its key."""

    fault: str

    def __str__(self) -> str:
        return (
            f"the object store of `staging` does not let us in ({self.fault}). Look at the bucket, at the credentials and at "
            "their rights: to list the folder, and to read, write and delete in it (docs/staging.md). Nothing is lost"
        )


@contextmanager
def store_told() -> Iterator[None]:
    """Raise a fault of an object store in the body as an error of ours."""
    try:
        yield
    except Exception as error:
        ours = as_object_store(error)
        if ours is None or ours is error:
            raise
        raise ours from error


def as_object_store(error: BaseException) -> ObjectStoreLostError | ObjectStoreClosedError | None:
    """Our error for a fault of an object store; None for any other, a file that it does not have among them."""
    if isinstance(error, AudiencesError):
        return error if isinstance(error, ObjectStoreLostError | ObjectStoreClosedError) else None
    if type(error).__module__ in ("duckdb", "_duckdb"):
        return _in_text(str(error))
    original = _of_library(error)
    if original is None:
        return None
    code = _code(original)
    name = type(original).__name__
    if isinstance(error, FileNotFoundError) and code != "NoSuchBucket":
        return None
    fault = f"{name}: {code}" if code else name
    if (
        isinstance(error, PermissionError)
        or _CLOSED.search(name)
        or _CLOSED_CODES.search(code)
        or _status(original) in _CLOSED_STATUS
    ):
        return ObjectStoreClosedError(fault)
    return ObjectStoreLostError(fault)


def _of_library(error: BaseException) -> BaseException | None:
    """The error of a store's library that this one is, or was made of."""
    seen: BaseException | None = error
    for _ in range(8):  # a chain of causes is short, and may be a circle
        if seen is None or type(seen).__module__.partition(".")[0] in _LIBRARIES:
            return seen
        seen = seen.__cause__
    return None


def _code(error: BaseException) -> str:
    """What the store itself calls the fault: a word of its documentation, nothing of the request."""
    response = getattr(error, "response", None)
    found = (
        response.get("Error", {}).get("Code", "") if isinstance(response, dict) else getattr(error, "error_code", "")
    )
    return found if isinstance(found, str) and re.fullmatch(r"\w{1,60}", found) else ""


def _status(error: BaseException) -> int | None:
    """The HTTP status of the store's answer, by whichever name the library has for it."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        found = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    else:
        found = next((getattr(error, name) for name in ("status", "status_code", "code") if hasattr(error, name)), None)
    return found if isinstance(found, int) else None


def _in_text(text: str) -> ObjectStoreLostError | ObjectStoreClosedError | None:
    if ours := _OURS_IN_TEXT.search(text):
        return (ObjectStoreLostError if ours[1] == "Lost" else ObjectStoreClosedError)(ours[2])
    if theirs := _THEIRS_IN_TEXT.search(text):
        return (ObjectStoreClosedError if _CLOSED.search(theirs[1]) else ObjectStoreLostError)(theirs[1])
    return None
