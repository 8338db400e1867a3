"""Reads what came in for a group of campaigns by one query, and puts it on record.

Where the query fails, each campaign of the group is read by itself, and only the culprits are left out.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from audiences.ledger import erasures, live_campaigns, live_events
from audiences.logs import logger
from audiences.pipeline.live.watermarks import Horizon
from audiences.query.event_users import EventUsers, event_users, having_keys
from audiences.query.key import PATTERN, KeyIsIdentifierError, ensure_key
from audiences.query.render import render
from audiences.warehouse.reader import WarehouseQueryError, WarehouseTransientError
from audiences.what.erased import Erased
from audiences.when.live.arrivals import EventKind, arrivals, horizon

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from audiences.campaign.catalog import Catalog
    from audiences.errors import AudiencesError
    from audiences.pipeline.live.polled import Polled
    from audiences.pipeline.live.watermarks import Watched
    from audiences.pipeline.resources import Resources
    from audiences.warehouse.reader import Warehouse
    from audiences.when.live.watch import Watch

_log = logger(__name__)
_CANCELLED = "57014"  # SQLSTATE: the statement took longer than its timeout
_MOST_SLOW = 2
"""So many campaigns may be found too slow in one poll, or it takes minutes; the next reads the rest of their group."""


class Reading:
    """A poll of the warehouse for live events, and what came of it so far."""

    def __init__(self, resources: Resources, watch: Watch, polled: Polled) -> None:
        self._resources = resources
        self._watch = watch
        self._polled = polled
        self._slow = 0

    def group(self, group: Sequence[Watched]) -> None:
        """Read for campaigns; those whose filters the warehouse refuses, or takes too long for, are left out."""
        try:
            with self._resources.warehouse() as warehouse:
                self._read(warehouse, group)
        except KeyIsIdentifierError as error:  # of the one catalog that they all share
            leave_out(self._resources, group, error, self._polled)
        except (WarehouseQueryError, WarehouseTransientError) as error:
            raise_unless_ours(error)
            if len(group) == 1:
                self._slow += error.sqlstate == _CANCELLED
                leave_out(self._resources, group, error, self._polled)
                return
            for each in group:
                if self._slow < _MOST_SLOW:
                    self.group([each])

    def _read(self, warehouse: Warehouse, group: Sequence[Watched]) -> None:
        at = self._polled.at
        found, users = _read_horizon_and_users(warehouse, self._watch.catalog)
        kinds, wanting = _kinds(group)
        start = min(each.start(at) for each in group)
        table = warehouse.table(render(arrivals(kinds, self._watch.catalog, start, at, users=users)))
        rows = self._of_those_left(self._of_keys(warehouse, table, users).to_pylist())
        read = {each.number: each.after_reading(at, found) for each in group}
        seen = {
            (each.number, row["event_id"]): self._seen(each, row)
            for row in rows
            for kind in row["kinds"]
            for each in wanting[kind]
            if row["arrived_at"] >= read[each.number].since
        }
        new = live_campaigns.see(self._resources.ledger, list(seen.values()), list(read.values()), at=at)
        self._polled.new += len(new)
        self._polled.late += sum(event.late for event in new)

    def _of_keys(self, warehouse: Warehouse, found: pa.Table, users: EventUsers) -> pa.Table:
        """The events without those whose user is an address or a phone number and nobody's key: they do not go on record.

        One such event, of somebody who is no customer yet, is to stop no campaign. Raises KeyIsIdentifierError where it is a key.
        """
        if not found.num_rows:
            return found
        named = found.column("user_id").cast(pa.string())
        personal = pc.match_substring_regex(named, PATTERN)
        if not pc.any(personal).as_py():
            return found
        if users.of_text:
            asked = named.filter(personal).unique().to_pylist()
            keys = warehouse.table(render(having_keys(self._watch.catalog, asked)))
            if keys.num_rows:
                ensure_key(self._watch.catalog.users, keys.column("user_id").cast(pa.string()))
        _log.warning(
            "%s events name their user by an e-mail address or a phone number: left out", pc.sum(personal).as_py()
        )
        return found.filter(pc.invert(personal))

    def _of_those_left(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Events of people who were erased do not go on record: the ledger knows nobody of them."""
        erased = Erased(*erasures.known(self._resources.ledger)) if rows else None
        return [row for row in rows if erased is not None and not erased.has_user(row["user_id"])]

    def _seen(self, watched: Watched, row: Mapping[str, Any]) -> live_events.SeenEvent:
        # A time in the future is some device's mistake: the event has happened by now.
        occurred_at = min(row["occurred_at"], self._polled.at)
        due_at = watched.campaign.due(occurred_at)
        return live_events.SeenEvent(
            campaign=watched.number,
            event_id=row["event_id"],
            user_id=row["user_id"],
            occurred_at=occurred_at,
            arrived_at=row["arrived_at"],
            due_at=due_at,
            late=watched.campaign.late(due_at, self._polled.at),
        )


def read_horizon(warehouse: Warehouse) -> Horizon:
    """The warehouse's time and transactions, in the snapshot in which everything else is read."""
    return _horizon(warehouse.table(render(horizon())).to_pylist()[0])


def _read_horizon_and_users(warehouse: Warehouse, catalog: Catalog) -> tuple[Horizon, EventUsers]:
    """The same, and how users are written, by one query: there is one every two seconds."""
    both = horizon().add_columns(*event_users(catalog).selected_columns)
    row = warehouse.table(render(both)).to_pylist()[0]
    return _horizon(row), EventUsers(**{each.name: row[each.name] for each in fields(EventUsers)})


def _horizon(row: Mapping[str, Any]) -> Horizon:
    delay = row["now"] - row["replayed"] if row["replayed"] else timedelta()
    return Horizon(row["now"], row["open"], row["next"], max(delay, timedelta()))


def raise_unless_ours(error: WarehouseQueryError | WarehouseTransientError) -> None:
    """Raise a fault of the warehouse as a whole: that it does not answer."""
    if isinstance(error, WarehouseTransientError):
        raise error


def leave_out(resources: Resources, group: Sequence[Watched], error: AudiencesError, polled: Polled) -> None:
    """Note why campaigns are left out; they go on later from where they are."""
    live_campaigns.note_error(resources.ledger, [each.number for each in group], str(error), at=polled.at)
    polled.errors |= {each.campaign.id: error for each in group}


def _kinds(group: Sequence[Watched]) -> tuple[list[EventKind], list[list[Watched]]]:
    """The distinct kinds of events that the campaigns react to, and for each of them the campaigns."""
    kinds: dict[str, EventKind] = {}
    wanting: dict[str, list[Watched]] = {}
    for each in group:
        for trigger in each.campaign.when.on or ():
            kind = EventKind.of(trigger, each.campaign.zone)
            kinds[kind.identity] = kind
            wanting.setdefault(kind.identity, []).append(each)
    return list(kinds.values()), list(wanting.values())
