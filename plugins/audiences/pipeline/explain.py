"""Explain: one user taken through the same steps as in a run, up to the one that decides; nothing is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from audiences.campaign.identifiers import FIELDS
from audiences.ledger import assignments, erasures, live_events, member_history
from audiences.ledger.live_events import EventState
from audiences.pipeline.audience.on_record import as_if_opened
from audiences.pipeline.person.called import as_the_key_says
from audiences.pipeline.person.explained_user import ExplainedStep, Explanation, Explanations
from audiences.pipeline.person.holders import holders
from audiences.pipeline.person.masked_cells import masked_cells
from audiences.pipeline.steps.decisions import decide
from audiences.pipeline.steps.users_query import users_query
from audiences.query.columns import columns_of
from audiences.query.render import render
from audiences.what.encode import Encoder
from audiences.what.erased import Erased
from audiences.who.explanation import RuleSteps, Step, deciding, explain_filters

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from audiences.campaign.spec import CampaignSpec
    from audiences.ledger.assignments import Assignment
    from audiences.ledger.live_events import UserEvent
    from audiences.ledger.member_history import Membership
    from audiences.pipeline.person.holders import Address
    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.results import RunRef
    from audiences.warehouse.reader import Warehouse

_LEADS = {
    "not_qualified": "the rules do not find the user",
    "filtered_out": "the property filters leave the user out",
    "opted_out": "the user has opted out",
    "no_identifier": "nothing by which Facebook could find the user",
    "control_system": "held out in the system control group",
    "control_custom": "held out in a custom control group",
    "control_campaign": "held out in the campaign's control group",
    "over_cap": "the target cap is used up before it is the user's turn",
    "erased": "the user was erased, or shares an e-mail address or a phone number with somebody who was",
    "expired": "the user's time in the audience is up, and they come back once they have ceased to qualify",
}
_MOST_EXPLAINED = 20  # of those who share an address; the address of an office, say
_COUNTED_AS = {"expired": "over_cap", "erased": "opted_out"}


@dataclass(frozen=True, slots=True)
class _Found:
    """What the warehouse says of a user: the rules, and who qualifies also the row as it is staged.

    `identifiers` has, in words and masked, what became of each of them.
    """

    rules: tuple[Step, ...]
    staged: pa.RecordBatch | None = None
    identifiers: str = ""


def explain(resources: CampaignResources, user: str, at: datetime) -> Explanation:
    """The outcome that a run at `at` would have for the user, and the steps up to the one that decides.

    `resources` must be `read_only`. Only a campaign with a target cap or `keep_for` has to look at all users for it. The id
    is compared by the key's type, as those of lists are: `007` is the user 7 where the key is a number.
    """
    spec, run = resources.spec, as_if_opened(resources, at, staging="")
    with resources.warehouse() as warehouse:
        user = as_the_key_says(warehouse, spec.catalog, user)
        found = _find(spec, warehouse, run, user)
    assigned = assignments.of_user(resources.ledger, run.campaign, user)
    outcome, steps = "not_qualified", tuple[Step, ...]()
    because = f"there is no user with this id in `{spec.catalog.users.relation}`, column `{spec.catalog.users.key}`"
    if found is not None:
        outcome = _outcome(resources, run, user, found, assigned)
        steps = _up_to_the_deciding(_stages(spec, run, found, outcome, assigned))
        because = _because(outcome, deciding(steps))
    return Explanation(
        campaign=spec.id,
        user=user,
        known=found is not None,
        at=at,
        outcome=_COUNTED_AS.get(outcome, outcome),
        because=because,
        steps=tuple(_flat(steps)),
        assignment=assigned.arm if assigned else None,
        history=(
            *(_event(spec, row) for row in live_events.of_user(resources.ledger, run.campaign, user)),
            *(_membership(spec, row) for row in member_history.history(resources.ledger, run.audience, user)),
        ),
    )


def explain_address(resources: CampaignResources, kind: Address, address: str, at: datetime) -> Explanations:
    """The same for everybody who has the e-mail address or phone number, in the warehouse or on record in the ledger.

    Raises UnreadableAddressError.
    """
    found = holders(resources, resources.spec.catalog, kind, address, at)
    users = (*found.users, *found.on_record)
    return Explanations(
        campaign=resources.spec.id,
        asked_by=kind,
        users=tuple(explain(resources, user, at) for user in users[:_MOST_EXPLAINED]),
        more=users[_MOST_EXPLAINED:],
        erased=found.erased,
    )


def _find(spec: CampaignSpec, warehouse: Warehouse, run: RunRef, user: str) -> _Found | None:
    """Rules and row of one snapshot; None for somebody who is not in the users' relation."""
    asked = RuleSteps(spec, run.at, user)
    answers = warehouse.table(render(asked.query)).to_pylist()
    if not answers:
        return None
    rows = warehouse.table(users_query(warehouse, spec, run.at, users=[user]).text).combine_chunks().to_batches()
    rules = asked.read(answers[0])
    if not rows or not rows[0].num_rows:
        return _Found(rules)
    today = run.at.astimezone(spec.zone).date()
    encoder = Encoder(spec.campaign.what.identifiers, columns_of(spec), spec.catalog, today=today)
    staged = encoder.encode(rows[0])
    return _Found(rules, staged, _identifiers(spec, encoder, rows[0], staged))


