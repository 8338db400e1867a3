"""What people were told of, so that each condition is told once."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"

STATEMENTS = """
create table audiences.notice (
    id integer generated always as identity primary key,
    subject text not null,
    condition text not null,
    what text not null,
    title text not null,
    reason text not null,
    remedy text not null,
    raised_at timestamptz not null,
    claimed_at timestamptz not null,
    sent_at timestamptz,
    over_at timestamptz
);
create unique index notice_once on audiences.notice (subject, condition, what) where over_at is null;
comment on table audiences.notice is 'conditions that people are told of (`notify`), each once until it is over';
comment on column audiences.notice.subject is 'a campaign''s id, an ad account, or one of the project''s own DAGs';
comment on column audiences.notice.what is 'tells apart what may hold beside each other, such as the run in which a size changed';
comment on column audiences.notice.claimed_at is 'when a process took it to send it; after five minutes another one may';
"""


def upgrade() -> None:
    """Change the ledger."""
    op.execute(STATEMENTS)
