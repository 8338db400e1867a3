"""Runs that assigned users by other terms are found without reading all runs of their campaign; live ones have millions."""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"

# Terms hold a salt of any length, and an index takes no text of more than 2.7 kB.
STATEMENTS = """
create index run_by_terms on audiences.run (campaign_id, hashtextextended(control_terms, 0));
"""


def upgrade() -> None:
    """Change the ledger."""
    op.execute(STATEMENTS)
