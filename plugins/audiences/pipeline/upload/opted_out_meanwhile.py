"""Who has opted out since a run found its users, of those whom it is about to upload.

Between plan and upload a run may wait for hours: until an export window opens, for Facebook's limits, after an outage.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from audiences.campaign.wording import counted
from audiences.ledger import erasures, runs
from audiences.pipeline.preconditions.as_of import ON_TIME
from audiences.pipeline.results import LEFT_OUT
from audiences.pipeline.upload.request_body import staged
from audiences.what.erased import Erased

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audiences.ledger.chunk_states import Chunk
    from audiences.ledger.database import Ledger
    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.results import RunRef


def opted_out_meanwhile(resources: CampaignResources, run: RunRef, todo: Sequence[Chunk]) -> frozenset[str]:
    """Users of these requests who have opted out, where they are uploaded and the run does not count as now any more (ON_TIME).

    The run is warned of them. Raises what `opted_out_among` raises.
    """
    if resources.now() - run.at <= ON_TIME:
        return frozenset()
    found = opted_out_among(resources, todo)
    if found:
        warning = f"{counted(len(found), 'user')} opted out after the run had found them: not uploaded"
        runs.warn(resources.ledger, run.run, [warning])
    return found


def opted_out_among(resources: CampaignResources, requests: Sequence[Chunk]) -> frozenset[str]:
    """The users whom these requests upload and who have opted out by now.

    Raises WarehouseTransientError, WarehouseClosedError and WarehouseQueryError.
    """
    uploads = [chunk for chunk in requests if chunk.action != "remove"]
    if not uploads or not resources.spec.catalog.users.opt_out:
        return frozenset()
    from audiences.query.render import render  # few runs wait that long; SQLAlchemy is not imported by the others
    from audiences.who.compile import opted_out

    erased = Erased(*erasures.known(resources.ledger))
    found: set[str] = set()
    with resources.warehouse() as warehouse:
        for chunk in uploads:
            users = staged(chunk, erased).column("user_id").unique().to_pylist()
            for batch in warehouse.stream(render(opted_out(resources.spec.catalog, users))):
                found.update(batch.column("user_id").to_pylist())
    return frozenset(found)


def without_users(changes: pa.Table, users: frozenset[str]) -> pa.Table:
    """The changes that concern none of these users."""
    if not users:
        return changes
    return changes.filter(pc.invert(pc.is_in(changes.column("user_id"), pa.array(sorted(users)))))


def note_left_out(ledger: Ledger, run: int, members: int) -> None:
    """Count members whom a whole set of the run was to keep, and left out since they have opted out; for the outcomes."""
    before = runs.noted(ledger, run).planned.get(LEFT_OUT, 0)
    runs.counted(ledger, run, {LEFT_OUT: before + members})