def _outcome(resources: CampaignResources, run: RunRef, user: str, found: _Found, assigned: Assignment | None) -> str:
    if found.staged is None:
        return "not_qualified"
    of_erased = Erased(*erasures.known(resources.ledger)).among(
        found.staged.column("user_id"), found.staged.column("identifiers")
    )
    recorded = _on_record(user, assigned)
    decided = str(decide(resources.spec, run, found.staged, recorded, of_erased).iloc[0])
    if decided == "opted_out" and of_erased[0].as_py():
        return "erased"
    if decided != "candidate":
        return decided
    campaign = resources.spec.campaign
    if campaign.who.target_cap is None and campaign.what.keep_for is None:
        return "targeted"
    from audiences.pipeline.steps.among_all import (
        outcome_among_all,
    )  # seldom, and it takes the libraries of a whole run

    # Of a live campaign it is asked whether the user would be targeted by an event of their own.
    return outcome_among_all(resources, run, user, only=[user] if campaign.qualification == "live" else None)


def _on_record(user: str, assigned: Assignment | None) -> pa.Table:
    """The user's assignment as who.control.assign takes it; where the formula gives the same, it does no harm."""
    if assigned is None:
        return assignments.RECORDED.empty_table()
    return pa.table([[user], [assignments.ARMS.index(assigned.arm)]], schema=assignments.RECORDED)


def _stages(
    spec: CampaignSpec, run: RunRef, found: _Found, outcome: str, assigned: Assignment | None
) -> Iterator[tuple[Step, ...]]:
    """The steps of a run in their order, each as conditions that must all hold."""
    yield found.rules
    if found.staged is None:
        return
    who, users = spec.campaign.who, spec.catalog.users
    if who.with_properties is not None:
        frame = found.staged.drop_columns(["identifiers"]).to_pandas(types_mapper=pd.ArrowDtype)
        columns = columns_of(spec).properties
        yield explain_filters(
            who.with_properties, frame, columns=columns, catalog=spec.catalog, at=run.at, zone=spec.zone
        )
    if outcome == "erased":
        yield (Step("was not erased", "was erased", False),)
    if users.opt_out:
        places = " or ".join(
            source.column or ", ".join((source.jsonb or "", *(source.path or ()))) for source in users.opt_out
        )
        found_out = "opted out" if outcome == "opted_out" else "not opted out"
        yield (Step(f"has not opted out ({places})", found_out, outcome != "opted_out"),)
    names = " or ".join(name for name in spec.campaign.what.identifiers if FIELDS[name].identifying)
    yield (Step(f"can be found by {names}", found.identifiers, outcome != "no_identifier"),)
    held_out = outcome.startswith("control_")
    yield (Step("in no control group", _group(spec, run.salt, outcome, assigned), not held_out),)
    if spec.campaign.what.keep_for is not None:
        up = outcome == "expired"
        yield (
            Step(f"in the audience for less than {spec.campaign.what.keep_for}", "time is up" if up else "yes", not up),
        )
    if who.target_cap is not None:
        taken = "others come first" if outcome == "over_cap" else "within it"
        cap = who.target_cap
        yield (Step(f"at most {cap.users:,} users, {_PER[cap.per]}", taken, outcome != "over_cap"),)


