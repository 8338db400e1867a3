"""The kinds of errors, by what the caller should do. Every error of the product is of exactly one of them.

    AudiencesError
    ├── FixConfigError             a file or what was asked for is wrong: correct it
    │   ├── ConfigError            … with every problem found, each at file:line:column
    │   └── UnsupportedError       … or asks for something that this version cannot do
    ├── FixAccessError             a person must change something outside: a token, terms, a permission, an audience
    │   └── FacebookAccessError    … at Facebook, with the remedy
    ├── StoppedError               a guard of the campaign stopped the run before any upload
    ├── RefusedError               the request itself was refused; sending it again cannot help
    ├── RetryError                 a passing fault: try again soon
    │   ├── SecretsBackendError
    │   └── FacebookTransientError
    ├── WaitError                  do nothing with this ad account for `seconds`, then go on
    │   └── ThrottledError
    └── FailedError                it came to nothing, and trying again at once changes nothing: read why

The errors that only one room raises are defined there, each under one of these kinds.
Errors cross process borders (a worker reports to the scheduler), so each is a dataclass that pickles by its fields.
None carries a token, an e-mail address, a phone number or a member's hash.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import wraps
from typing import Any, ClassVar

from audiences.redact import harmless_line


def _rebuild(cls: type[AudiencesError], values: dict[str, Any]) -> AudiencesError:
    return cls(**values)


class AudiencesError(Exception):
    """What every error of the product is; a subclass is a dataclass whose `__str__` says what to do.

    What it says becomes one harmless line, whatever names and texts of others are in it. Of an error `of_lines` each line
    is the subclass's to make so.
    """

    of_lines: ClassVar[bool] = False

    def __init_subclass__(cls, **given: Any) -> None:
        super().__init_subclass__(**given)
        own = cls.__dict__.get("__str__")
        if own is not None and not cls.of_lines:  # replaced here, so that no subclass can forget it
            cls.__str__ = wraps(own)(lambda error: harmless_line(own(error)))  # type: ignore[method-assign]  # wanted

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), {field.name: getattr(self, field.name) for field in fields(self)})  # type: ignore[arg-type]  # each subclass is a dataclass


class FixConfigError(AudiencesError):
    """A file of the project, or what was asked for by hand, is wrong; nothing was run."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong in one file.

    `file` is relative to the project; `line` and `column` count from 1 (0 when the file as a whole is meant);
    `key` is the dotted path inside the file; `code` is stable and documented (`unknown-key`, `wrong-type`, …).
    """

    file: str
    line: int
    column: int
    key: str
    code: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


@dataclass(eq=False)
class ConfigError(FixConfigError):
    """The problems of one or several files, in the order of the files and lines."""

    of_lines: ClassVar[bool] = True
    problems: tuple[Problem, ...]

    def __str__(self) -> str:
        return "\n".join(harmless_line(str(problem)) for problem in self.problems)


@dataclass(eq=False)
class UnsupportedError(FixConfigError):
    """The campaign asks for something that this version cannot do; running without it could send what must not be sent."""

    key: str

    def __str__(self) -> str:
        return f"`{self.key}` cannot be done in this version, so the campaign does not run; nothing was sent"


class FixAccessError(AudiencesError):
    """Somebody must change something outside the project; a retry cannot help."""


@dataclass(eq=False)
class ConnectionMissingError(FixAccessError):
    """An Airflow connection that the project names does not exist."""

    connection: str

    def __str__(self) -> str:
        return (
            f"the Airflow connection `{self.connection}` does not exist; create it in the Airflow UI "
            f"(Admin, Connections) or set AIRFLOW_CONN_{self.connection.upper()}"
        )


@dataclass(eq=False)
class ConnectionUnreadableError(FixAccessError):
    """An Airflow connection is there, and cannot be read; `why` holds no part of it."""

    connection: str
    why: str

    def __str__(self) -> str:
        return (
            f"the Airflow connection `{self.connection}` is there, but cannot be read: {self.why}. In a URI, write the special "
            "characters of a login or password in percent-encoding (`/` as %2F, `#` as %23, `?` as %3F, `@` as %40, `%` as %25), "
            "or give the connection as JSON, which needs none"
        )


@dataclass(eq=False)
class FacebookAccessError(FixAccessError):
    """Facebook refuses until a person acts: terms, token, permission, a flagged or missing audience."""

    what: str
    remedy: str
    code: int | None = None
    subcode: int | None = None
    trace: str | None = None

    def __str__(self) -> str:
        return f"{self.what} ({facebook_numbers(self.code, self.subcode, self.trace)}). {self.remedy}"


@dataclass(eq=False)
class StoppedError(AudiencesError):
    """A guard under `what.guards` stopped the run before any upload."""

    guard: str
    found: str
    allow_once: str

    def __str__(self) -> str:
        return f"stopped by the guard `{self.guard}`: {self.found}. Nothing was sent. {self.allow_once}"


@dataclass(eq=False)
class RefusedError(AudiencesError):
    """Facebook refused this request for its content; other requests may still succeed.

    `after_unknown`: an earlier try ended without an answer, so the request may have been carried out all the same.
    """

    what: str
    code: int | None = None
    subcode: int | None = None
    trace: str | None = None
    after_unknown: bool = field(default=False, kw_only=True)

    def __str__(self) -> str:
        return f"Facebook refused the request: {self.what} ({facebook_numbers(self.code, self.subcode, self.trace)})"


class RetryError(AudiencesError):
    """A passing fault; the same call may succeed in a moment."""


@dataclass(eq=False)
class SecretsBackendError(RetryError):
    """A secrets backend of Airflow failed when it was asked for a connection; nobody knows whether the connection exists."""

    connection: str
    backend: str
    fault: str

    def __str__(self) -> str:
        return (
            f"Airflow's secrets backend `{self.backend}` failed (`{self.fault}`) when it was asked for the connection "
            f"`{self.connection}`, which nothing else has. See that it is up, that its settings are right and that what it holds "
            "can be read"
        )


@dataclass(eq=False)
class FacebookTransientError(RetryError):
    """A fault on Facebook's side or on the way there."""

    what: str
    code: int | None = None
    subcode: int | None = None
    trace: str | None = None

    def __str__(self) -> str:
        numbers = facebook_numbers(self.code, self.subcode, self.trace)
        return f"{self.what} ({numbers}). Such faults pass: when all tries are used up, run it again"


@dataclass(eq=False)
class WaitError(AudiencesError):
    """Go on after `seconds`, and make no call of this kind before."""

    what: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.what}; waiting {self.seconds:.0f} s"


@dataclass(eq=False)
class ThrottledError(WaitError):
    """The ad account has used up its quota; calls while blocked make it worse."""

    code: int | None = None
    subcode: int | None = None


class FailedError(AudiencesError):
    """What was to be done came to nothing, and trying it again at once would change nothing; the text says why."""


def facebook_numbers(code: int | None, subcode: int | None, trace: str | None) -> str:
    """Facebook's own numbers for an error, as its support asks for them."""
    numbers = "no error code" if code is None else f"error {code}" if not subcode else f"error {code}/{subcode}"
    return f"{numbers}, trace {trace}" if trace else numbers
