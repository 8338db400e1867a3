"""Goals: conversions measured per campaign and group."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"

STATEMENTS = """
create table audiences.goal_result (
    id            bigint generated always as identity primary key,
    campaign_id   integer not null references audiences.campaign,
    goal_digest   text not null,
    config_digest text not null,
    as_of         timestamptz not null,
    measured_at   timestamptz not null default now(),
    report        jsonb not null
);
comment on table audiences.goal_result is
  'every measurement is kept; the newest as_of of a campaign and goal_digest is the current one';
comment on column audiences.goal_result.goal_digest is 'of the goal alone: it changes when the question does';
comment on column audiences.goal_result.report is 'goal/report.py: Report';
create index goal_result_current on audiences.goal_result (campaign_id, goal_digest, as_of desc, id desc);
"""


def upgrade() -> None:
    """Change the ledger."""
    op.execute(STATEMENTS)
