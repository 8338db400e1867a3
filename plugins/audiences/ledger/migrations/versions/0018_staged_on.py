"""On which disk, or in which object store, a run has staged rows that are still there."""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"

STATEMENTS = """
alter table audiences.run add column staged_on text;
comment on column audiences.run.staged_on is
  'where the folder under staging is: what the root is marked with on a disk, its URL in an object store; null: nothing is staged
   any more, or an earlier version began the run; gone: a person says that it is lost for good';
create index run_staged on audiences.run (id) where staged_on is not null;
"""


def upgrade() -> None:
    """Change the ledger."""
    op.execute(STATEMENTS)
