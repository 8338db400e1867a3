"""Who has opted out by now, whether or not the run found them.

It is read where a run has waited for an answer, since a question may stand for days, and for a full refresh, which sends anew
members whom the run need not have found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiences.pipeline.staging import OPTED_OUT_SINCE_FILE, Staging
from audiences.query.render import render
from audiences.user_ids import USERS
from audiences.who.compile import opted_out

if TYPE_CHECKING:
    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.results import RunRef


def opted_out_by_now(resources: CampaignResources, run: RunRef) -> tuple[str, ...]:
    """Stage the users of the warehouse who have opted out, and give the names of the files; none where no one can opt out.

    Raises WarehouseTransientError, WarehouseClosedError and WarehouseQueryError.
    """
    catalog = resources.spec.catalog
    if not catalog.users.opt_out:
        return ()
    with (
        resources.warehouse() as warehouse,
        Staging(run.staging).writer(OPTED_OUT_SINCE_FILE, USERS) as staged,
    ):
        for batch in warehouse.stream(render(opted_out(catalog))):
            staged.write_batch(batch.cast(USERS))
    return (OPTED_OUT_SINCE_FILE,)
