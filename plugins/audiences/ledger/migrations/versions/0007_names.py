"""Campaigns whose files were renamed: what they were called before, and what they are drawn by."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"

STATEMENTS = """
alter table audiences.campaign add column salt text;
comment on column audiences.campaign.salt is
  'what its control group and its cap are drawn by, the id under which it began; null: its name';

create table audiences.former_name (
    name          text primary key,
    campaign_id   integer not null references audiences.campaign,
    taken_over_at timestamptz not null
);
comment on table audiences.former_name is
  'ids that campaigns had before their files were renamed (`formerly`); no other campaign begins under one';
"""


def upgrade() -> None:
    """Change the ledger."""
    op.execute(STATEMENTS)
