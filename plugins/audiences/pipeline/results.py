"""Results that pass between the steps of a run: references and counts, never rows. All of it is JSON."""

from __future__ import annotations

from typing import Literal

from pydantic import AliasChoices, AwareDatetime, BaseModel, ConfigDict, Field

from audiences.campaign.what import Action  # noqa: TC001  # pydantic reads annotations at run time
from audiences.campaign.wording import counted
from audiences.who.outcome_words import in_words

RECREATE = "recreate"
"""Make an audience anew that was deleted at Facebook."""
DOUBT = "doubt"
"""Take the members on record for those at Facebook, although that is in doubt."""
LIFTABLE = {
    "allow_empty": "allow_empty: the query finds nobody",
    "skip_run_above": "skip_run_above: more targets than the campaign allows",
    "max_removal": "max_removal: a larger part of the audience leaves than it allows",
    "fresh_within": "fresh_within: the newest event in the warehouse is older than it allows",
    "unknown_ids": "unknown_ids: a list under include/segments/ names nobody",
    "windows": "windows: send outside the export windows",
    "status": "status: run a draft, a stopped or an ended campaign",
    "past": "past: send as of another time than now",
    RECREATE: "recreate: make the campaign's audience anew that was deleted at Facebook",
    DOUBT: "doubt: the audience holds whom it should, although others have changed it",
}
"""What a person can lift for one run, with what it means."""
LEFT_OUT = "opted_out_since"
"""Under which a run notes how many members of its campaign its whole set was to keep, who have opted out since."""
UNATTENDED = frozenset(LIFTABLE) - {RECREATE, DOUBT}
"""What stands in no way of a run that takes out members whose time, or whose campaign's time, is up."""


