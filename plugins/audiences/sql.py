"""The project's SQL texts, one statement per file under `include/sql/`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

FOLDERS = (
    Path(__file__).resolve().parents[2] / "include" / "sql",
    # A wheel and the image have a copy inside the package, for where `include/` is not beside it: campaigns that come from Git.
    Path(__file__).resolve().parent / "include_sql",
)


@cache
def statement(name: str) -> str:
    """The text of `include/sql/<name>.sql`: the project's own, else the one that came with the package."""
    first, *others = (folder / f"{name}.sql" for folder in FOLDERS)
    return next((file for file in (first, *others) if file.is_file()), first).read_text(encoding="utf-8")
