"""The outcome of each user of a batch, up to the control groups: property filters, opt-out, reachability, who is held out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from audiences.query.columns import columns_of
from audiences.who.control import Arm, assign
from audiences.who.filters import matches

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audiences.campaign.spec import CampaignSpec
    from audiences.pipeline.results import RunRef
    from audiences.query.columns import Columns

_CONTROL: Final = {arm.outcome: arm.word for arm in Arm if arm is not Arm.TARGET}
DECISIONS: Final = pd.CategoricalDtype(["candidate", "no_identifier", "opted_out", "filtered_out", *_CONTROL])
"""What is decided of a user, a small number for each: the outcome; `candidate` for who is targeted if the cap lets them."""
_ARMS: Final = pa.array([_CONTROL.get(name) for name in DECISIONS.categories], pa.string())


def decide(
    spec: CampaignSpec, run: RunRef, batch: pa.RecordBatch, recorded: pa.Table, erased: pa.Array
) -> pd.Series[str]:
    """What is decided of each user of a batch, as DECISIONS, in the fixed order: filters, opt-out, identifiers, control groups.

    `recorded` are earlier assignments, as `who.control.assign` takes them. `erased` says of each user whether they were; they
    count as opted out. The index is that of the batch's rows.
    """
    columns = columns_of(spec)
    decided = pd.Series(pd.Categorical.from_codes(np.zeros(len(batch), np.int8), dtype=DECISIONS))
    decided[~_reachable(batch)] = "no_identifier"
    decided[_series(batch.column(columns.opted_out))] = "opted_out"
    decided[~_passed(spec, run, batch, columns)] = "filtered_out"
    decided[_series(erased) & (decided == "candidate")] = "opted_out"
    left = pa.array(decided == "candidate")
    groups = assign(
        batch.column(columns.user_id).filter(left),
        spec,
        recorded,
        salt=run.salt,
        spared=never_held_out(spec, batch).filter(left),
    )
    assigned = np.full(len(batch), Arm.TARGET, np.int8)
    assigned[left.to_numpy(zero_copy_only=False)] = groups
    for arm in Arm:
        if arm is not Arm.TARGET:
            decided[assigned == arm] = arm.outcome
    return decided


def counts(decided: pd.Series[str]) -> Mapping[str, int]:
    """How many users there are of each decision that was made."""
    return {str(name): int(count) for name, count in decided.value_counts().items() if count}


def arms(decided: pd.Series[str]) -> pa.Array:
    """The control group that holds each user out, by its word (text); null for all others."""
    return _ARMS.take(pa.array(decided.cat.codes))


def never_held_out(spec: CampaignSpec, batch: pa.RecordBatch) -> pa.Array:
    """Whether each user is under `never_hold_out`."""
    name = columns_of(spec).never_held_out
    return batch.column(name) if name else pa.repeat(False, len(batch))


def _passed(spec: CampaignSpec, run: RunRef, batch: pa.RecordBatch, columns: Columns) -> pd.Series[bool]:
    """Whether the property filters let each user through: they have already, or by what the user is."""
    tree = spec.campaign.who.with_properties
    if "passes" in batch.schema.names:
        return _series(batch.column("passes"))
    if tree is None:
        return pd.Series(True, index=range(len(batch)))
    frame = batch.select(list(columns.properties.values())).to_pandas(types_mapper=pd.ArrowDtype)
    return matches(tree, frame, columns=columns.properties, catalog=spec.catalog, at=run.at, zone=spec.zone)


def _reachable(batch: pa.RecordBatch) -> pd.Series[bool]:
    """Whether there is a row to send; of members who are known and no targets any more there is a hash of it."""
    there = batch.column("identifiers").is_valid()
    if "row_hash" in batch.schema.names:
        there = pc.or_(there, batch.column("row_hash").is_valid())
    return _series(there)


def _series(truth: pa.Array) -> pd.Series[bool]:
    return pd.Series(truth.to_numpy(zero_copy_only=False), dtype=bool)
