"""What the names begin with that the product's statements make for themselves, so that no table is taken for one of them.

Under `WITH key_type AS (…)` a segment's own `FROM key_type` would read ours and not the table: other people, without a word.
"""

from __future__ import annotations

from typing import Final

PREFIX: Final = "audiences__"


def is_reserved(name: str) -> bool:
    """Whether a name, as Postgres keeps it, may be one of ours."""
    return name.startswith(PREFIX)
