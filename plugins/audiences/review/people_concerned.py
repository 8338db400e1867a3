"""Whom a change of a campaign concerns: both versions rehearsed on the warehouse as of one moment, and compared user by user."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from audiences.pipeline.live.rehearse import rehearsal_of
from audiences.pipeline.staging import HELD_OUT, Staging, held_out_file
from audiences.pipeline.steps.compare import compared
from audiences.pipeline.steps.plan import outcomes_before_upload
from audiences.pipeline.steps.rehearsed import rehearsed
from audiences.user_ids import USERS
from audiences.what.moves import moves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from audiences.campaign.spec import CampaignSpec
    from audiences.pipeline.resources import CampaignResources

_WANTED = "wanted.parquet"


@dataclass(frozen=True, slots=True)
class PeopleChange:
    """Counts by outcome before and after, None for a side that is not there; and who comes, goes, and moves to a control group.

    Who comes and goes are targets: those of a version that does not send, a draft say, count as nobody, unless neither sends.
    None where the old file was wrong, so that nobody knows.
    """

    before: dict[str, int] | None
    after: dict[str, int] | None
    comes: int | None
    goes: int | None
    to_control: int | None


@dataclass(frozen=True, slots=True)
class _Side:
    """A rehearsed version: its outcomes, and the folder with its targets and those held out, in so many files."""

    outcomes: dict[str, int]
    wanted: Staging
    held_out: tuple[str, ...]


def people_of(
    before: CampaignSpec | None,
    after: CampaignSpec | None,
    at: datetime,
    open_resources: Callable[[CampaignSpec], CampaignResources],
    *,
    was_wrong: bool = False,
) -> PeopleChange:
    """Rehearse, and compare unless the old file was wrong.

    Raises what the warehouse and the ledger raise, ConnectionMissingError among it.
    """
    sends = [spec is not None and spec.campaign.status == "published" for spec in (before, after)]
    either = any(sends)
    with ExitStack() as sides, tempfile.TemporaryDirectory(prefix="audiences-") as spill:
        old, new = (
            sides.enter_context(_rehearsed(spec, at, open_resources)) if spec else None for spec in (before, after)
        )
        found = moves(
            before=_wanted(old if sends[0] or not either else None),
            after=_wanted(new if sends[1] or not either else None),
            held_out=pa.RecordBatchReader.from_batches(HELD_OUT, new.wanted.rows(*new.held_out) if new else ()),
            spill=Path(spill),
        )
    return PeopleChange(
        before=old.outcomes if old else None,
        after=new.outcomes if new else None,
        comes=None if was_wrong else found.comes,
        goes=None if was_wrong else found.goes,
        to_control=None if was_wrong else found.to_control,
    )


def _wanted(side: _Side | None) -> pa.RecordBatchReader:
    return pa.RecordBatchReader.from_batches(USERS, side.wanted.rows(_WANTED) if side else ())


@contextmanager
def _rehearsed(
    spec: CampaignSpec, at: datetime, open_resources: Callable[[CampaignSpec], CampaignResources]
) -> Iterator[_Side]:
    with open_resources(spec) as resources:
        entering = rehearsal_of(resources, at)
        with rehearsed(resources, at, users=entering.users if entering else None) as (run, _, selected):
            staging = Staging(run.staging)
            with compared(resources, run, selected, now=at) as (difference, counts):
                outcomes = outcomes_before_upload(selected, counts)
                with staging.writer(_WANTED, USERS) as writer:
                    for batch in difference.wanted():
                        writer.write_batch(batch)
            told = {name: count for name, count in outcomes.items() if name != "kept"}
            yield _Side(told, staging, tuple(held_out_file(part.number) for part in selected))
