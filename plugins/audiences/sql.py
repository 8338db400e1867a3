"""The project's SQL texts, one statement per file under `include/sql/`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "include" / "sql"


@cache
def statement(name: str) -> str:
    """The text of `include/sql/<name>.sql`."""
    return (FOLDER / f"{name}.sql").read_text(encoding="utf-8")
