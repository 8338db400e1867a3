"""What the last run of a campaign found of its users, by fingerprints: a cache, which may be lost at any time."""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"

# Unlogged: nothing of it goes into the log of the server, and after a crash it is empty, which is as good as right.
STATEMENTS = """
create unlogged table audiences.snapshot (
    campaign_id integer primary key references audiences.campaign on delete cascade,
    audience_id integer not null references audiences.audience on delete cascade,
    scope       bytea not null,
    revision    bigint not null,
    users       bigint not null,
    digest      bytea not null,
    made_at     timestamptz not null default now()
);
create unlogged table audiences.snapshot_part (
    campaign_id integer not null references audiences.snapshot on delete cascade,
    number      integer not null,
    content     bytea not null,
    primary key (campaign_id, number)
);
alter table audiences.snapshot_part alter content set storage external;
comment on table audiences.snapshot is
  'a cache: what the last run of a campaign found of its users, as long as it holds; the ledger does not need it';
comment on column audiences.snapshot.scope is
  'digest of all that must be the same for it to hold: identifiers and how they are read, control groups, erasures';
comment on column audiences.snapshot.revision is 'the revision of the audience for which it holds';
comment on column audiences.snapshot_part.content is 'a piece of a Parquet file: per user the id, fingerprints, and standing';
"""


def upgrade() -> None:
    """Change the ledger."""
    op.execute(STATEMENTS)
