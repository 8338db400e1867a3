"""How long statements at the warehouse may take, as Postgres writes it."""

from __future__ import annotations

from typing import Final

STATEMENT_TIMEOUT: Final = "30min"
QUESTION_TIMEOUT: Final = "20s"
"""Of a short question, on whose answer somebody waits."""
