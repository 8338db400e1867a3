"""What a run is about to do to people, in figures: what is shown to whoever has to approve it."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pyarrow as pa

from audiences.campaign.wording import counted
from audiences.pipeline.results import Reference, RunRef, Selected
from audiences.pipeline.staging import HELD_OUT, Staging, held_out_file
from audiences.who.outcome_words import MEMBERS_FIRST, outcome_words
from audiences.who.outcomes import Outcomes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audiences.campaign.what import Action
    from audiences.what.changes import Counts
    from audiences.what.difference import Difference


class Figures(Reference):
    """Counts of users: `outcomes` as they would be, and who would come and go. `to_control` of those who go are held out now.

    `add_rows` and `remove_rows` are rows to send; with `full_refresh` the whole set is sent in place of the difference.
    """

    outcomes: dict[str, int]
    comes: int
    goes: int
    to_control: int
    add_rows: int
    remove_rows: int
    full_refresh: bool = False

    def shown(self, digest: str) -> str:
        """What stands for these figures of that version of the campaign: another figure gives another text."""
        text = json.dumps([digest, self.model_dump(mode="json")], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def difference(self, action: Action) -> str:
        """Who comes and goes, in one clause: `+1,204 −310 people; 41 of them move to a control group`."""
        if action == "remove_matching":
            return f"{counted(self.comes, 'user')} to be taken out"
        moved = f"; {self.to_control:,} of those who leave move to a control group" if self.to_control else ""
        return f"+{self.comes:,} \N{MINUS SIGN}{self.goes:,} people{moved}"


def figures_of(
    run: RunRef, selected: Sequence[Selected], difference: Difference, counts: Counts, decided: dict[str, int]
) -> Figures:
    """The figures of a computed difference; `decided` are the outcomes before the upload."""
    held_out = Staging(run.staging).rows(*(held_out_file(part.number) for part in selected))
    outcomes = Outcomes(
        **{**decided, "kept": decided["kept"] + counts.rekeyed},
        added=counts.begun - counts.rekeyed - counts.quarantined,
        failed=counts.quarantined,
        removed=counts.gone,
    )
    outcomes.check()
    return Figures(
        outcomes=outcomes.as_dict(),
        comes=outcomes.added,
        goes=counts.gone,
        to_control=difference.moved_to_control(pa.RecordBatchReader.from_batches(HELD_OUT, held_out)),
        add_rows=counts.add,
        remove_rows=counts.remove,
        full_refresh=run.full_refresh,
    )


def table(outcomes: dict[str, int], action: Action) -> list[str]:
    """Outcome counts as a table in Markdown, members first; those of nobody are left out."""
    names = (*MEMBERS_FIRST, *(name for name in outcomes if name not in MEMBERS_FIRST))
    rows = [
        f"| {outcome_words(name, action=action)} | {outcomes[name]:,} |"
        for name in names
        if outcomes[name] or name in ("targeted", "qualified")
    ]
    return ["| users | |", "|---|---:|", *rows]
