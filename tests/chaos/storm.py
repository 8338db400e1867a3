"""The faults of a storm, drawn by dice, and how often each struck."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from random import Random

# Faults at Facebook: kind and what a rule of it may need.
PASSING: dict[str, dict[str, Any]] = {
    "html_500": {},
    "json_500": {},
    "reset_before": {},
    "reset_after": {},
    "truncated_json": {},
    "transient_1": {},
    "transient_2": {"apply": True},  # done all the same, as Facebook's 5xx sometimes are
    "slow": {"seconds": 0.7},
    "hang": {"seconds": 1.0},
    "no_usage_headers": {},
}
THROTTLES: dict[str, dict[str, Any]] = {
    "throttle": {"minutes": 1, "block": True},
    "throttle_account": {},
    "throttle_app": {},
    "throttle_rate": {},
}
# What needs a person, or what Facebook will not have: the run fails, and succeeds when it is given again.
REFUSALS: dict[str, dict[str, Any]] = {
    "expired_token": {"times": None},
    "policy_block": {},
    "tos_not_accepted": {"times": None},
    "too_low": {"method": "DELETE", "path": "/*/users*"},
    "error_data_string": {"method": "GET", "path": "*"},
}
# What happens to our own processes and servers.
BLOWS = (
    "none",
    "none",
    "kill after a while",
    "kill after a while",
    "kill at an upload",
    "kill at an upload",
    "Postgres crash",
    "Postgres restart",
    "sandbox kill",
)


@dataclass(frozen=True)
class Blow:
    """What strikes a command: `after` seconds, or with the upload of that number from now on."""

    kind: str
    after: float = 0
    upload: int = 0


@dataclass
class Tally:
    """How often each kind of fault struck, and how many of them were in rounds that ended right."""

    injected: Counter[str] = field(default_factory=Counter)
    survived: Counter[str] = field(default_factory=Counter)

    def strike(self, kind: str, times: int = 1) -> None:
        self.injected[kind] += times

    def round_survived(self) -> None:
        self.survived = Counter(self.injected)

    def table(self) -> str:
        kinds = sorted(+self.injected)
        width = max(map(len, [*kinds, "kind of fault"]))
        lines = [f"{'kind of fault':{width}}  injected  survived"]
        lines += [f"{kind:{width}}  {self.injected[kind]:8,}  {self.survived[kind]:8,}" for kind in kinds]
        total = f"{'all':{width}}  {self.injected.total():8,}  {self.survived.total():8,}"
        return "\n".join([*lines, total])


def draw_rules(dice: Random) -> list[dict[str, Any]]:
    """Rules for the sandbox: some passing faults, now and then a throttle or a refusal."""
    rules = [_rule(dice, kind, PASSING[kind]) for kind in dice.sample(sorted(PASSING), dice.randint(2, 4))]
    if dice.random() < 0.25:
        kind = dice.choice(sorted(THROTTLES))
        rules.append(_rule(dice, kind, THROTTLES[kind]))
    if dice.random() < 0.35:
        kind = dice.choice(sorted(REFUSALS))
        rules.append(_rule(dice, kind, REFUSALS[kind]))
    return rules


def _rule(dice: Random, kind: str, more: dict[str, Any]) -> dict[str, Any]:
    path = "/*/users*" if dice.random() < 0.7 else "*"
    return {"kind": kind, "path": path, "after": dice.randint(0, 2), "times": dice.randint(1, 3), **more}


def draw_blow(dice: Random) -> Blow:
    kind = dice.choice(BLOWS)
    if kind == "kill at an upload":
        return Blow(kind, after=dice.random() * 0.1, upload=dice.randint(1, 3))
    return Blow(kind, after=0.05 + 1.5 * dice.random())
