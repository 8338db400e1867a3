"""Whose an audience is, and whether it is known what it holds."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"

STATEMENTS = """
create table audiences.identity (
    id       uuid not null default gen_random_uuid(),
    only_row boolean primary key default true check (only_row)
);
comment on table audiences.identity is
  'the name of this ledger, made once; the audiences that it creates at Facebook carry it in their description';
insert into audiences.identity default values;

alter table audiences.audience add column in_doubt text;
comment on column audiences.audience.in_doubt is
  'why the members on record may not be those at Facebook, for people; null: they are. Ends when the whole set was sent';
"""


def upgrade() -> None:
    """Change the ledger."""
    op.execute(STATEMENTS)
