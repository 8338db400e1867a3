"""What the campaigns' rules say, worked out in plain Python from the raw tables: it shares no code with the product."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from collections.abc import Callable

Row = tuple[tuple[str, str], ...]
"""A member as Facebook holds it: sorted pairs of key and hash."""


@dataclass(frozen=True)
class User:
    id: int
    email: str | None
    phone: str | None
    tier: str | None
    age: int | None
    opted_out: bool | None
    events: tuple[tuple[str, datetime], ...]

    def did(self, *names: str, days: int, at: datetime) -> bool:
        """Within the last `days` days, which begin at midnight (UTC) and end at `at`."""
        first = at.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)
        return any(name in names and first <= when <= at for name, when in self.events)

    def row(self, *keys: str) -> Row:
        cells = {"EMAIL": _hashed_email(self.email), "PHONE": _hashed_phone(self.phone)}
        return tuple((key, cell) for key in sorted(keys) if (cell := cells[key]))


@dataclass(frozen=True)
class Rules:
    """One campaign's rules. `held_out` lists salts and percentages with their outcome, the first that holds a user wins."""

    campaign: str
    qualifies: Callable[[User, datetime], bool]
    passes: Callable[[User], bool] = lambda _: True
    keys: tuple[str, ...] = ("EMAIL", "PHONE")
    held_out: tuple[tuple[str, str, float], ...] = ()
    cap: int | None = None


@dataclass
class Verdict:
    """Who is wanted (user → row), the rows that must never be added, who is not even a candidate, who has opted out (whether
    they qualify or not: a whole set is uploaded anew without them), users by outcome.

    Under a cap more are `candidates` than are wanted: who of them is chosen depends on who is a member at that moment.
    """

    at: datetime
    wanted: dict[int, Row] = field(default_factory=dict)
    candidates: dict[int, Row] = field(default_factory=dict)
    untouchable: set[Row] = field(default_factory=set)
    unfit: set[int] = field(default_factory=set)
    opted_out: set[int] = field(default_factory=set)
    outcomes: Counter[str] = field(default_factory=Counter)


def look(dsn: str) -> list[User]:
    """Everybody as the tables have them now."""
    with psycopg.connect(dsn) as connection:
        events: dict[int, list[tuple[str, datetime]]] = {}
        for user, name, at in connection.execute("select user_id, name, occurred_at from events"):
            events.setdefault(user, []).append((name, at))
        rows = connection.execute("select id, email, phone, tier, age, opted_out from users order by id").fetchall()
    return [
        User(user, email, phone, tier, age, opted_out, tuple(events.get(user, ())))
        for user, email, phone, tier, age, opted_out in rows
    ]


def judge(rules: Rules, users: list[User], at: datetime, members: set[int]) -> Verdict:
    """The outcome of every user; `members` are those in the audience now, who go first under a cap."""
    verdict = Verdict(at)
    candidates = verdict.candidates
    for user in users:
        if user.opted_out:
            verdict.opted_out.add(user.id)
        if not rules.qualifies(user, at):
            verdict.unfit.add(user.id)
            continue
        verdict.outcomes["qualified"] += 1
        row, outcome = user.row(*rules.keys), _outcome(rules, user)
        if outcome is None:
            candidates[user.id] = row
            continue
        verdict.outcomes[outcome] += 1
        verdict.untouchable.add(row)
        verdict.unfit.add(user.id)
    chosen = sorted(candidates, key=lambda user: (user not in members, _rank(rules.campaign, user)))[: rules.cap]
    verdict.wanted = {user: candidates[user] for user in chosen}
    verdict.outcomes["over_cap"] = len(candidates) - len(chosen)
    verdict.outcomes["targeted"] = len(chosen)
    return verdict


def _outcome(rules: Rules, user: User) -> str | None:
    if not rules.passes(user):
        return "filtered_out"
    if user.opted_out:
        return "opted_out"
    if not user.row(*rules.keys):
        return "no_identifier"
    for outcome, salt, percent in rules.held_out:
        bucket = int(hashlib.sha256(f"{salt}:{user.id}".encode()).hexdigest()[:15], 16)
        if bucket * 100 < percent * 16**15:
            return outcome
    return None


def _rank(campaign: str, user: int) -> bytes:
    return hashlib.sha256(f"cap:{campaign}:{user}".encode()).digest()


def _hashed_email(raw: str | None) -> str | None:
    text = (raw or "").strip().lower()
    return _sha256(text) if re.fullmatch(r"[^\s@]+@[^\s@]+\.[a-z]+", text) else None


def _hashed_phone(raw: str | None) -> str | None:
    digits = re.sub(r"\D", "", raw or "")
    return _sha256(digits) if len(digits) > 7 else None


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


_NUMBERS = {1: "EMAIL", 2: "PHONE"}


def unpacked(packed: bytes) -> Row:
    """A row of the ledger: per identifier its number, its length, its bytes."""
    cells: dict[str, Any] = {}
    while packed:
        number, length = packed[0], packed[1]
        cells[_NUMBERS[number]] = packed[2 : 2 + length].hex()
        packed = packed[2 + length :]
    return tuple(sorted(cells.items()))
