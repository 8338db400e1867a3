"""Upload requests: what is planned, what stands on record, how far each has got and what may follow that.

The modules that move a request from state to state are `chunks`, `receipts` and `requests_in_doubt`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from audiences.ledger.transitions import Transitions

RequestAction = Literal["add", "remove", "replace"]


class RequestState(StrEnum):
    """State of an upload request; see the comment on the column `chunk.state`."""

    PLANNED = "planned"
    SENDING = "sending"
    ACKNOWLEDGED = "acknowledged"
    SPLIT = "split"
    POSTPONED = "postponed"
    REFUSED = "refused"
    DROPPED = "dropped"
    LOST = "lost"


InDoubtState = Literal[RequestState.REFUSED, RequestState.POSTPONED]
TRANSITIONS: Final = Transitions(
    "chunk",
    "request",
    {
        RequestState.PLANNED: frozenset({RequestState.SENDING, RequestState.DROPPED}),
        # Sending once more is what becomes of a request whose answer was lost.
        RequestState.SENDING: frozenset(RequestState),
        # Those in doubt, whose rows are gone: nobody will know whether they were carried out.
        RequestState.POSTPONED: frozenset({RequestState.LOST}),
        RequestState.REFUSED: frozenset({RequestState.LOST}),
        RequestState.ACKNOWLEDGED: frozenset(),
        RequestState.SPLIT: frozenset(),
        RequestState.DROPPED: frozenset(),
        RequestState.LOST: frozenset(),
    },
)
UNSENT: Final = (RequestState.PLANNED, RequestState.SENDING)
"""Still to be sent, for the first time or again."""
# Requests, called c, that are sent again before anything else; those of replace sessions cannot be, one by one.
OF_UNKNOWN_FATE: Final = f"(c.state = '{RequestState.SENDING}' or c.doubtful) and c.session is null"
# Requests, called c, that were never sent, as another run came in between; what is left of a session that broke is none of them.
GIVEN_UP: Final = (
    f"(c.state = '{RequestState.DROPPED}' and (c.session is null"
    " or exists (select from audiences.upload_session s where s.id = c.session and s.state = 'dropped')))"
)
IN_ORDER: Final = "c.run_id, c.late, c.action desc, c.number"  # removals before additions, deferred ones after


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """A request to put on record: `rows` positions of the change file from `first_row` on.

    `schema` has the Facebook keys of its rows; a `deferred` removal waits until the additions are in.
    """

    action: RequestAction
    file: str
    first_row: int
    rows: int
    schema: tuple[str, ...] = ()
    deferred: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk(PlannedRequest):
    """A request on record, number `number` of the run, counted from 0; `staging` is the run's folder.

    `staged_on` says on which disk or in which store that is, None for one of a run of an earlier version.
    `part_of` is the planned request of which it has some of the rows, for one that was cut in parts. One `in_doubt` was
    refused and may have been carried out before.
    """

    id: int
    run: int
    audience: int
    number: int
    state: RequestState
    staging: str
    staged_on: str | None
    part_of: int | None
    in_doubt: bool

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", RequestState(self.state))

    @property
    def origin(self) -> int:
        """The planned request that it is, or is a part of."""
        return self.part_of or self.id

    @property
    def unsent(self) -> bool:
        """Whether it is still to be sent, for the first time or again."""
        return self.state in UNSENT
