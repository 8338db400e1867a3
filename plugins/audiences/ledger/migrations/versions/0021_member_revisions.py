"""How often the memberships of an audience have changed, so that what was counted or computed of them is known to hold still."""

from __future__ import annotations

from alembic import op

revision = "0021"
down_revision = "0020"

# A table of its own: the row of an audience is locked by claims, which go on while memberships are written.
STATEMENTS = """
create table audiences.audience_revision (
    audience_id integer primary key references audiences.audience on delete cascade,
    revision    bigint not null default 0,
    run_id      bigint,
    since       bigint not null default 0,
    counted_at  bigint,
    memberships bigint,
    rows        bigint
);
comment on table audiences.audience_revision is 'how often the memberships of an audience have changed; none: never';
comment on column audiences.audience_revision.run_id is 'the run that changed them last; none: no run did';
comment on column audiences.audience_revision.since is 'the revision after which nobody but that run has changed them';
comment on column audiences.audience_revision.counted_at is
  'the revision at which all campaigns together held so many memberships, with so many different rows';
"""


def upgrade() -> None:
    """Change the ledger."""
    op.execute(STATEMENTS)
