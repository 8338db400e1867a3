"""A snapshot in two files, of which the first stays while few users change; those of one file are forgotten."""

from __future__ import annotations

from alembic import op

revision = "0023"
down_revision = "0022"

STATEMENTS = """
delete from audiences.snapshot;
alter table audiences.snapshot add base_parts integer not null, add base_digest bytea not null;
comment on column audiences.snapshot.base_parts is 'so many parts, from 0 on, are the first file: all users as they once were';
comment on column audiences.snapshot.base_digest is 'SHA-256 of the first file';
comment on column audiences.snapshot.digest is 'SHA-256 of the second file: which users have changed since, and to what';
comment on column audiences.snapshot_part.content is
  'a piece of one of two Parquet files: per user the id, fingerprints, and standing';
"""


def upgrade() -> None:
    """Change the ledger."""
    op.execute(STATEMENTS)
