"""Runs the sample campaigns once through Airflow, and checks what came of it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from audiences.ledger import campaigns, known_audiences, members
from audiences.ledger.database import Ledger
from audiences.pipeline.live.run_batch import LiveSummary
from audiences.pipeline.results import Summary
from audiences.pipeline.steps.preview_report import Preview
from audiences.what import rows
from audiences.when.live.watch import is_live
from audiences.who.outcomes import Outcomes, UnreconciledError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from audiences.campaign.project import Project
    from audiences.campaign.spec import CampaignSpec
    from audiences.demo.progress import Progress
    from audiences.demo.start import Demo

Row = tuple[tuple[str, str], ...]
"""A member: its cells by Facebook key, in the order of the keys."""

_POLL_SECONDS = 0.5
_FOUND_SECONDS = 90
_RUN_SECONDS = 300


@dataclass(slots=True)
class SampleCampaign:
    """What became of one campaign; `problems` is empty when it ended right."""

    campaign: str
    state: str
    outcomes: dict[str, int] = field(default_factory=dict)
    requests: int = 0
    audience: str | None = None
    members: int | None = None
    problems: list[str] = field(default_factory=list)


def run_samples(demo: Demo, project: Project, progress: Progress) -> list[SampleCampaign]:
    """Trigger one run of each campaign that is not stopped, wait for all, and check each.

    Of a live campaign it is the first run that the dispatcher triggers, for the shop's last carts.
    """
    wanted = {name: spec for name, spec in project.campaigns.items() if spec.campaign.status != "stopped"}
    given = {spec.campaign.what.audience.update.id for spec in wanted.values() if spec.campaign.what.audience.update}
    held = demo.sandbox.state(requests=False)["audiences"]
    before = {one["id"]: _rows(one["members"]) for one in held if one["id"] in given}
    errors = _wait_for_dags(demo, {name: project.files[name] for name in wanted}, progress)
    started = {}
    for name in wanted.keys() - errors:
        demo.airflow.unpause(name)
        if not is_live(wanted[name]):
            started[name] = demo.airflow.trigger(name)
    live = {name for name in wanted.keys() - errors if is_live(wanted[name])}
    started |= _wait_for_dispatch(demo, live, progress)
    states = _wait_for_runs(demo, started, progress)
    if late := _wait_for_dispatch(demo, live - started.keys(), progress):  # on a busy machine
        started |= late
        states |= _wait_for_runs(demo, late, progress)
    samples = without_runs(errors, live - started.keys())
    with Ledger(demo.connection("ledger")) as ledger:
        for name, run in started.items():
            sample = SampleCampaign(campaign=name, state=states[name])
            if sample.state == "success":
                _check(demo, wanted[name], run, sample, ledger, before)
            else:
                tasks = demo.airflow.task_states(name, run).items()
                wrong = ", ".join(f"{task} {state}" for task, state in tasks if state not in ("success", "skipped"))
                sample.problems.append(f"the run is {sample.state}, of its tasks: {wrong or 'all have ended well'}")
            samples.append(sample)
    return sorted(samples, key=lambda sample: sample.campaign)


def without_runs(errors: Mapping[str, str], waiting: Iterable[str]) -> list[SampleCampaign]:
    """The campaigns of which Airflow has no DAG, with the reason, and the live ones for which no event has come due."""
    why = f"no event came due within {2 * _FOUND_SECONDS} s, so that audiences_live has triggered no run of it yet"
    return [
        *(SampleCampaign(campaign=name, state="no DAG", problems=[error]) for name, error in errors.items()),
        *(SampleCampaign(campaign=name, state="no run yet", problems=[why]) for name in waiting),
    ]


def _wait_for_dags(demo: Demo, files: Mapping[str, str], progress: Progress) -> dict[str, str]:
    """Wait until Airflow has read the files, given by campaign; the result says why it has no DAG of some."""
    until = time.monotonic() + _FOUND_SECONDS
    with progress.waiting("Airflow is reading the campaign files"):
        while True:
            errors = demo.airflow.import_errors()
            missing = files.keys() - demo.airflow.dag_ids()
            if all(files[name] in errors for name in missing) or time.monotonic() > until:
                break
            demo.children.check()
            time.sleep(_POLL_SECONDS)
    for file, error in errors.items():
        progress.note(f"Airflow's import errors: {file}: {error}")
    broken = {name for name, file in files.items() if file in errors}
    progress.done(f"Airflow has a DAG for each of {len(files.keys() - missing - broken)} campaigns")
    return {name: errors.get(files[name], "Airflow has not read its file") for name in missing | broken}


def _wait_for_dispatch(demo: Demo, campaigns: set[str], progress: Progress) -> dict[str, str]:
    """The first run of each live campaign, as far as there is one in time."""
    found: dict[str, str] = {}
    if not campaigns:
        return found
    until = time.monotonic() + _FOUND_SECONDS
    with progress.waiting("waiting for live events"):
        while len(found) < len(campaigns) and time.monotonic() < until:
            demo.children.check()
            for name in campaigns - found.keys():
                if runs := demo.airflow.run_ids(name):
                    found[name] = runs[0]
            time.sleep(_POLL_SECONDS)
    return found


def _wait_for_runs(demo: Demo, runs: Mapping[str, str], progress: Progress) -> dict[str, str]:
    """The final state of each run; one that does not end in time keeps the state it has."""
    states = dict.fromkeys(runs, "queued")
    told: set[str] = set()
    until = time.monotonic() + _RUN_SECONDS
    with progress.waiting("running the sample campaigns") as say:
        while open_runs := [name for name, state in states.items() if state in ("queued", "running")]:
            demo.children.check()
            if time.monotonic() > until:
                break
            for name in open_runs:
                states[name] = demo.airflow.run_state(name, runs[name])
                if states[name] not in ("queued", "running"):
                    progress.done(f"{name}: {states[name]}")
            tasks = {name: demo.airflow.task_states(name, runs[name]) for name in open_runs}
            for again in _in_state("up_for_retry", tasks) - told:
                progress.note(f"{again} failed and is tried again; its log says why")
                told.add(again)
            say(f"running the sample campaigns: {', '.join(sorted(_in_state('running', tasks)))}")
            time.sleep(_POLL_SECONDS)
    return states


def _in_state(state: str, tasks: Mapping[str, Mapping[str, str]]) -> set[str]:
    return {f"{name}.{task}" for name, states in tasks.items() for task, found in states.items() if found == state}


def _check(
    demo: Demo, spec: CampaignSpec, run: str, sample: SampleCampaign, ledger: Ledger, before: Mapping[str, set[Row]]
) -> None:
    """Fill in what the run says of itself and hold it against the ledger and the sandbox, hash for hash."""
    if spec.campaign.status == "draft":
        preview = Preview.model_validate(demo.airflow.result(spec.id, run, "preview"))
        sample.state, sample.outcomes = "preview", preview.outcomes
        _check_outcomes(sample)
        return
    summary: Summary = (
        LiveSummary.model_validate(demo.airflow.result(spec.id, run, "run_batch"))
        if is_live(spec)
        else Summary.model_validate(demo.airflow.result(spec.id, run, "close_run"))
    )
    sample.outcomes, sample.requests, sample.audience = summary.outcomes, summary.requests, summary.audience.id
    _check_outcomes(sample)
    known = known_audiences.find(ledger, summary.audience.id)
    if known is None:
        sample.problems.append(f"the ledger does not know the audience {summary.audience.id}")
        return
    with members.held(ledger, known.id) as found:
        held = found.read_all().to_pylist()
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
    if is_live(spec):  # which by now may have exported another batch
        return
    number = campaigns.number(ledger, spec.id)
    users = {one["user_id"] for one in held if one["campaign_id"] == number}
    if len(users) != sample.outcomes["targeted"]:
        sample.problems.append(f"{sample.outcomes['targeted']} users are targeted, the ledger holds {len(users)}")


def _check_outcomes(sample: SampleCampaign) -> None:
    outcomes = Outcomes(**sample.outcomes)
    sample.outcomes = outcomes.as_dict()
    try:
        outcomes.check()
    except UnreconciledError as error:
        sample.problems.append(str(error))


def _rows(found: Iterable[Mapping[str, Any]]) -> set[Row]:
    return {_row(one) for one in found}


def _row(cells: Mapping[str, str]) -> Row:
    return tuple(sorted(cells.items()))
