"""The query that finds whom a run is about: as the extraction sends it, and as `preview --sql` prints it.

It hangs on what the warehouse is asked first about its columns. Whether it is asked is decided here alone, so that no query is
shown that is not the one that runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audiences.query.column_types import UNKNOWN
from audiences.query.render import render
from audiences.warehouse.known_types import known_types
from audiences.who.compile import qualified

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from audiences.campaign.spec import CampaignSpec
    from audiences.warehouse.reader import Warehouse


@dataclass(frozen=True, slots=True)
class UsersQuery:
    """The query's `text`, and whether its answer has the users' ids as `numbers` instead of texts."""

    text: str
    numbers: bool


def users_query(
    warehouse: Warehouse,
    spec: CampaignSpec,
    at: datetime,
    *,
    users: Sequence[str] | None = None,
    secret: bytes | None = None,
    identifiers: bool = True,
) -> UsersQuery:
    """The query for the campaign's users at `at`, to be sent before the `warehouse` is closed; arguments as of `qualified`."""
    # Of a few users, as the runs of live campaigns are about, the question for the types would take longer than it saves.
    few = users is not None or spec.campaign.qualification == "live"
    types = UNKNOWN if few else known_types(warehouse, spec)
    query = qualified(spec, at, users=users, secret=secret, identifiers=identifiers, types=types)
    return UsersQuery(render(query), numbers=types.whole_key and not identifiers)
