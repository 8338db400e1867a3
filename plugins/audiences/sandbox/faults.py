"""Injected faults: rules that make chosen requests fail in chosen ways.

A rule matches by method, path, account and audience, lets `after` matching requests pass, then fires `times` times (for ever when
that is None). The first rule that fires decides; one request suffers one fault.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from audiences.sandbox.graph.error_table import KNOWN, GraphError, known_error, trace_id
from audiences.sandbox.quotas import throttled

# What happens on the wire rather than in an error body, with what each does to the request's own work.
TRANSPORT = {
    "html_500": "status 500 with an HTML page",
    "json_500": "status 500 with JSON that has no `error`",
    "slow": "the answer comes after `seconds` (default 5); the work is done after the wait",
    "hang": "no answer for `seconds` (default 600), then the connection is closed",
    "reset_before": "the connection is reset and nothing was done",
    "reset_after": "the work is done, then the connection is reset instead of an answer",
    "truncated_json": "the work is done, the answer's JSON breaks off in the middle",
    "no_usage_headers": "a normal answer without usage headers",
}
# Error kinds that are more than a line of the table of known errors.
SPECIAL = {
    "error": "any error: `code`, `subcode`, `message`, `status`, `transient`, `error_data`",
    "refuse_rows": "100 for each upload that contains one of `values`; rows without them pass",
    "invalid_rows": "a normal answer in which the rows with one of `values` count as invalid; they are not stored",
    "received": "a normal answer whose `num_received` counts only `received` rows (default 0); none is stored, unless `apply`",
    "error_data_string": "100 whose `error_data` is a JSON string instead of an object",
}
# Kinds that strike whenever certain rows are sent, and so for ever unless told otherwise.
BY_CELLS = frozenset({"refuse_rows", "invalid_rows"})
KINDS = (*TRANSPORT, *SPECIAL, *KNOWN)
# The work is done although the answer is bad; `apply` in a rule overrules.
_APPLIED = frozenset({"slow", "reset_after", "truncated_json", "no_usage_headers"})


@dataclass(slots=True)
class Fault:
    """One rule.

    `path` is a glob over the path without version and query (`/*/users`, `/act_1001/customaudiences`); `method` is the effective
    method. `probability` is drawn from a generator with `seed`. `apply: true` does the request's work before any error answer.
    """

    kind: str
    method: str | None = None
    path: str | None = None
    account: str | None = None
    audience: str | None = None
    after: int = 0
    times: int | None = 1
    probability: float = 1
    seed: int = 0
    apply: bool | None = None
    # For slow and hang.
    seconds: float | None = None
    # For throttle: what the header says; with `block` the account stays blocked for that long by the sandbox's clock.
    minutes: int = 1
    block: bool = False
    # For refuse_rows and invalid_rows: cells as sent, that is, hashes.
    values: list[str] = field(default_factory=list)
    # For received: what is counted of the rows.
    received: int = 0
    # For error.
    code: int = 1
    subcode: int | None = None
    message: str = "An injected error"
    status: int = 400
    transient: bool = False
    error_data: Any = None
    # Kept by the sandbox.
    id: int = 0
    matched: int = 0
    fired: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            message = f"unknown kind of fault {self.kind!r}; known are {', '.join(KINDS)}"
            raise ValueError(message)
        if self.kind in BY_CELLS and not self.values:
            message = f"a fault of kind {self.kind} needs `values`, the cells of the rows that it is about"
            raise ValueError(message)

    @property
    def applies(self) -> bool:
        """Whether the request's work is done all the same."""
        return self.kind in _APPLIED if self.apply is None else self.apply

    @property
    def is_transport(self) -> bool:
        return self.kind in TRANSPORT

    def error(self, *, now: str) -> GraphError:
        """The error that a fault of a non-transport kind answers with."""
        if self.kind == "throttle":
            return throttled(self.minutes)
        if self.kind == "refuse_rows":
            return known_error(
                "invalid_param", text="Invalid parameter: the upload contains values that cannot be processed"
            )
        if self.kind == "error_data_string":
            error = known_error("invalid_param", text="Invalid parameter")
            error.data = '{"blame_field_specs":[["payload"]]}'
            return error
        if self.kind == "error":
            return GraphError(
                self.code,
                self.message,
                subcode=self.subcode,
                status=self.status,
                transient=self.transient,
                data=self.error_data,
            )
        return known_error(self.kind, now=now)


@dataclass(frozen=True, slots=True)
class Target:
    """What a rule looks at in a request; `cells` are all values of an upload's rows."""

    method: str
    path: str
    account: str | None
    audience: str | None
    cells: frozenset[str]


class Faults:
    """The rules, in the order they were added."""

    def __init__(self) -> None:
        self.rules: list[Fault] = []
        self.fired_by_kind: dict[str, int] = {}
        self._draws: dict[int, random.Random] = {}
        self._last = 0

    @property
    def need_cells(self) -> bool:
        """Whether any rule looks into rows, so that others do not pay for it."""
        return any(rule.values for rule in self.rules)

    def add(self, rule: Fault) -> Fault:
        self._last += 1
        rule.id, rule.matched, rule.fired = self._last, 0, 0
        self._draws[rule.id] = random.Random(rule.seed)  # noqa: S311  # a repeatable storm, not a secret
        self.rules.append(rule)
        return rule

    def restore(self, rule: Fault) -> None:
        """Take a rule up again where it stood, its dice included."""
        self._last = max(self._last, rule.id)
        dice = self._draws[rule.id] = random.Random(rule.seed)  # noqa: S311  # the same
        for _ in range(rule.matched - rule.after):
            dice.random()
        self.rules.append(rule)

    def clear(self, number: int | None = None) -> None:
        """Drop one rule or all; the totals by kind stay."""
        self.rules = [rule for rule in self.rules if number is not None and rule.id != number]

    def fire(self, target: Target) -> Fault | None:
        """The rule that this request suffers from, counted as fired."""
        for rule in self.rules:
            if (rule.times is not None and rule.fired >= rule.times) or not _matches(rule, target):
                continue
            rule.matched += 1
            if rule.matched > rule.after and self._draws[rule.id].random() < rule.probability:
                rule.fired += 1
                self.fired_by_kind[rule.kind] = self.fired_by_kind.get(rule.kind, 0) + 1
                return rule
        return None


def _matches(rule: Fault, target: Target) -> bool:
    return (
        (rule.method is None or rule.method.upper() == target.method)
        and (rule.path is None or fnmatchcase(target.path, rule.path))
        and (rule.account is None or rule.account == target.account)
        and (rule.audience is None or rule.audience == target.audience)
        and (not rule.values or not target.cells.isdisjoint(rule.values))
    )


def wire_body(kind: str) -> tuple[int, str, bytes]:
    """Status, content type and body of an answer that is not the Graph API's own."""
    if kind == "html_500":
        page = "<!DOCTYPE html><html><head><title>Facebook | Error</title></head><body>Sorry, something went wrong.</body></html>"
        return 500, "text/html; charset=utf-8", page.encode()
    return 500, "application/json; charset=UTF-8", b'{"fbtrace_id":"%s"}' % trace_id().encode()
