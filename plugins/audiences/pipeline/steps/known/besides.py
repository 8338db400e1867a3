"""What is on record of an audience besides what a comparison was given: looked at only for rows that come or go."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa

from audiences.ledger import members, other_campaigns
from audiences.pipeline.steps.known.kept_users import kept_with

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
        users = kept_with(self._staging, identifiers) if self._staging else []
        found.append(members.held_of(self._ledger, self._audience, by=self._campaign, users=users))
        yield pa.concat_tables(found).to_reader()
