"""When the members of an audience changed at Facebook, by its own account and by ours."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"

STATEMENTS = """
alter table audiences.audience
    add column content_seen bigint,
    add column content_filling boolean not null default true,
    add column facebook_ahead double precision,
    add column in_doubt_since timestamptz,
    add column confirmed_at timestamptz;
comment on column audiences.audience.content_seen is
  'the newest `time_content_updated` that Facebook has told us, in its Unix seconds; null: never asked';
comment on column audiences.audience.content_filling is
  'Facebook was still at work on the last upload when we looked, so that the time may move once more by our doing';
comment on column audiences.audience.facebook_ahead is
  'seconds by which Facebook''s clock was ahead of this database''s at the last look';
comment on column audiences.audience.in_doubt_since is 'a whole set whose first request left later ends the doubt';
comment on column audiences.audience.confirmed_at is
  'when a person said that the members on record are those at Facebook; nothing from before is a doubt';
update audiences.audience set in_doubt_since = now() where in_doubt is not null;
create index chunk_by_audience on audiences.chunk (audience_id, acknowledged_at);
"""


def upgrade() -> None:
    """Change the ledger."""
    op.execute(STATEMENTS)
