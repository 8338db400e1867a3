"""Memberships that have ended are found by the runs that began and ended them, however many there are."""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"

# Of ended memberships only: those that last are found campaign by campaign, and a bulk insert costs nothing more.
STATEMENTS = """
create index member_ended_of_run on audiences.member (added_run) where removed_run is not null;
create index member_ended_by_run on audiences.member (removed_run) where removed_run is not null;
"""


def upgrade() -> None:
    """Change the ledger."""
    op.execute(STATEMENTS)
