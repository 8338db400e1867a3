"""What callers may write into an address or a body. Anything else is answered with 422 before it reaches anything."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Path, Query
from pydantic import Field

_NO_CONTROLS: Final = r"^[^\x00-\x1f\x7f]*$"
"""Postgres takes no text with a null character in it, and no id has others."""
_MOST: Final = 2**63 - 1  # what the ledger counts runs in

Text = Annotated[str, Field(min_length=1, max_length=1_000, pattern=_NO_CONTROLS)]
Search = Annotated[str, Field(max_length=200, pattern=_NO_CONTROLS)]
RunNumber = Annotated[int, Path(ge=1, le=_MOST)]
Offset = Annotated[int, Query(ge=0, le=10_000_000)]
Limit = Annotated[int, Query(ge=1, le=100)]
