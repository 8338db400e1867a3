"""Control groups: who is held out, as a pure function of a salt and the user's id.

A user's bucket is the first 15 hex digits of sha256("<salt>:<user_id>") as a number; held out is who falls below the
group's percentage of 16^15. The salt differs per group, so that campaigns do not all hold out the same people.
"""

from __future__ import annotations

import math
from enum import IntEnum
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from audiences.who.salted_digests import starts_below, strings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from audiences.campaign.spec import CampaignSpec
    from audiences.who.salted_digests import Ids

_DIGITS = 15  # 60 bits, which a Postgres bigint holds without a sign
_BUCKETS = 16**_DIGITS


class Arm(IntEnum):
    """The arm of a campaign to which a user is assigned: target, or the control group that holds the user out.

    Of several control groups the first that holds a user wins, in this order.
    """

    TARGET = 0
    SYSTEM = 1
    CUSTOM = 2
    CAMPAIGN = 3

    @property
    def outcome(self) -> str:
        """The outcome of the run for a user of this arm."""
        return "targeted" if self is Arm.TARGET else f"control_{self.word}"

    @property
    def word(self) -> str:
        """As it stands in the ledger and in reports."""
        return self.name.lower()


def assign(
    user_ids: Ids,
    spec: CampaignSpec,
    recorded: pa.Table | None = None,
    *,
    salt: str | None = None,
    spared: pa.Array | None = None,
) -> pa.Array:
    """The `Arm` of each user, as int8. `salt` is that of the campaign, its id unless it was renamed.

    `recorded` holds earlier assignments (`user_id` text, `arm` int8), which win over the formula; `spared` says of each user
    whether they are under `never_hold_out`, who are targets whatever is on record.
    """
    ids = strings(user_ids)
    groups = np.full(len(ids), Arm.TARGET, dtype=np.int8)
    for group, drawn_by, percent in reversed([each for each in _groups(spec, salt or spec.id) if each[2]]):
        groups[_to_numpy(held_out(ids, drawn_by, percent))] = group
    if recorded is not None and recorded.num_rows:
        place = pc.index_in(ids, value_set=recorded.column("user_id").cast(pa.string()).combine_chunks())
        known = recorded.column("arm").take(place).combine_chunks()
        groups = np.where(_to_numpy(known.is_valid()), known.fill_null(0).to_numpy(), groups).astype(np.int8)
    if spared is not None:
        groups[_to_numpy(spared)] = Arm.TARGET
    return pa.array(groups)


def held_out(user_ids: Ids, salt: str, percent: Decimal) -> pa.Array:
    """Whether the group with this salt and percentage holds each user."""
    return starts_below(user_ids, salt, f"{_bound(percent):0{_DIGITS}x}")


def _groups(spec: CampaignSpec, salt: str) -> Iterator[tuple[Arm, str, Decimal]]:
    """The control groups that apply to a campaign, with salt and percentage, the first to win first."""
    own, shared = spec.campaign.who.control_group, spec.control_groups
    if own.system and shared.system is not None:
        yield Arm.SYSTEM, "system", shared.system.percent
    if own.custom is not None:
        yield Arm.CUSTOM, own.custom, shared.custom[own.custom].percent
    yield Arm.CAMPAIGN, own.salt or salt, own.percent


def _bound(percent: Decimal) -> int:
    """The first bucket that is not held out: a bucket is below the exact fraction if it is below its ceiling."""
    bound: Fraction = Fraction(percent) / 100 * _BUCKETS
    return math.ceil(bound)


def _to_numpy(truth: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    array: np.ndarray[tuple[int], np.dtype[np.bool_]] = truth.to_numpy(zero_copy_only=False)
    return array
