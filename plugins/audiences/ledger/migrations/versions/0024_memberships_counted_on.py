"""The memberships of an audience are counted on as they begin and end, so that a run that ends need not look through them."""

from __future__ import annotations

from alembic import op

revision = "0024"
down_revision = "0023"

STATEMENTS = """
alter table audiences.audience_revision add memberships_at bigint;
update audiences.audience_revision set memberships_at = counted_at;
comment on column audiences.audience_revision.memberships_at is
  'the revision at which all campaigns together held so many memberships: goes on with each run that changes them';
comment on column audiences.audience_revision.counted_at is 'the revision at which these had so many different rows';
"""


def upgrade() -> None:
    """Change the ledger."""
    op.execute(STATEMENTS)
