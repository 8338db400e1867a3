"""Runs the sample campaigns once through Airflow, and checks what came of it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from audiences.ledger import audiences, members
from audiences.ledger.door import Ledger, campaign_number
from audiences.pipeline.references import Preview, Summary
from audiences.what import rows
from audiences.who.outcomes import Outcomes, UnreconciledError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from audiences.campaign.spec import CampaignSpec
    from audiences.demo.progress import Progress
    from audiences.demo.start import Demo

Row = tuple[tuple[str, str], ...]
"""A member: its cells by Facebook key, in the order of the keys."""

_POLL_SECONDS = 0.5
_FOUND_SECONDS = 90
_RUN_SECONDS = 300


@dataclass(slots=True)
class Sample:
    """What became of one campaign; `problems` is empty when it ended right."""

    campaign: str
    state: str
    outcomes: dict[str, int] = field(default_factory=dict)
    requests: int = 0
    audience: str | None = None
    members: int | None = None
    problems: list[str] = field(default_factory=list)


def run_samples(demo: Demo, campaigns: Mapping[str, CampaignSpec], progress: Progress) -> list[Sample]:
    """Trigger one run of each campaign that is not stopped, wait for all, and check each."""
    wanted = {name: spec for name, spec in campaigns.items() if spec.campaign.status != "stopped"}
    before = {one["id"]: _rows(one["members"]) for one in demo.sandbox.state(requests=False)["audiences"]}
    missing = _wait_for_dags(demo, wanted, progress)
    started = {}
    for name in wanted.keys() - missing:
        demo.airflow.unpause(name)
        started[name] = demo.airflow.trigger(name)
    states = _wait_for_runs(demo, started, progress)
    samples = [Sample(campaign=name, state="missing", problems=["Airflow has no DAG of it"]) for name in missing]
    with Ledger(demo.connection("ledger")) as ledger:
        for name, run in started.items():
            sample = Sample(campaign=name, state=states[name])
            if sample.state == "success":
                _check(demo, wanted[name], run, sample, ledger, before)
            else:
                failed = ", ".join(demo.airflow.failed_tasks(name, run)) or "none by itself"
                sample.problems.append(f"the run ended as {sample.state}; tasks that failed: {failed}")
            samples.append(sample)
    return sorted(samples, key=lambda sample: sample.campaign)


def _wait_for_dags(demo: Demo, wanted: Iterable[str], progress: Progress) -> set[str]:
    """Wait until Airflow has read all campaigns; give those that it has not in time."""
    until = time.monotonic() + _FOUND_SECONDS
    with progress.waiting("Airflow is reading the campaign files"):
        while (missing := set(wanted) - demo.airflow.dag_ids()) and time.monotonic() < until:
            demo.children.check()
            time.sleep(_POLL_SECONDS)
    for error in demo.airflow.import_errors():
        progress.note(f"Airflow's import errors: {error}")
    progress.done(f"Airflow has a DAG for each of {len(set(wanted) - missing)} campaigns")
    return missing


def _wait_for_runs(demo: Demo, runs: Mapping[str, str], progress: Progress) -> dict[str, str]:
    """The final state of each run; one that does not end in time keeps the state it has."""
    states = dict.fromkeys(runs, "queued")
    until = time.monotonic() + _RUN_SECONDS
    with progress.waiting("running the sample campaigns") as say:
        while time.monotonic() < until and any(state in ("queued", "running") for state in states.values()):
            demo.children.check()
            for name, run in runs.items():
                before, states[name] = states[name], demo.airflow.run_state(name, run)
                if states[name] != before and states[name] != "running":
                    progress.done(f"{name}: {states[name]}")
            say("campaigns: " + ", ".join(f"{name} {state}" for name, state in states.items()))
            time.sleep(_POLL_SECONDS)
    return states


def _check(
    demo: Demo, spec: CampaignSpec, run: str, sample: Sample, ledger: Ledger, before: Mapping[str, set[Row]]
) -> None:
    """Fill in what the run says of itself and hold it against the ledger and the sandbox, hash for hash."""
    if spec.campaign.status == "draft":
        preview = Preview.model_validate(demo.airflow.result(spec.id, run, "preview"))
        sample.state, sample.outcomes = "preview", preview.outcomes
        _check_outcomes(sample)
        return
    summary = Summary.model_validate(demo.airflow.result(spec.id, run, "close_run"))
    sample.outcomes, sample.requests, sample.audience = summary.outcomes, summary.requests, summary.audience.id
    _check_outcomes(sample)
    known = audiences.find(ledger, facebook_id=summary.audience.id)
    if known is None:
        sample.problems.append(f"the ledger does not know the audience {summary.audience.id}")
        return
    held = members.held(ledger, known.id).to_pylist()
    there = _rows(demo.sandbox.members(summary.audience.id))
    sample.members = len(there)
    present, absent = (
        {_row(rows.unpack(one["identifiers"])) for one in held if one["present"] is way} for way in (True, False)
    )
    expected = (before.get(summary.audience.id, set()) - absent) | present
    if there != expected:
        sample.problems.append(
            f"the sandbox has {len(there - expected)} members that the ledger does not, and lacks {len(expected - there)}"
        )
    if sample.outcomes["failed"]:
        sample.problems.append(f"{sample.outcomes['failed']} users could not be uploaded")
    number = campaign_number(ledger, spec.id)
    users = {one["user_id"] for one in held if one["campaign_id"] == number}
    if len(users) != sample.outcomes["targeted"]:
        sample.problems.append(f"{sample.outcomes['targeted']} users are targeted, the ledger holds {len(users)}")


def _check_outcomes(sample: Sample) -> None:
    try:
        Outcomes(**sample.outcomes).check()
    except UnreconciledError as error:
        sample.problems.append(str(error))


def _rows(found: Iterable[Mapping[str, Any]]) -> set[Row]:
    return {_row(one) for one in found}


def _row(cells: Mapping[str, str]) -> Row:
    return tuple(sorted(cells.items()))
