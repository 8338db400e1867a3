"""When the last step of a run ended, by which the next one knows how long it waited."""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"

STATEMENTS = """
alter table audiences.run add column step_ended_at timestamptz;
comment on column audiences.run.step_ended_at is 'when the step ended that ended last; null before the first one';
comment on column audiences.run.timings is
  'seconds by step; under step and _queued the seconds between the end of the step before and its own beginning';
"""


def upgrade() -> None:
    """Change the ledger."""
    op.execute(STATEMENTS)
