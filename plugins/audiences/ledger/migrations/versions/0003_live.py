"""Live campaigns: the events they react to."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = """
select 1
"""


def upgrade() -> None:
    """Change the ledger."""
    op.execute(STATEMENTS)
