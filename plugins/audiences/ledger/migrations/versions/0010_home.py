"""Where the ledger is, by which one that was restored or copied finds out."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"

STATEMENTS = """
create function audiences.place() returns text language sql stable as
  'select (select system_identifier from pg_catalog.pg_control_system()) || ''/'' || d.oid || ''/'' || t.oid
   from pg_catalog.pg_database d, pg_catalog.pg_class t
   where d.datname = pg_catalog.current_database() and t.oid = ''audiences.identity''::pg_catalog.regclass';
comment on function audiences.place() is
  'server, database and table: a restored dump has a table of another number, a copied database is one of another number';

alter table audiences.identity add column home text;
comment on column audiences.identity.home is
  'the place of this ledger when it was last written to; elsewhere now: restored or copied';
"""


def upgrade() -> None:
    """Change the ledger."""
    op.execute(STATEMENTS)
