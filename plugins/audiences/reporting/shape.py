"""What every answer is made of."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Shown(BaseModel):
    """A part of an answer: frozen, and JSON without loss."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Paged(Shown):
    """A page of a longer list: `total` entries in all, those after the first `offset`, `limit` at most."""

    total: int
    offset: int
    limit: int
