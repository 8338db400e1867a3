"""The target cap's order: a salted hash per user, so that the choice is stable between runs and fair between users."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiences.who.salted_digests import salted_digests

if TYPE_CHECKING:
    import pyarrow as pa

    from audiences.who.salted_digests import Ids


def rank_keys(user_ids: Ids, salt: str) -> pa.Array:
    """sha256("cap:<salt>:<user_id>") as binary; who sorts first, byte by byte, is taken first.

    The salt is the campaign's id, its first one if its file was renamed.
    """
    return salted_digests(user_ids, f"cap:{salt}")
