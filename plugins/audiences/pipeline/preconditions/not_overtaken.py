"""A run that another one of its campaign has overtaken sends nothing more: it found its users before that one did.

Airflow has one run of a campaign at a time. The command line, a run that was cleared, or a worker that was given up for dead and
goes on may come in between all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audiences.errors import FailedError
from audiences.ledger import runs

if TYPE_CHECKING:
    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.results import RunRef


@dataclass(eq=False)
class OvertakenError(FailedError):
    """Another run of the campaign has begun since this one did, and knows better who is wanted."""

    campaign: str
    run: int

    def __str__(self) -> str:
        return (
            f"another run of `{self.campaign}` has begun since run {self.run} found its users, who may have opted out or left "
            "since. What this run found was not sent; the other one, or the next, sends what holds now"
        )


def ensure_not_overtaken(resources: CampaignResources, run: RunRef) -> None:
    """Raise OvertakenError for a run that was given up when another one of its campaign began."""
    if runs.is_abandoned(resources.ledger, run.run):
        raise OvertakenError(campaign=resources.spec.id, run=run.run)
