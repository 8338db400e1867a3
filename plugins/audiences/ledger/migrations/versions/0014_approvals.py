"""Questions whether a version of a campaign may send, and who answered what and when."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"

STATEMENTS = """
create table audiences.approval (
    id            bigint generated always as identity primary key,
    campaign_id   integer not null references audiences.campaign,
    run_id        bigint references audiences.run,
    asked_in      text not null,
    config_digest text not null,
    shown         text not null,
    body          text not null,
    state         text not null default 'asked'
                  check (state in ('asked', 'approved', 'in_force', 'rejected', 'lapsed')),
    asked_at      timestamptz not null,
    until         timestamptz not null,
    decided_by    text,
    decided_name  text,
    decided_at    timestamptz,
    in_force_at   timestamptz,
    lapsed_for    text
);
create index approval_by_campaign on audiences.approval (campaign_id, config_digest);
create index approval_by_run on audiences.approval (run_id);
comment on table audiences.approval is 'a question to people whether a version of a campaign may send, and what came of it';
comment on column audiences.approval.run_id is
  'the run that waits for the answer; null for a live campaign, whose runs are batches';
comment on column audiences.approval.asked_in is 'the id of the DAG run that asked';
comment on column audiences.approval.shown is 'SHA-256 of the figures that were shown; other figures need another answer';
comment on column audiences.approval.body is 'what was shown, as Markdown';
comment on column audiences.approval.state is
  'approved: somebody said yes. in_force: the step that sends has verified that; the version needs no other answer';
"""


def upgrade() -> None:
    """Change the ledger."""
    op.execute(STATEMENTS)
