"""When a run really acted, for which time of the schedule it stands, and runs that were asked for once more."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"

STATEMENTS = r"""
alter table audiences.run
    add column assigned_at timestamptz,
    add column due timestamptz,
    add column again integer not null default 0,
    drop constraint run_campaign_id_external_id_key,
    add unique (campaign_id, external_id, again);
update audiences.run set assigned_at = as_of;
update audiences.run set due = as_of where external_id like 'scheduled\_\_%';
alter table audiences.run alter column assigned_at set not null;
comment on column audiences.run.as_of is 'as of when it looked at the data';
comment on column audiences.run.assigned_at is
  'when it assigned users and decided on members, by the clock; goals and keep_for go by it';
comment on column audiences.run.due is 'the time of the schedule for which it was begun; null: by hand, or for events';
comment on column audiences.run.again is 'how often the run was asked for once more after it had ended, as by clearing it';
"""


def upgrade() -> None:
    """Change the ledger."""
    op.execute(STATEMENTS)
