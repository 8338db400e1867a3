"""A whole set that has waited, without whoever has opted out since it was planned: staged and put on record anew.

Between plan and upload a full refresh may wait for hours, as additions do, and it sends anew whom any campaign holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from audiences.errors import FailedError
from audiences.facebook.contract import MAX_ROWS
from audiences.ledger import chunks, replace_sessions
from audiences.pipeline.staging import CLOSING_FILE, Staging, change_file
from audiences.pipeline.upload.opted_out_meanwhile import note_left_out, opted_out_meanwhile
from audiences.pipeline.upload.replace_session import ids
from audiences.pipeline.upload.requests import requests_of
from audiences.what.changes import CHANGES, numbered, placed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audiences.ledger.replace_sessions import ReplaceSession
    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.results import RunRef


@dataclass(eq=False)
class NobodyLeftError(FailedError):
    """Everybody in a whole set has opted out since it was planned."""

    campaign: str

    def __str__(self) -> str:
        return (
            f"everybody in the whole set of `{self.campaign}` has opted out since it was planned, and Facebook takes no empty "
            "set. Nothing was sent; the next run takes out who is in the audience"
        )


def without_opted_out(resources: CampaignResources, run: RunRef, session: ReplaceSession) -> ReplaceSession:
    """The session of which nothing was sent yet, or another one in its place where somebody in it has opted out meanwhile.

    Raises NobodyLeftError, and what `opted_out_meanwhile` raises.
    """
    ledger = resources.ledger
    planned = chunks.of_session(ledger, session.id)
    users = opted_out_meanwhile(resources, run, planned)
    if not users:
        return session
    staged = _Staged(Staging(session.staging), users, run.campaign)
    file, rows = staged.lasting(planned[0].file)
    if not rows:
        raise NobodyLeftError(campaign=resources.spec.id)
    closing = staged.closing(session.closing)
    with ledger.sql.transaction():
        note_left_out(ledger, run.run, len(staged.kept))
        return replace_sessions.again(
            ledger,
            session,
            id_of=ids(run.facebook_id, session.staging),
            planned=requests_of(file, rows),
            closing=closing,
        )


class _Staged:
    """Writes the files of a whole set anew, without these users; `kept` are those of the campaign who were to stay in."""

    def __init__(self, staging: Staging, users: frozenset[str], campaign: int) -> None:
        self._staging, self._campaign = staging, campaign
        self._users = pa.array(sorted(users))
        self._ending: list[pa.RecordBatch] = []
        self._gone: set[str] = set()
        self.kept: set[str] = set()

    def lasting(self, file: str) -> tuple[str, int]:
        """Write the memberships that last or begin; gives the name of the new file, and how many different rows it has."""
        name, rows = self._staging.unused(change_file("replace")), 0
        with self._staging.writer(name, CHANGES) as writer:
            for batch in numbered(self._staying(file), {}):
                writer.write_batch(batch, row_group_size=MAX_ROWS)
                rows = batch.column("position")[-1].as_py() + 1
        return name, rows

    def _staying(self, file: str) -> Iterator[pa.RecordBatch]:
        for batch in self._staging.rows(file):
            leaves = pc.is_in(batch.column("user_id"), self._users)
            leaving = batch.filter(pc.and_not(leaves, batch.column("begins")))
            if len(leaving):
                self._ending.append(leaving)
                ours = leaving.filter(pc.equal(leaving.column("campaign_id"), self._campaign))
                self.kept.update(ours.column("user_id").to_pylist())
            yield batch.filter(pc.invert(leaves))

    def closing(self, file: str) -> str:
        """Write the memberships that end with the session, now those of the users as well; gives the name of the new file."""
        name, place = self._staging.unused(CLOSING_FILE), CHANGES.get_field_index("gone")
        with self._staging.writer(name, CHANGES) as writer:
            for batch in self._staging.rows(file):
                writer.write_batch(batch)
            for batch in self._ending:
                ended = placed(batch, None, {"action": "none", "begins": False})
                writer.write_batch(ended.set_column(place, CHANGES.field(place), self._counted(ended)))
        return name

    def _counted(self, ended: pa.RecordBatch) -> pa.Array:
        """Each user is gone once, whoever held them, and under whatever."""
        first: list[bool] = []
        for user in ended.column("user_id").to_pylist():
            first.append(user not in self._gone)
            self._gone.add(user)
        return pa.array(first, pa.bool_())
