"""What came of the upload requests of a run, counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audiences.ledger.chunk_states import GIVEN_UP, RequestState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audiences.ledger.chunk_states import Chunk, RequestAction
    from audiences.ledger.database import Ledger

_STATES = {state.name.lower(): state for state in RequestState}
_TOTALS = """
select
  coalesce(sum(tries), 0)::int as requests,
  coalesce(sum(begun), 0)::int as begun,
  coalesce(sum(gone), 0)::int as gone,
  count(*) filter (where state = %(refused)s and rejected = '{}')::int as refused,
  min(error) filter (where state = %(refused)s and rejected = '{}') as error,
  count(*) filter (where state in (%(planned)s, %(sending)s))::int as unsent,
  count(*) filter (where {given_up} and not late)::int as dropped,
  coalesce(sum(rows) filter (where state = %(acknowledged)s), 0)::int as taken,
  -- Within a session the count is of all requests so far.
  coalesce(sum(rows - received) filter (where state = %(acknowledged)s and session is null), 0)::int as unreceived,
  coalesce(sum(invalid) filter (where state = %(acknowledged)s), 0)::int as invalid,
  coalesce(sum(rows) filter (where state = %(postponed)s), 0)::int as postponed,
  count(*) filter (where state = %(refused)s and action = 'add') > 0
    and count(*) filter (where state not in (%(refused)s, %(split)s) and action = 'add') = 0 as nothing_added,
  coalesce((
    select jsonb_object_agg(reason, refused order by refused desc)
    from (
      select reason, sum(refused::int)::int as refused
      from audiences.chunk c, jsonb_each_text(c.rejected) as r (reason, refused)
      where c.run_id = %(run)s
      group by reason
    ) reasons
  ), '{}') as rejected
from audiences.chunk c where run_id = %(run)s
""".replace("{given_up}", GIVEN_UP)


@dataclass(frozen=True, slots=True)
class Totals:
    """Over the requests of a run: `requests` sent, tries included; users `begun` and `gone`.

    Requests `refused` as a whole, with an `error` of theirs, `unsent`, or `dropped` because another run changed the audience
    meanwhile. Rows `taken`, of which Facebook says that it received so many less (`unreceived`) and took so many for
    `invalid`; `rejected` rows by reason; rows `postponed`. `nothing_added`: of the additions only such are left that were
    refused.
    """

    requests: int
    begun: int
    gone: int
    refused: int
    error: str | None
    unsent: int
    dropped: int
    taken: int
    unreceived: int
    invalid: int
    postponed: int
    nothing_added: bool
    rejected: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ActionCounts:
    """What came of the requests of one action: those `planned`, parts not counted; `taken`, `refused` and still `unsent`.

    `only_rows`: those that were refused were refused for what their rows hold; `error`: of one of them.
    """

    planned: int
    taken: int
    refused: int
    unsent: int
    only_rows: bool
    error: str | None


@dataclass(frozen=True, slots=True)
class Parts:
    """How far a search for bad rows has got: of a planned request, parts `refused` and `taken`; of the whole run, `in_all`."""

    refused: int
    taken: int
    in_all: int


_NOTHING = Totals(0, 0, 0, 0, None, 0, 0, 0, 0, 0, 0, nothing_added=False, rejected={})


def totals(ledger: Ledger, run: int) -> Totals:
    """Over all requests of the run."""
    return ledger.row(Totals, _TOTALS, {"run": run, **_STATES}) or _NOTHING


def standing(ledger: Ledger, run: int, action: RequestAction) -> ActionCounts:
    """Over the requests of an action in the run, those aside that were given up."""
    found = ledger.row(
        ActionCounts,
        "select count(*) filter (where part_of is null)::int as planned,"
        " count(*) filter (where state in (%(acknowledged)s, %(postponed)s))::int as taken,"
        " count(*) filter (where state = %(refused)s)::int as refused,"
        " count(*) filter (where state in (%(planned)s, %(sending)s))::int as unsent,"
        " coalesce(bool_and(rejected <> '{}') filter (where state = %(refused)s), false) as only_rows,"
        " min(error) filter (where state = %(refused)s) as error"
        " from audiences.chunk where run_id = %(run)s and action = %(action)s and state <> %(dropped)s",
        {"run": run, "action": action, **_STATES},
    )
    return found or ActionCounts(0, 0, 0, 0, only_rows=False, error=None)


def parts(ledger: Ledger, chunk: Chunk) -> Parts:
    """Over the parts into which requests of the chunk's run were cut."""
    found = ledger.row(
        Parts,
        "select count(*) filter (where part_of = %(origin)s and state in (%(split)s, %(refused)s))::int as refused,"
        " count(*) filter (where part_of = %(origin)s and state = %(acknowledged)s)::int as taken,"
        " count(*)::int as in_all from audiences.chunk where run_id = %(run)s and part_of is not null",
        {"origin": chunk.origin, "run": chunk.run, **_STATES},
    )
    return found or Parts(0, 0, 0)
