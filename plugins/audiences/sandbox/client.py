"""Python's way to the admin API, for tests, the demo and rehearsals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from types import TracebackType

_SECONDS = 60


class AdminClient:
    """One method per endpoint; each returns the endpoint's JSON. A refusal raises requests.HTTPError with the reason."""

    def __init__(self, url: str) -> None:
        self._base = f"{url}/__admin"
        self._session = requests.Session()
        # A proxy of the environment has no business between this machine and itself.
        self._session.trust_env = False
        # The server closes a connection that was idle for some seconds, and a call that leaves at that moment is lost.
        self._session.headers["Connection"] = "close"

    def __enter__(self) -> AdminClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._session.close()

    def state(self, *, members: bool = True, requests: bool = True) -> Any:
        return self._call("GET", f"/state?members={members:d}&requests={requests:d}")

    def requests(self, since: int = 0) -> list[dict[str, Any]]:
        """The logged requests with a number above `since`, oldest first."""
        entries: list[dict[str, Any]] = self._call("GET", f"/requests?since={since}")["requests"]
        return entries

    def audience(self, audience: str) -> Any:
        return self._call("GET", f"/audiences/{audience}")

    def members(self, audience: str) -> list[dict[str, str]]:
        """The members as `{KEY: value}`, sorted by the keys present, then by the values."""
        rows: list[dict[str, str]] = self.audience(audience)["members"]
        return rows

    def diff(self, audience: str, expected: list[dict[str, str]]) -> Any:
        return self._call("POST", f"/audiences/{audience}/diff", {"expected": expected})

    def between(self, audience: str, *, after: int = 0, until: int = 0) -> Any:
        """Who came and went between two changes, by their numbers; `until` 0 is now. `changes` lists them."""
        return self._call("GET", f"/audiences/{audience}/diff?after={after}&until={until}")

    def reset(self) -> None:
        self._call("POST", "/reset")

    def settings(self, **settings: Any) -> Any:
        return self._call("POST", "/settings", settings)

    def advance(self, seconds: float) -> Any:
        return self._call("POST", "/clock", {"advance_seconds": seconds})

    def add_fault(self, kind: str, **rule: Any) -> int:
        """Add one rule; returns its id."""
        number: int = self._call("POST", "/faults", {"kind": kind, **rule})["faults"][0]["id"]
        return number

    def faults(self) -> Any:
        return self._call("GET", "/faults")

    def clear_faults(self, number: int | None = None) -> None:
        self._call("DELETE", "/faults" if number is None else f"/faults/{number}")

    def put_account(self, **account: Any) -> Any:
        return self._call("POST", "/accounts", account)

    def put_token(self, **token: Any) -> Any:
        return self._call("POST", "/tokens", token)

    def put_audience(self, **audience: Any) -> Any:
        return self._call("POST", "/audiences", audience)

    def put_campaign(self, **campaign: Any) -> Any:
        return self._call("POST", "/campaigns", campaign)

    def put_ad_set(self, **ad_set: Any) -> Any:
        return self._call("POST", "/adsets", ad_set)

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        response = self._session.request(method, self._base + path, json=body, timeout=_SECONDS)
        if not response.ok:
            message = f"{method} {path}: {response.text}"
            raise requests.HTTPError(message, response=response)
        return response.json()
