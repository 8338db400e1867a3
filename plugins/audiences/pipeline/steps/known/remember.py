"""Remember for the next run what this one has found of its users, once all that it planned is done."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from audiences.ledger import audience_revisions, snapshots

if TYPE_CHECKING:
    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.results import Plan, RunRef


def put_on_record(resources: CampaignResources, run: RunRef, planned: Plan) -> None:
    """Put on record what was staged, once all that was planned is done; unless others have changed the audience."""
    remembered, ledger = planned.remembered, resources.ledger
    if remembered is None or planned.revision is None:
        return
    revision = audience_revisions.only_by(ledger, run.audience, run=run.run, since=planned.revision)
    from audiences.pipeline.staging import (  # a run in which nothing changed needs no Arrow to be closed
        SNAPSHOT_FILES,
        Staging,
    )

    staging = Staging(run.staging)
    needed = SNAPSHOT_FILES if remembered.base is None else SNAPSHOT_FILES[1:]
    if revision is None or not all(map(staging.exists, needed)):
        return
    with ExitStack() as opened:
        *base, changes = (opened.enter_context(staging.reading(name)) for name in needed)
        if base:
            snapshots.save(
                ledger,
                base[0],
                changes,
                campaign=run.campaign,
                audience=run.audience,
                scope=bytes.fromhex(remembered.terms),
                revision=revision,
                users=remembered.users,
            )
        else:
            snapshots.save_changes(
                ledger,
                changes,
                campaign=run.campaign,
                base_digest=bytes.fromhex(remembered.base or ""),
                revision=revision,
                users=remembered.users,
            )
