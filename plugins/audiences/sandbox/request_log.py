"""What clients asked for and what they got: the log, the counters, and the findings about data that must not be sent."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audiences.sandbox.uploaded_rows import HashingMistake

_KEPT = 20_000
_FINDINGS_KEPT = 1_000


@dataclass(slots=True)
class LoggedRequest:
    """One request. `method` is the effective one (a POST with `method=delete` is a DELETE); `path` has no version or query."""

    number: int
    at: float
    method: str
    http_method: str
    path: str
    version: str = ""
    call: str = ""
    account: str | None = None
    audience: str | None = None
    rows: int = 0
    bytes: int = 0
    url_length: int = 0
    token_in_url: bool = False
    session: str | None = None
    batch_seq: int | None = None
    last_batch: bool = False
    status: int | None = None
    code: int | None = None
    subcode: int | None = None
    applied: bool = False
    fault: str | None = None
    # Names of parameters, at most 50 of them, and which features of older apps only were made use of.
    params: list[str] = field(default_factory=list)
    retired: list[str] = field(default_factory=list)
    in_flight: int = 0
    ms: float = 0


@dataclass(slots=True)
class _Flight:
    now: int = 0
    peak: int = 0


@dataclass(slots=True)
class RequestLog:
    """The last 20,000 requests and totals over all of them."""

    entries: deque[LoggedRequest] = field(default_factory=lambda: deque(maxlen=_KEPT))
    counters: Counter[str] = field(default_factory=Counter)
    by_call: Counter[str] = field(default_factory=Counter)
    by_code: Counter[str] = field(default_factory=Counter)
    peaks: Counter[str] = field(default_factory=Counter)
    findings: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=_FINDINGS_KEPT))
    found: Counter[str] = field(default_factory=Counter)
    last: int = 0
    _flights: dict[str | None, _Flight] = field(default_factory=dict)

    def open(self, *, at: float, method: str, path: str) -> LoggedRequest:
        self.last += 1
        entry = LoggedRequest(number=self.last, at=at, method=method, http_method=method, path=path)
        self.entries.append(entry)
        return entry

    def depart(self, entry: LoggedRequest) -> None:
        """The request's account is known; it counts as in flight from here."""
        for account in {None, entry.account}:
            flight = self._flights.setdefault(account, _Flight())
            flight.now += 1
            flight.peak = max(flight.peak, flight.now)
        entry.in_flight = self._flights[entry.account].now

    def close(self, entry: LoggedRequest) -> None:
        """The answer is known: update totals and peaks."""
        if entry.in_flight:
            for account in {None, entry.account}:
                self._flights[account].now -= 1
        self.counters["requests"] += 1
        self.counters["rows_received"] += entry.rows
        self.counters["token_in_url"] += entry.token_in_url
        self.counters["retired"] += bool(entry.retired)
        self.counters["faults"] += entry.fault is not None
        self.counters["errors"] += entry.status is None or entry.status >= 400
        self.by_call[entry.call or f"{entry.method} ?"] += 1
        if entry.code is not None:
            self.by_code[f"{entry.code}/{entry.subcode}" if entry.subcode else f"{entry.code}"] += 1
        for name in ("rows", "bytes", "url_length"):
            self.peaks[name] = max(self.peaks[name], getattr(entry, name))

    def report(self, entry: LoggedRequest, findings: list[HashingMistake]) -> None:
        for finding in findings:
            self.found[finding.kind] += finding.cells
            place = {"request": entry.number, "account": entry.account, "audience": entry.audience}
            self.findings.append({**place, **asdict(finding)})

    def concurrency_peak(self, account: str | None = None) -> int:
        """The most requests ever in flight at once, of one account or of all."""
        return self._flights.get(account, _Flight()).peak

    def since(self, number: int) -> list[LoggedRequest]:
        """The kept entries after that number, oldest first."""
        first = self.entries[0].number if self.entries else 1
        skip = max(0, number + 1 - first)
        return list(islice(self.entries, skip, None))
