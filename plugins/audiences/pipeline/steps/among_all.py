"""Whether a user whom the rules would target is, beside all others: a cap may be used up, or the user's time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pyarrow as pa
import pyarrow.compute as pc

from audiences.pipeline.steps.compare import compared
from audiences.pipeline.steps.rehearsed import rehearsed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.results import RunRef


def outcome_among_all(
    resources: CampaignResources, run: RunRef, user: str, *, only: Sequence[str] | None
) -> Literal["targeted", "expired", "over_cap"]:
    """The outcome of a candidate, as a run at `run.at` plans it, for `only` these users or, without, for all."""
    with (
        rehearsed(resources, run.at, users=only) as (rehearsal, _, selected),
        compared(resources, rehearsal, selected, now=run.at) as (difference, _),
    ):
        if difference.wants(user):
            return "targeted"
        up = pc.is_in(pa.scalar(user), difference.expired_users(among_candidates=True).column("user_id"))
        return "expired" if up.as_py() else "over_cap"
