"""Which audiences carry our mark at Facebook, and which are gone there."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"

STATEMENTS = """
alter table audiences.audience add column mark text, add column deleted_at timestamptz;
comment on column audiences.audience.mark is
  'the mark that we put into its description at Facebook; null: none yet, so that it may be somebody else''s';
comment on column audiences.audience.deleted_at is 'when a run found it deleted at Facebook and made another one in its place';
comment on column audiences.audience.created_for is
  'the campaign that made it, or adopted it; null for one that is given by its id, in which others may have put members';
"""


def upgrade() -> None:
    """Change the ledger."""
    op.execute(STATEMENTS)
