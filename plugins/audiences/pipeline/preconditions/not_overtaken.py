"""A run that another one of its campaign has overtaken sends nothing more: it found its users before that one did.

Airflow has one run of a campaign at a time. The command line, a run that was cleared, or a worker that was given up for dead and
goes on may come in between all the same: between two tasks, but not into one. What a task has on its way to Facebook would else
arrive after the other run has taken the same people out, unknown to the ledger, and nobody would take them out again.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audiences.errors import FailedError
from audiences.ledger import runs
from audiences.ledger.campaigns import locked
from audiences.pipeline.preconditions.as_of import ON_TIME

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

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
            "since. What this run had not sent by then is not sent; the other one, or the next, sends what holds now"
        )


@dataclass(eq=False)
class EndedBeforeError(FailedError):
    """A task of a run that had ended was cleared without the first one, so that it would go on with what held then."""

    run: int
    ended: datetime

    def __str__(self) -> str:
        return (
            f"only some tasks of run {self.run} were cleared, which ended on {self.ended:%a %d %b %Y at %H:%M %Z}, and what they "
            "were to send was found before that; nothing was sent. Clear the whole run: then it is run as of now"
        )


def ensure_not_overtaken(resources: CampaignResources, run: RunRef) -> None:
    """Raise OvertakenError for a run since which another one of its campaign has begun."""
    if runs.is_overtaken(resources.ledger, run.run):
        raise OvertakenError(campaign=resources.spec.id, run=run.run)


@contextmanager
def beside_tasks_of_the_run(resources: CampaignResources, run: RunRef) -> Iterator[None]:
    """Keep other runs of the campaign from beginning while a task of this one does its work, as others of it may meanwhile.

    Raises OvertakenError where one has begun, CampaignBusyError while another process has the campaign for itself, and
    EndedBeforeError where the run itself had ended: Airflow clears failed tasks alone, if told to, without the first one.
    """
    ensure_not_overtaken(resources, run)  # not worth waiting for the other one
    with locked(resources.ledger, run.campaign, resources.spec.id, shared=True):
        ensure_not_overtaken(resources, run)
        if ended := runs.ended_before(resources.ledger, run.run, ON_TIME):
            raise EndedBeforeError(run=run.run, ended=ended)
        yield
