"""Goals: conversions measured per campaign and group."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"

STATEMENTS = """
select 1
"""


def upgrade() -> None:
    """Change the ledger."""
    op.execute(STATEMENTS)
