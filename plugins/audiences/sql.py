"""The product's SQL texts, one statement per file under `include/sql/`. They are a part of the code that names them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

FOLDERS = (
    # A wheel and the image have a copy inside the package. It goes first: the folder `include/` that is mounted beside it is of
    # another version from the moment of a `git pull` until the last container of the old image is replaced.
    Path(__file__).resolve().parent / "include_sql",
    Path(__file__).resolve().parents[2] / "include" / "sql",
)


@cache
def statement(name: str) -> str:
    """The text of `include/sql/<name>.sql`: the one that came with the package, else that of the checkout around it."""
    *others, last = (folder / f"{name}.sql" for folder in FOLDERS)
    return next((file for file in others if file.is_file()), last).read_text(encoding="utf-8")
