"""Everything the sandbox remembers, with the clock it lives by, and the world it starts with."""

from __future__ import annotations

import time
from itertools import count as counting
from typing import TYPE_CHECKING

from audiences.sandbox import fixtures
from audiences.sandbox.faults import Faults
from audiences.sandbox.history import History
from audiences.sandbox.member_sets import Groups, MemberSet, MemberWrite
from audiences.sandbox.objects import (
    AccessToken,
    Account,
    AdCampaign,
    AdSet,
    CustomAudience,
    SandboxSession,
    ServerSettings,
)
from audiences.sandbox.quotas import Quotas
from audiences.sandbox.request_log import RequestLog

if TYPE_CHECKING:
    from collections.abc import Callable

_SIZES_KEPT = 300


class Clock:
    """The system's time plus an offset that the admin API moves, so that ninety minutes pass in no time."""

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self.offset = 0.0

    def now(self) -> float:
        return self._source() + self.offset


class World:
    """The state of one sandbox. Not thread-safe: one event loop owns it."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        # Ids go on across resets and restarts, so that an id from before never means another object.
        self._numbers = counting(time.time_ns() // 1_000_000)
        # Which world this is; a request that began in an earlier one must not touch it.
        self.generation = 0
        self.reset()

    def reset(self) -> None:
        """Back to the world that a fresh sandbox has."""
        self.generation += 1
        self.clock.offset = 0.0
        self.settings = ServerSettings()
        now = self.clock.now()
        self.tokens: dict[str, AccessToken] = {token.token: token for token in fixtures.tokens(now)}
        self.accounts: dict[str, Account] = {account.id: account for account in fixtures.accounts(now)}
        self.campaigns: dict[str, AdCampaign] = {campaign.id: campaign for campaign in fixtures.campaigns(now)}
        self.ad_sets: dict[str, AdSet] = {ad_set.id: ad_set for ad_set in fixtures.ad_sets(now)}
        self.audiences: dict[str, CustomAudience] = {audience.id: audience for audience in fixtures.audiences(now)}
        self.sessions: dict[tuple[str, str], SandboxSession] = {}
        self.members: dict[str, MemberSet] = {}
        self.history = History()
        self.log = RequestLog()
        self.faults = Faults()
        self.usage = Quotas()
        self.journal = [MemberWrite("clear", "")]

    def new_id(self, prefix: str) -> str:
        return f"{prefix}{next(self._numbers)}"

    def sessions_of(self, audience: CustomAudience) -> list[SandboxSession]:
        return [session for session in self.sessions.values() if session.audience == audience.id]

    def open_replace(self, audience: CustomAudience) -> SandboxSession | None:
        return next((s for s in self.sessions_of(audience) if s.kind == "replace" and s.closed_at is None), None)

    def member_set(self, key: str) -> MemberSet:
        return self.members.setdefault(key, MemberSet())

    def add_members(self, audience: CustomAudience, rows: Groups) -> None:
        added = self.member_set(audience.id).add(rows)
        self.journal.append(MemberWrite("add", audience.id, added))
        self._changed(audience, "add", added=added, removed={})

    def remove_members(self, audience: CustomAudience, rows: Groups) -> None:
        removed = self.member_set(audience.id).remove(rows)
        self.journal.append(MemberWrite("remove", audience.id, removed))
        self._changed(audience, "remove", added={}, removed=removed)

    def add_pending(self, session: SandboxSession, rows: Groups) -> None:
        """Keep what a replace session has received; readers of the audience do not see it yet."""
        self.journal.append(MemberWrite("add", session.pending_key, self.member_set(session.pending_key).add(rows)))

    def adopt_pending(self, audience: CustomAudience, session: SandboxSession) -> None:
        """What the session has received becomes the audience."""
        before, after = self.member_set(audience.id), self.members.pop(session.pending_key, MemberSet())
        self.members[audience.id] = after
        self.journal.append(MemberWrite("move", session.pending_key, target=audience.id))
        added, removed = after.minus(before.groups), before.minus(after.groups)
        self._changed(audience, "replace", added=added, removed=removed, at=session.closed_at)

    def content_time(self, audience: CustomAudience) -> float:
        """When the members last changed, as a reader is told: at once, or, by a setting, when the upload has been processed."""
        if self.settings.content_time == "answered":
            return audience.content_updated_at
        processed = self.clock.now() >= audience.ready_at
        return audience.ready_at if processed else audience.content_time_before

    def forget_members(self, key: str) -> None:
        self.members.pop(key, None)
        self.journal.append(MemberWrite("forget", key))

    def _changed(
        self, audience: CustomAudience, action: str, *, added: Groups, removed: Groups, at: float | None = None
    ) -> None:
        now = self.clock.now() if at is None else at
        change = self.history.note(
            audience.id, at=now, request=self.log.last, action=action, added=added, removed=removed
        )
        self.log.counters["rows_added"] += change.added
        self.log.counters["rows_removed"] += change.removed
        audience.content_time_before = self.content_time(audience)
        audience.content_updated_at = audience.updated_at = now
        audience.ready_at = now + self.settings.processing_seconds
        audience.sizes = [*audience.sizes, (now, len(self.member_set(audience.id)))][-_SIZES_KEPT:]
