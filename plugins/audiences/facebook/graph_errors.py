"""Errors of Facebook to which a caller reacts in a way of its own.

FixAccessError ── ConnectionIncompleteError
FacebookAccessError ┬─ ObjectNotFoundError
                    └─ AdSetClosedError
RefusedError ┬─ RowsRefusedError        halve the rows and find the bad ones
             ├─ AudienceTooSmallError   keep the members, warn, try in the next run
             ├─ NotReceivedError        take it for unknown whether it was carried out, send it again in the next run
             ├─ ReplaceBrokenError      start a complete new replace
             └─ TooMuchDataError        ask for a smaller page
FacebookTransientError ┬─ UnreachableError
                       └─ OddAnswerError
WaitError ── AudienceBusyError
"""

from __future__ import annotations

from dataclasses import dataclass

from audiences.errors import (
    FacebookAccessError,
    FacebookTransientError,
    FixAccessError,
    FixConfigError,
    RefusedError,
    WaitError,
)


@dataclass(eq=False)
class ConnectionIncompleteError(FixAccessError):
    """An Airflow connection lacks something, or has it in a form that cannot be used."""

    connection: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"the Airflow connection `{self.connection}` {self.problem}. {self.remedy}"


@dataclass(eq=False)
class UnreachableError(FacebookTransientError):
    """Nobody took the call: the host has no address, or nothing listens there."""

    def __str__(self) -> str:
        return self.what


@dataclass(eq=False)
class OddAnswerError(FacebookTransientError):
    """A success in which something is not as documented, so that it is not known what was done, or is there.

    `what` is what was asked, `odd` names the part of the answer and quotes nothing of it.
    """

    odd: str = ""

    def __str__(self) -> str:
        return (
            f"{self.what}: the answer is not as Facebook documents it: {self.odd}. So it is not known what it means, and nothing "
            "was taken from it. Run it again; if it stays so, see that `graph_url` and `api_version` of the connection are right "
            "and that no proxy answers in Facebook's place, then report it with these words"
        )


@dataclass(eq=False)
class ObjectNotFoundError(FacebookAccessError):
    """No such audience or ad set for this token: deleted, not shared with us, or created seconds ago."""


@dataclass(eq=False)
class AdSetClosedError(FacebookAccessError):
    """The ad set is archived or deleted: it shows no ads and can no longer be changed."""


@dataclass(eq=False)
class RowsRefusedError(RefusedError):
    """The rows of one upload were refused, all of them, for what some of them hold.

    `reason` is Facebook's, without what we were doing: refusals for the same reason have the same one.
    """

    reason: str = ""


@dataclass(eq=False)
class AudienceTooSmallError(RefusedError):
    """A removal would leave too few people in the audience; Facebook keeps the members as they are."""


@dataclass(eq=False)
class NotReceivedError(RefusedError):
    """Facebook answered as if all were well, but counted far fewer rows than were sent, in both of two tries."""

    def __str__(self) -> str:
        return f"{self.what}. So it is not known whether it was carried out; the next run sends it again"


@dataclass(eq=False)
class ReplaceBrokenError(RefusedError):
    """The replace session is over; `truncated` says that the audience now holds only a part of its members."""

    truncated: bool = False


@dataclass(eq=False)
class TooMuchDataError(RefusedError):
    """The page asked for is too large for Facebook to answer."""


@dataclass(eq=False)
class AudienceBusyError(WaitError):
    """A replace is running on this audience; its members cannot be changed until it ends."""

    code: int | None = None
    subcode: int | None = None


@dataclass(eq=False)
class ScheduleError(FixConfigError):
    """A window cannot be pushed onto an ad set."""

    time: str

    def __str__(self) -> str:
        return (
            f"the window's time {self.time} is not on the full hour, which Facebook's ad sets require; "
            "move it, or take out `schedule: campaign`"
        )
