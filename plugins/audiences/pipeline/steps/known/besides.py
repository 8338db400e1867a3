"""What is on record of an audience besides what a comparison was given: looked at only for rows that come or go."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from audiences.ledger import members, other_campaigns
from audiences.pipeline.staging import KEPT_FILE, KEPT_SHARD

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from audiences.ledger.audience_revisions import Holding
    from audiences.ledger.database import Ledger
    from audiences.pipeline.results import RunRef
    from audiences.pipeline.staging import Staging


class Besides:
    """What other campaigns hold, and, with `staging`, the campaign's own members who stay as they are; see `OthersOnRecord`."""

    def __init__(self, ledger: Ledger, run: RunRef, holding: Holding, *, staging: Staging | None = None) -> None:
        self._ledger, self._audience, self._campaign = ledger, run.audience, run.campaign
        self._staging = staging
        self.memberships, self.rows = holding.memberships, holding.rows

    @contextmanager
    def with_rows(self, identifiers: Sequence[bytes] | None) -> Iterator[pa.RecordBatchReader]:
        """The memberships with these rows; None for all."""
        if identifiers is None:
            but = self._campaign if self._staging is None else None
            with members.held(self._ledger, self._audience, but_by=but) as held:
                yield held
            return
        found = []
        if other_campaigns.holding(self._ledger, audience=self._audience, campaign=self._campaign):
            found.append(members.held_with(self._ledger, self._audience, but_by=self._campaign, rows=identifiers))
        users = self._kept_with(identifiers)
        found.append(members.held_of(self._ledger, self._audience, by=self._campaign, users=users))
        yield pa.concat_tables(found).to_reader()

    def _kept_with(self, identifiers: Sequence[bytes]) -> list[str]:
        """The members who stay as they are and may have one of these rows, by its hash."""
        if self._staging is None:
            return []
        from audiences.larger_than_memory import session

        kept = pa.RecordBatchReader.from_batches(KEPT_SHARD, self._staging.rows(KEPT_FILE))
        with tempfile.TemporaryDirectory(prefix="audiences-") as spill, session(Path(spill)) as database:
            database.register("kept", kept)
            database.register("given", pa.table({"identifiers": pa.array(identifiers, pa.binary())}))
            found = database.execute(
                "select user_id from kept where row_hash in (select hash(identifiers) from given)"
            ).fetchall()
        return [user for (user,) in found]
