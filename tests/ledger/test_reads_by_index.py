"""Whatever a run, a person's erasure or a page asks is found by indexes: no large table is read as a whole."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pytest
from tests.ledger.records import NOON, one

from audiences.ledger import (
    assignments,
    audience_sizes,
    content,
    expiry,
    goals,
    known_audiences,
    live_events,
    member_changes,
    member_history,
    members,
    other_campaigns,
    rejected_rows,
    run_records,
    runs,
    trails,
)
from audiences.ledger.database import Ledger
from audiences.ledger.trails import Trail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.databases import Databases

pytestmark = pytest.mark.integration
CAMPAIGN: Final = 17
RUN: Final = 117
ROW: Final = b"\x01\x20" + b"x" * 32
# Of each of 100 campaigns 400 memberships, half of which its second run ended; its first run added all of them.
FILL: Final = """
insert into audiences.campaign (name) select 'campaign_' || n from generate_series(1, 100) n;
insert into audiences.audience (ad_account, facebook_id, name, created_for) select 'act_1', id, name, id from audiences.campaign;
insert into audiences.run (campaign_id, external_id, audience_id, config_digest, config, control_terms, as_of, assigned_at, state,
    started_at, staging)
select c.id, g, c.id, '', '{}', 'terms', $at, $at + g * interval '1 hour', 'success', $at, ''
from generate_series(0, 1) g, audiences.campaign c order by g, c.id;
insert into audiences.member (audience_id, campaign_id, user_id, identifiers, present, added_run, removed_run)
select c.id, c.id, n, decode(md5(n || 'a') || md5(n || 'b'), 'hex'), true, c.id, case when n % 2 = 0 then c.id + 100 end
from audiences.campaign c, generate_series(1, 400) n;
insert into audiences.assignment (campaign_id, user_id, arm, run_id)
select campaign_id, user_id, 'target', added_run from audiences.member;
insert into audiences.live_event (campaign_id, event_id, user_id, occurred_at, arrived_at, seen_at, due_at, state)
select campaign_id, user_id, user_id, now(), now(), now(), now(), case when user_id = '7' then 'waiting' else 'exported' end
from audiences.member;
insert into audiences.refused_row (audience_id, identifiers, reason, run_id)
select c.id, decode(md5('2a') || md5('2b'), 'hex'), '', c.id + 100 from audiences.campaign c;
analyze audiences.member, audiences.assignment, audiences.live_event, audiences.refused_row, audiences.run, audiences.campaign
"""
WHOLE: Final = """
select relname, seq_scan from pg_stat_all_tables
where schemaname = 'audiences' and relname in ('member', 'assignment', 'live_event') order by 1
"""


@pytest.fixture(scope="module")
def filled(databases: Databases) -> Iterator[Ledger]:
    with databases.ledger() as connection, Ledger(connection) as ledger:
        for statement in FILL.replace("$at", f"timestamptz '{NOON}'").split(";\n"):
            ledger.sql.execute(statement.encode())
        yield ledger


@contextmanager
def read_by_index(ledger: Ledger) -> Iterator[None]:
    before = _read_as_a_whole(ledger)
    yield
    assert _read_as_a_whole(ledger) == before


def _read_as_a_whole(ledger: Ledger) -> list[tuple[str, int]]:
    with ledger.bulk.cursor() as cursor:
        cursor.execute("select pg_stat_force_next_flush()")
        cursor.fetchall()
    ledger.bulk.commit()
    ledger.sql.execute("select pg_stat_force_next_flush()")
    return ledger.sql.execute(WHOLE.encode()).fetchall()


def _held(ledger: Ledger) -> int:
    with members.held(ledger, CAMPAIGN) as rows:
        return sum(batch.num_rows for batch in rows)


def _ended(ledger: Ledger) -> int:
    row = ledger.read(
        f"select campaign_id, user_id, identifiers, present from audiences.member where audience_id = {CAMPAIGN}"
        " and removed_run is null and campaign_id = 17 and user_id = '1'",
        pa.schema(
            [
                ("campaign_id", pa.int32()),
                ("user_id", pa.string()),
                ("identifiers", pa.binary()),
                ("present", pa.bool_()),
            ]
        ),
    )
    with ledger.sql.transaction(force_rollback=True):
        changes = row.append_column("begins", pa.array([False]))
        member_changes.record(ledger, audience=CAMPAIGN, run=RUN, changes=changes)
    return row.num_rows


def _erased(ledger: Ledger) -> int:
    with ledger.sql.transaction(force_rollback=True):
        removed = trails.remove(ledger, Trail("8", (ROW,), ("9",)))
        return sum(removed[table] for table in ("member", "assignment", "live_event"))


ASKED: Final[dict[str, tuple[Callable[[Ledger], int], int]]] = {
    "who is held": (_held, 200),
    "whether they are few": (lambda ledger: members.more_than(ledger, CAMPAIGN, 100), 1),
    "how many": (partial(members.memberships, audience=CAMPAIGN), 200),
    "how many rows": (partial(members.count, audience=CAMPAIGN), 200),
    "new identifiers": (partial(members.rekeyed, audience=CAMPAIGN, campaign=CAMPAIGN, run=RUN), 0),
    "an end": (_ended, 1),
    "lost to refused rows": (partial(rejected_rows.lost, run=RUN, campaign=CAMPAIGN), 1),
    "cap per day": (
        lambda ledger: assignments.added_between(ledger, CAMPAIGN, NOON, NOON + timedelta(days=1)).num_rows,
        400,
    ),
    "cap in total": (lambda ledger: assignments.ever_targeted(ledger, CAMPAIGN).num_rows, 400),
    "other terms": (lambda ledger: assignments.not_by_formula(ledger, CAMPAIGN, "terms").num_rows, 0),
    "keep_for": (
        lambda ledger: expiry.expiring(ledger, audience=CAMPAIGN, campaign=CAMPAIGN, since=NOON).num_rows,
        200,
    ),
    "left behind": (lambda ledger: len(known_audiences.left_behind(ledger, campaign=CAMPAIGN, audience=1)), 1),
    "assigning runs": (lambda ledger: len(goals.assigning_runs(ledger, CAMPAIGN, NOON + timedelta(days=1))), 1),
    "due events": (lambda ledger: len(live_events.due(ledger, [CAMPAIGN], at=NOON + timedelta(days=10_000))), 1),
    "history": (lambda ledger: len(member_history.history(ledger, CAMPAIGN, "8")), 1),
    "memberships of a person": (lambda ledger: len(member_history.of_users(ledger, ["7", "8"])), 200),
    "arms of a person": (lambda ledger: len(assignments.of_users(ledger, ["7", "8"])), 200),
    "rows of a person": (lambda ledger: len(member_history.rows_of(ledger, "8")), 1),
    "audiences of a person": (lambda ledger: len(trails.audiences_with(ledger, Trail("8", (ROW,), ("9",)))), 100),
    "erasing a person": (_erased, 300),
    "what is left of a person": (lambda ledger: sum(trails.left(ledger, Trail("8")).values()), 300),
    "who holds members": (lambda ledger: len(members.holding(ledger, range(1, 101))), 100),
    "doubts": (lambda ledger: len(content.doubts(ledger)), 0),
    "sizes": (
        lambda ledger: len(audience_sizes.by_day(ledger, [CAMPAIGN], first=NOON.date(), last=NOON.date(), zone="UTC")),
        0,
    ),
}


@pytest.mark.parametrize("what", ASKED)
def test_only_what_is_asked_about_is_read(filled, what):
    ask, expected = ASKED[what]
    with read_by_index(filled):
        found = ask(filled)
    assert found == expected


# One live campaign has had 20,000 runs, ten others one each, and forty none.
BUSY: Final = """
insert into audiences.campaign (name) select 'campaign_' || n from generate_series(1, 51) n;
insert into audiences.audience (ad_account, facebook_id, name, created_for) select 'act_1', id, name, id from audiences.campaign;
insert into audiences.run (campaign_id, external_id, audience_id, config_digest, config, control_terms, as_of, assigned_at, state,
    started_at, ended_at, staging, size)