_PER = {"run": "per run", "day": "per day", "total": "in all"}


def _up_to_the_deciding(stages: Iterator[tuple[Step, ...]]) -> tuple[Step, ...]:
    shown: tuple[Step, ...] = ()
    for stage in stages:
        shown += stage
        if deciding(stage) is not None:
            break
    return shown


def _identifiers(spec: CampaignSpec, encoder: Encoder, raw: pa.RecordBatch, staged: pa.RecordBatch) -> str:
    """Each identifier by the first digits of its hash, or by what is wrong with it."""
    packed, columns = staged.column("identifiers")[0].as_py(), columns_of(spec)
    cells = masked_cells(packed) if packed else {}

    def words(name: str, column: str) -> str:
        sent = [cells[key] for key in FIELDS[name].keys if key in cells]
        if sent:
            return f"{name} {' '.join(sent)}"
        if reasons := encoder.rejected[name]:
            return f"{name} rejected: {', '.join(reasons)}"
        return f"{name} missing" if not raw.column(column)[0].is_valid else f"{name} not enough by itself"

    return ", ".join(words(name, columns.identifiers[name]) for name in spec.campaign.what.identifiers)


def _group(spec: CampaignSpec, salt: str, outcome: str, assigned: Assignment | None) -> str:
    """The group that holds the user out, by today's percentage and salt or by an assignment on record."""
    own, shared = spec.campaign.who.control_group, spec.control_groups
    if assigned is not None and assigned.control_terms != spec.control_terms(salt):
        return f"assigned in run {assigned.run_id}, {_time(spec, assigned.assigned_at)}, which stands"
    if outcome == "control_system" and shared.system is not None:
        return f"system control group, {shared.system.percent} % by the salt `system`"
    if outcome == "control_custom" and own.custom is not None:
        return f"control group {own.custom}, {shared.custom[own.custom].percent} % by the salt `{own.custom}`"
    if outcome == "control_campaign":
        return f"the campaign's control group, {own.percent} % by the salt `{own.salt or salt}`"
    return "in none"


def _because(outcome: str, step: Step | None) -> str:
    if outcome == "targeted":
        return "the user qualifies, and no later step takes them out"
    return f"{_LEADS[outcome]}: {_in_words(step)}" if step else _LEADS[outcome]


def _in_words(step: Step) -> str:
    found = f" ({step.found})" if step.found else ""
    below = f": {'; '.join(map(_in_words, step.below))}" if step.below else ""
    return f"{step.text}{found}{below}"


def _flat(steps: tuple[Step, ...], depth: int = 0) -> Iterator[ExplainedStep]:
    for step in steps:
        yield ExplainedStep(text=step.text, value=step.found or None, passed=step.passed, depth=depth)
        yield from _flat(step.below, depth + 1)


def _membership(spec: CampaignSpec, row: Membership) -> str:
    begun, ended = ("added", "removed") if row.present else ("taken out", "no longer kept out")
    words = f"{begun} in run {row.added_run} of {row.campaign}, {_time(spec, row.added_at)}"
    if row.removed_run is None or row.removed_at is None:
        return words
    return f"{words}; {ended} in run {row.removed_run}, {_time(spec, row.removed_at)}"


def _event(spec: CampaignSpec, row: UserEvent) -> str:
    """An event that the live campaign saw, and what became of it."""
    became = row.state.replace("_", " ") + (f" in run {row.run_id}" if row.run_id else "")
    waits = f", due {_time(spec, row.due_at)}" if row.state is EventState.WAITING else ""
    return f"event {row.event_id} of {_time(spec, row.occurred_at)}: {became}{waits}"


def _time(spec: CampaignSpec, instant: datetime) -> str:
    return instant.astimezone(spec.zone).isoformat(sep=" ", timespec="seconds")
