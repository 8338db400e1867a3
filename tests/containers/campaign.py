"""A campaign through the containers: triggered in Airflow, its members compared between the ledger and the sandbox."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from audiences.demo.airflow import AirflowApiError
from audiences.demo.shop import load_shop
from audiences.ledger import known_audiences, members
from audiences.ledger.database import Ledger
from audiences.what import rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tests.containers.installation import Installation

_USERS, _EVENTS = 5_000, 50_000
_FOUND_SECONDS: Final = 180.0
_POLL_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run. `members` are those of the audience, the same in the ledger and at Facebook."""

    outcomes: Mapping[str, int]
    members: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.outcomes['targeted']} targeted, {self.outcomes['added']} added, {self.members} members, "
            f"ledger and sandbox agree; {self.seconds:.0f} s"
        )


def fill_warehouse(installation: Installation) -> None:
    """The sample shop, up to now."""
    connection = installation.database("warehouse", "shop")
    load_shop(connection.dsn(application="containers"), as_of=datetime.now(UTC), users=_USERS, events=_EVENTS)


def wait_for(what: str, ready: Callable[[], bool], *, seconds: float) -> None:
    """Ask until it is so; an Airflow that does not answer is asked again."""
    until = time.monotonic() + seconds
    while True:
        try:
            if ready():
                return
        except AirflowApiError as error:
            if error.status is not None and error.status < 500:
                raise
        if time.monotonic() > until:
            message = f"{what}: not within {seconds:.0f} s"
            raise AssertionError(message)
        time.sleep(_POLL_SECONDS)


def begin_run(installation: Installation, campaign: str) -> str:
    """Trigger the campaign, once Airflow has its DAG."""
    airflow = installation.airflow()
    wait_for(f"a DAG {campaign}", lambda: campaign in airflow.dag_ids(), seconds=_FOUND_SECONDS)
    airflow.unpause(campaign)
    return airflow.trigger(campaign)


def end_run(installation: Installation, campaign: str, run: str, *, seconds: float = 300) -> Outcome:
    """Wait for the run's success, and compare."""
    begun = time.monotonic()
    airflow = installation.airflow()
    wait_for(
        f"the end of {run}",
        lambda: airflow.run_state(campaign, run) not in ("queued", "running"),
        seconds=seconds,
    )
    state = airflow.run_state(campaign, run)
    assert state == "success", f"the run is {state}: {airflow.task_states(campaign, run)}"
    summary = airflow.result(campaign, run, "close_run")
    taken = time.monotonic() - begun
    members = _members(installation, summary["audience"]["id"])
    outcome = Outcome(outcomes=summary["outcomes"], members=members, seconds=taken)
    assert members == outcome.outcomes["targeted"] > 0, outcome
    return outcome


def run_campaign(installation: Installation, campaign: str) -> Outcome:
    """A whole run."""
    return end_run(installation, campaign, begin_run(installation, campaign))


def begin_upload(installation: Installation, campaign: str) -> str:
    """Trigger the campaign, and be back while its first upload waits for Facebook's answer, which it gets in a minute."""
    sandbox = installation.sandbox()
    sandbox.add_fault("slow", path="/*/users", seconds=60, times=1)
    run = begin_run(installation, campaign)
    wait_for("an upload", lambda: bool(sandbox.faults()["fired_by_kind"].get("slow")), seconds=_FOUND_SECONDS)
    return run


def _members(installation: Installation, audience: str) -> int:
    with Ledger(installation.database("postgres", "airflow")) as ledger:
        known = known_audiences.find(ledger, audience)
        assert known, f"the ledger does not know the audience {audience}"
        with members.held(ledger, known.id) as found:
            held = found.read_all().to_pylist()
    ours = _rows(rows.unpack(one["identifiers"]) for one in held if one["present"])
    theirs = _rows(installation.sandbox().members(audience))
    assert ours == theirs, (
        f"the ledger has {len(ours - theirs)} members that Facebook lacks, {len(theirs - ours)} the other way"
    )
    return len(ours)


def _rows(found: Iterable[Mapping[str, Any]]) -> set[tuple[tuple[str, Any], ...]]:
    return {tuple(sorted(one.items())) for one in found}