select case when g <= 10 then g + 1 else 1 end, g, 1, '', '{}', 'terms', $at, $at, 'success', $at, $at, '', 1
from generate_series(1, 20010) g;
insert into audiences.assignment (campaign_id, user_id, arm, run_id) select 1, g, 'target', g from generate_series(11, 20010) g;
analyze audiences.run, audiences.assignment, audiences.campaign
"""
RUNS_READ: Final = """
select sum(seq_tup_read + idx_tup_fetch)::int as rows from pg_stat_all_tables
where schemaname = 'audiences' and relname in ('run', 'assignment')
"""


@pytest.fixture(scope="module")
def busy(databases: Databases) -> Iterator[Ledger]:
    with databases.ledger() as connection, Ledger(connection) as ledger:
        for statement in BUSY.replace("$at", f"timestamptz '{NOON}'").split(";\n"):
            ledger.sql.execute(statement.encode())
        # As a sample sees it that has none of the few: that all runs are of one campaign.
        ledger.sql.execute("alter table audiences.run alter campaign_id set (n_distinct = 1)")
        ledger.sql.execute("analyze audiences.run")
        yield ledger
        ledger.sql.execute("alter table audiences.run alter campaign_id reset (n_distinct)")


OF_MANY_RUNS: Final[dict[str, tuple[Callable[[Ledger], int], int]]] = {
    "the last run of each campaign": (lambda ledger: len(run_records.campaigns(ledger)), 51),
    "the runs of a campaign that has none": (lambda ledger: len(run_records.of_campaign(ledger, "campaign_40")), 0),
    "who else changes the audience": (lambda ledger: len(other_campaigns.changing(ledger, audience=1, campaign=1)), 10),
    "assignments by other terms": (lambda ledger: assignments.not_by_formula(ledger, 1, "terms").num_rows, 0),
    "runs that died": (lambda ledger: runs.abandon_others(ledger, campaign=1, run=1) or 0, 0),
    "whether a run is under way": (lambda ledger: runs.under_way(ledger, 1), False),
}


@pytest.mark.parametrize("what", OF_MANY_RUNS)
def test_of_many_runs_only_those_that_are_asked_about_are_read(busy, what):
    ask, expected = OF_MANY_RUNS[what]
    _read_as_a_whole(busy)
    (before,) = one(busy, RUNS_READ)
    found = ask(busy)
    _read_as_a_whole(busy)
    assert found == expected
    assert one(busy, RUNS_READ).rows - before < 500


def test_whoever_has_an_address_is_looked_for_among_all(filled):
    before = dict(_read_as_a_whole(filled))
    member_history.with_bytes(filled, [b"nobody has this"])
    assert dict(_read_as_a_whole(filled))["member"] == before["member"] + 1
