"""Rounds of a living shop under a storm; after each, Facebook's set, the ledger's and the rules' must be one."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from tests.chaos import oracle
from tests.chaos.agreement import Agreement
from tests.chaos.campaigns import ALL, SENDS_ONLY_CHANGES, SHARED, Plan
from tests.chaos.fate import Fate
from tests.chaos.memory import forget
from tests.chaos.people import FIRST_DAY, People
from tests.chaos.place import Place
from tests.chaos.storm import Blow, Tally, draw_blow, draw_rules
from tests.forked import TRACEBACK, Command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.chaos.agreement import Memberships
    from tests.chaos.oracle import Row, Verdict

CALM_TRIES = 3
CALM_SECONDS = 120
_AT_ONCE = 2
_TRAP = "a trap"
FATES = {
    "hand": "members changed by hand",
    "backup": "backup of the ledger",
    "restore": "older ledger restored",
    "loss": "ledger lost",
}


def weather(*, seed: int, users: int, patience: float, storms: int = 1, fates: float = 0.25) -> Iterator[Suite]:
    """One storm without end: the suite after each round that ended right. A failure says how to see it again.

    `fates` is how likely it is, before each wave of commands, that something befalls the audiences or the ledger from outside.
    """
    with TemporaryDirectory(prefix="audiences-chaos-") as folder, Place(Path(folder)) as place:
        suite = Suite(place, seed, users, patience, storms, fates)
        while True:
            try:
                suite.round()
            except BaseException as error:
                again = (
                    f"--seed {seed} --users {users} --patience {patience} --storms {storms} --fates {fates}"
                    f" --rounds {suite.rounds + 1}"
                )
                error.add_note(f"in round {suite.rounds}; again: make chaos ARGS='{again}'")
                raise
            yield suite


@dataclass
class Suite:
    """One storm. The same seed draws the same data and the same faults; when processes are hit, differs."""

    place: Place
    seed: int
    users: int
    patience: float
    storms: int = 1
    fates: float = 0.25
    tally: Tally = field(default_factory=Tally)
    rounds: int = 0
    runs: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.agreement = Agreement(self.place)
        self.dice = Random(self.seed)
        self.people = People(self.place.dsn("warehouse"), Random(self.seed + 1))
        self.people.settle_in(self.users, FIRST_DAY)
        self.agreement.prepare_audiences()
        self.fate = Fate(self.place, self.agreement, Random(self.seed + 2))
        self.forgetting = Random(self.seed + 3)

    def round(self) -> None:
        """A day passes, a storm rages, then everything is run again in calm weather and compared."""
        now = FIRST_DAY + timedelta(days=self.rounds)
        if self.rounds:
            self.people.live_on(now, part=0.02 if self.dice.random() < 0.8 else 0.15)
        restless = self.dice.random() < 0.4
        before = self.agreement.memberships()
        seen = [self._judge(now, before)]
        plans = [plan for _ in range(self.storms) for plan in self.dice.sample(ALL, len(ALL))]
        for first in range(0, len(plans), _AT_ONCE):
            if restless and first:
                self._upset(now, seen[-1])
                seen.append(self._judge(now, before))
            if self.dice.random() < self.fates:
                restless = self._befall(now, seen) or restless
            if forgotten := forget(self.place, self.forgetting):
                self.tally.strike(forgotten)
            struck = plans[first : first + _AT_ONCE]
            self._storm(struck if self.dice.random() < 0.85 else struck[:1] * _AT_ONCE, now, seen)
        self.place.clear_faults()
        held = self.agreement.memberships()
        seen.append(self._judge(now, _after_removals(held, seen[-1])))
        seen.append(self._judge(now, held))
        summaries = self._calm(now)
        self._attend(now, summaries)
        self.agreement.compare(seen, summaries, restless=restless)
        self._repeat(now)
        self.rounds += 1
        self._count_faults()
        self.tally.round_survived()

    def _upset(self, now: datetime, verdicts: dict[str, Verdict]) -> None:
        """In the middle of the storm the world goes on, above all for those who may be at Facebook without our knowing."""
        held = self.agreement.memberships()
        filled = [plan.name for plan in ALL if plan.action != "remove_matching"]
        coming = sorted({user for name in filled for user in verdicts[name].wanted if user not in held.get(name, {})})
        self.people.turn_away(self.dice.sample(coming, min(300, len(coming) // 2)))
        self.people.live_on(now, part=0.01)

    def _befall(self, now: datetime, seen: list[dict[str, Verdict]]) -> bool:
        """Let fate strike; whether the ledger is another one than before."""
        kind = self.fate.strike(seen)
        if kind:
            self.tally.strike(FATES[kind])
        if kind in ("restore", "loss"):
            seen.append(self._judge(now, self.agreement.memberships()))
        return kind in ("restore", "loss")

    # The storm.

    def _storm(self, plans: list[Plan], now: datetime, seen: list[dict[str, Verdict]]) -> None:
        self.place.clear_faults()
        traps = self._traps(seen)
        rules = [*traps, *draw_rules(self.dice), *self._bad_rows(self.dice.choice(plans), seen)]
        self._post(rules)
        commands = [self._start(plan, now) for plan in plans]
        self._strike(draw_blow(self.dice), self.dice.choice(commands))
        for command in commands:
            if not command.wait(self.patience) and command.kill():
                self.tally.strike("SIGKILL (waits too long)")
            assert command.code != TRACEBACK, command.errors()
            self.runs["stormy"] += 1
        self._spring(traps)

    def _strike(self, blow: Blow, command: Command) -> None:
        if blow.upload:
            self._wait_for_upload(blow.upload, command)
        time.sleep(blow.after)
        if blow.kind.startswith("kill") and command.kill():
            self.tally.strike("SIGKILL")
        elif blow.kind == "Postgres crash":
            self.place.restart_postgres(crash=True)
            self.tally.strike("Postgres crash")
        elif blow.kind == "Postgres restart":
            self.place.restart_postgres(crash=False)
            self.tally.strike("Postgres restart")
        elif blow.kind == "sandbox kill":
            self.place.restart_sandbox()
            self.tally.strike("sandbox SIGKILL")

    def _wait_for_upload(self, number: int, command: Command) -> None:
        since = self.place.last_request()
        until = time.monotonic() + self.patience
        while command.runs and self.place.uploads(since) < number and time.monotonic() < until:
            time.sleep(0.02)

    def _traps(self, seen: list[dict[str, Verdict]]) -> list[dict[str, Any]]:
        """Rules that strike when an upload has a cell of somebody who must never be added."""
        traps = []
        for audience, plans in self.agreement.fed().items():
            verdicts = [verdict[plan.name] for verdict in seen for plan in plans]
            allowed = {cell for verdict in verdicts for row in verdict.candidates.values() for cell in row}
            allowed |= {cell for row in self._staying(plans, seen[-1]) for cell in row}
            never = {cell for verdict in verdicts for row in verdict.untouchable for cell in row} - allowed
            if never:
                values = [value for _, value in never]
                traps.append(
                    {"kind": "refuse_rows", "method": "POST", "audience": audience, "values": values, "message": _TRAP}
                )
        return traps

    def _staying(self, plans: list[Plan], verdicts: dict[str, Verdict]) -> set[Row]:
        """Whom a whole set has though they are no candidates: members of a campaign that only adds, unless they opted out."""
        held = self.agreement.memberships()
        return {
            row
            for plan in plans
            if plan.action == "add"
            for user, rows in held.get(plan.name, {}).items()
            if user not in verdicts[plan.name].opted_out
            for row in rows
        }

    def _bad_rows(self, plan: Plan, seen: list[dict[str, Verdict]]) -> list[dict[str, Any]]:
        """Now and then a rule by which Facebook refuses every upload that has the addresses of one, two or three users."""
        cells = sorted({cell for row in seen[-1][plan.name].wanted.values() for key, cell in row if key == "EMAIL"})
        if self.dice.random() > 0.3 or not cells:
            return []
        bad = self.dice.sample(cells, self.dice.randint(1, min(3, len(cells))))
        self.agreement.bad.update(bad)
        return [{"kind": "refuse_rows", "path": "/*/users*", "values": bad}]

    def _post(self, rules: list[dict[str, Any]]) -> None:
        for rule in rules:
            self.place.admin.add_fault(**rule)

    def _spring(self, traps: list[dict[str, Any]]) -> None:
        sprung = [rule for rule in self.place.admin.faults()["faults"] if rule["message"] == _TRAP and rule["fired"]]
        assert not sprung, f"{len(sprung)} of {len(traps)} audiences were sent somebody who must not be there"

    # Calm weather.

    def _calm(self, now: datetime) -> dict[str, dict[str, Any]]:
        """Each campaign until it succeeds; who holds an audience goes first, others would have to wait for its lease."""
        busy = "select c.name from audiences.audience a join audiences.campaign c on c.id = a.busy_campaign"
        if self.fate.lost:
            self._adopt()
        holders = {name for (name,) in self.place.ledger(busy)}
        plans = sorted(self.dice.sample(ALL, len(ALL)), key=lambda plan: plan.name not in holders)
        shared = [plan for plan in plans if plan.audience == SHARED]
        alone = [plan for plan in plans if plan.audience != SHARED]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            parts = pool.map(lambda some: {plan.name: self._succeed(plan, now) for plan in some}, (shared, alone))
        return {name: summary for part in parts for name, summary in part.items()}

    def _adopt(self) -> None:
        """What a person does after a loss; a campaign that has no audience yet has none to take over."""
        for plan in ALL:
            if plan.audience is None:
                command = self.place.commands.start(plan.name, "adopt", plan.name, "--yes")
                assert command.wait(CALM_SECONDS), f"{plan.name} is not adopted"
        self.fate.lost = False

    def _attend(self, now: datetime, summaries: dict[str, dict[str, Any]]) -> None:
        """What a person does about a given audience in doubt: look, put right by hand, say so. Nobody else tells them to."""
        plans = [plan for plan in ALL if plan.audience == SHARED]
        asked = any(_asks(summaries[plan.name]) for plan in plans)
        rows = self.agreement.on_record(SHARED)
        assert asked or rows == self.agreement.at_facebook(SHARED), (
            "nobody was told that the shared audience is in doubt"
        )
        if asked:
            self.place.admin.put_audience(id=SHARED, members=[dict(row) for row in rows])
            plan = self.dice.choice(plans)
            summaries[plan.name] = self._succeed(plan, now, "--allow", "doubt")
            assert not _asks(summaries[plan.name]), summaries[plan.name]

    def _succeed(self, plan: Plan, now: datetime, *more: str) -> dict[str, Any]:
        for _ in range(CALM_TRIES):
            command = self._start(plan, now, *more)
            self.runs["calm"] += 1
            assert command.wait(CALM_SECONDS), f"{plan.name} does not end"
            if command.code == 0:
                return command.result()
            self.runs["calm, failed"] += 1
        message = f"{plan.name} fails in calm weather: {command.result()} {command.errors()}"
        raise AssertionError(message)

    def _repeat(self, now: datetime) -> None:
        """A second run finds nothing to do."""
        for plan in self.dice.sample(SENDS_ONLY_CHANGES, 2):
            since = self.place.last_request()
            summary = self._succeed(plan, now)
            assert summary["requests"] == self.place.uploads(since) == 0, (plan.name, summary)
            outcomes = summary["outcomes"]
            assert outcomes["kept"] + outcomes["failed"] == outcomes["targeted"], (plan.name, summary)

    def _start(self, plan: Plan, now: datetime, *more: str) -> Command:
        return self.place.commands.start(
            plan.name, "run", plan.name, "--at", now.isoformat(), "--allow", "past", "--json", *more
        )

    def _judge(self, now: datetime, memberships: Memberships) -> dict[str, Verdict]:
        users = oracle.look(self.place.dsn("warehouse"))
        return {plan.name: oracle.judge(plan.rules, users, now, set(memberships.get(plan.name, {}))) for plan in ALL}

    def _count_faults(self) -> None:
        self.place.count()
        self.tally.injected += self.place.struck
        self.place.struck.clear()

    def line(self) -> str:
        """The state after a round, in a line."""
        faults = f"{self.tally.survived.total():,} faults survived"
        return f"round {self.rounds}: {faults}, {self.runs.total():,} runs, {self.place.requests:,} requests"

    def report(self) -> str:
        """What struck and what was survived, as a table."""
        runs = ", ".join(f"{number:,} {kind}" for kind, number in sorted(self.runs.items()))
        head = f"seed {self.seed}: {self.rounds} rounds survived; runs: {runs}; {self.place.requests:,} requests"
        return f"{head}\n{self.tally.table()}"


def _asks(summary: dict[str, Any]) -> bool:
    """Whether the run says that somebody must look at a given audience."""
    return any("--allow doubt" in warning for warning in summary["warnings"])


def _after_removals(held: Memberships, verdicts: dict[str, Verdict]) -> Memberships:
    """The memberships once a removal that is under way has been settled: those whose identifiers changed are out."""
    return {
        name: {user: rows for user, rows in of_plan.items() if rows == {verdicts[name].candidates.get(user)}}
        for name, of_plan in held.items()
    }
