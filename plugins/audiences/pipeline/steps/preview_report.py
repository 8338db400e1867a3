"""What a preview reports, as `audiences preview --json` prints it: what a run would do, and no part of one. All of it is JSON."""

from __future__ import annotations

from pydantic import AwareDatetime, Field

from audiences.campaign.what import Action  # noqa: TC001  # pydantic reads annotations at run time
from audiences.campaign.wording import counted
from audiences.pipeline.results import Reference, Rejected
from audiences.who.outcome_words import in_words


class Changes(Reference):
    """Rows to send."""

    add: int
    remove: int


class SampleUser(Reference):
    """A user who would be targeted; of each identifier only the first digits of its hash."""

    user: str
    identifiers: dict[str, str]


class Preview(Reference):
    """What a run would do, as `audiences preview --json` prints it. `stopped` says what would stop it: a guard, the audience.

    `rekeyed` of the kept have other identifiers than those under which they are in.
    `quota_percent`: the share of the ad account's hourly quota that the requests use up, by the app's access tier.
    `events`: of a live campaign, what the events of the last 24 hours would have come to; the outcomes are of their users.
    `unmatched`: sentences on events and values that the campaign names and nobody has. `warnings`: on what a person should look
    at before.
    """

    campaign: str
    at: AwareDatetime
    outcomes: dict[str, int]
    rekeyed: int = 0
    changes: Changes
    requests: int
    quota_percent: dict[str, float]
    audience: str | None
    stopped: str | None
    rejected: Rejected
    samples: tuple[SampleUser, ...] = ()
    action: Action = "mirror"
    next_runs: tuple[AwareDatetime, ...] = ()
    ad_sets: tuple[str, ...] = ()
    events: dict[str, int] = Field(default_factory=dict)
    unmatched: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def would_be(self) -> str | None:
        """What `stopped` says, to follow `would be`."""
        if self.stopped is None or self.stopped.startswith("stopped"):
            return self.stopped
        return f"stopped: {self.stopped}"

    def in_words(self) -> str:
        """One line for a note."""
        said = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in self.events.items())
        words = (
            f"preview: {f'events: {said}; ' if said else ''}{in_words(self.outcomes, rekeyed=self.rekeyed, action=self.action)}; "
            f"would add {counted(self.changes.add, 'row')}, remove {self.changes.remove:,}"
        )
        stopped = (f"would be {self.would_be}",) if self.stopped else ()
        said_already = [each for each in self.unmatched if not self.stopped or each not in self.stopped]
        return "; ".join((words, *stopped, *said_already, *self.warnings, *self.ad_sets))