class Reference(BaseModel):
    """A small, frozen value that goes through JSON unchanged."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class RunRequest(Reference):
    """What is asked for: `at` is the run's as-of time, `allow` what of LIFTABLE is lifted this once.

    `full_refresh` sends the whole set in place of the difference, which heals whatever drifted. `due` is the time of the
    schedule that began the run, None for a run by hand; `woken` says that it was begun by an asset or a DAG that the campaign
    runs after; `again` that the run was begun before, and was cleared or died.
    `may_ask`: the run can wait for somebody to approve it.
    """

    external_id: str
    at: AwareDatetime
    allow: frozenset[str] = frozenset()
    full_refresh: bool = False
    due: AwareDatetime | None = None
    woken: bool = False
    again: bool = False
    may_ask: bool = False


class RunRef(Reference):
    """An opened run: the ledger's numbers of run, campaign and audience, and the folder for its rows.

    `salt` is what the campaign's control group and cap are drawn by, its first id. `in_doubt` says why it is not known whom the
    audience holds, None when it is known.
    """

    model_config = ConfigDict(extra="ignore")  # of a run that an earlier version opened, which wrote more

    run: int
    campaign: int
    salt: str
    audience: int
    facebook_id: str
    at: AwareDatetime
    staging: str
    staged_on: str | None = None
    """On which disk or in which store the folder is, as `preconditions.staged_here.home` says it."""
    allow: frozenset[str] = frozenset()
    full_refresh: bool = False
    in_doubt: str | None = None


class Shard(Reference):
    """A staged file of qualified users."""

    number: int
    rows: int


Rejected = dict[str, dict[str, int]]
"""Values that Facebook could not use: identifier → reason → count; `row` stands for whole rows that it refused."""


class KeptUsers(Reference):
    """Users who are as the last run's snapshot has them: `rows` members who stay, and users who are no targets, by their outcome.

    `revision`: that of the audience for which it has them. `unchanged`: they are all its users, and all who were found. `base`:
    the digest of its first file, in hex.
    """

    rows: int
    revision: int
    unchanged: bool
    outcomes: dict[str, int] = Field(default_factory=dict)
    base: str = ""

    @property
    def users(self) -> int:
        """All of them."""
        return self.rows + sum(self.outcomes.values())


class Extracted(Reference):
    """What the extraction found; `kept` users are in no shard. `terms`: under which it may be remembered, in hex."""

    shards: tuple[Shard, ...]
    kept: KeptUsers | None = None
    terms: str | None = None
    rejected: Rejected = Field(default_factory=dict)
    misfits: tuple[str, ...] = ()
    """Sentences on values of properties that count as missing, since they are none of the declared type."""

    @property
    def rows(self) -> int:
        """All qualified users."""
        return sum(shard.rows for shard in self.shards) + (self.kept.users if self.kept else 0)


class Selected(Reference):
    """A shard after filters, reachability and control groups: how many users ended in which outcome."""

    number: int
    outcomes: dict[str, int]


class AudienceHolding(Reference):
    """What an audience holds by our doing: memberships of all campaigns, and their different rows."""

    memberships: int
    rows: int


class Remembered(Reference):
    """What was staged of so many `users` for the next run, which may use it under the same `terms` (hex).

    `base`: only what has changed since the snapshot with a first file of this digest (hex); None: all of it.
    """

    terms: str
    users: int
    base: str | None = None


class Plan(Reference):
    """What a run is about to do: users by outcome before the upload, rows and requests to send.

    `quarantined` of the users who `begun` are not sent, as Facebook refused their rows before. `complete`: it is about all
    members and everybody who qualifies. `after`: what is held once everything is acknowledged.
    """

    outcomes: dict[str, int]
    add_rows: int
    remove_rows: int
    begun: int
    left: int
    quarantined: int = Field(default=0, validation_alias=AliasChoices("quarantined", "kept_back"))
    """`kept_back` in the JSON of runs that an earlier version planned."""
    complete: bool = True
    requests: int
    add_tasks: tuple[tuple[int, ...], ...] = Field(
        default=(), validation_alias=AliasChoices("add_tasks", "add_batches")
    )
    after: AudienceHolding
    revision: int | None = None
    """The revision of the audience that the plan was made at; None of a plan of an earlier version."""
    remembered: Remembered | None = None


class Sent(Reference):
    """How many requests were sent, and how many of them were refused for good."""

    requests: int
    refused: int = 0


class AudienceSize(Reference):
    """The audience at Facebook and how many distinct rows the ledger holds in it."""

    id: str
    members: int


class Would(Reference):
    """Users whom a run that was stopped would have added and removed."""

    added: int
    removed: int

    def in_words(self, action: Action) -> str:
        """One clause for a note."""
        if action == "remove_matching":
            return f"would have sent {self.added:,} for removal"
        return f"would have added {self.added:,} and removed {self.removed:,}"


class Summary(Reference):
    """A run that has ended, as `audiences run --json` prints it.

    `rekeyed` of the kept were members before under identifiers that have changed: a row each was removed and added.
    Of a run that was stopped after it had counted, `outcomes` are those counts: whom it would have added are `failed`, for
    nothing was sent, and `would` says what would have been done.
    """

    run: int
    campaign: str
    state: Literal["success", "failed", "stopped"]
    at: AwareDatetime
    outcomes: dict[str, int]
    rekeyed: int = 0
    requests: int
    audience: AudienceSize
    action: Action = "mirror"
    would: Would | None = None
    rejected: Rejected = Field(default_factory=dict)
    timings: dict[str, float] = Field(default_factory=dict)
    error: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def counted(self) -> bool:
        """Whether the run came as far as to count users; before that its outcomes are no finding."""
        return self.would is not None or self.state == "success" or any(self.outcomes.values())

    def in_words(self) -> str:
        """One line for a note: why it failed and what to do, then members and counts."""
        said = [self._reason()] if self.error else []
        counts = in_words(self.outcomes, rekeyed=self.rekeyed, action=self.action, sent=self.would is None)
        said.append(f"{counted(self.audience.members, 'member')}{f': {counts}' if self.counted else ''}")
        if self.would:
            said.append(self.would.in_words(self.action))
        said.append(counted(self.requests, "request"))
        return "; warning: ".join(("; ".join(said), *self.warnings))

    def _reason(self) -> str:
        error = (self.error or "").rstrip(".")
        return error if error.startswith(self.state) else f"{self.state}: {error}"
