"""Runs that assigned users by other terms are found without reading all runs of their campaign; live ones have millions."""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"

STATEMENTS = """
create index run_by_terms on audiences.run (campaign_id, control_terms);
"""


def upgrade() -> None:
    """Change the ledger."""
    op.execute(STATEMENTS)
