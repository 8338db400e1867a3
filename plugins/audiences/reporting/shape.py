"""What every answer is made of."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self


class Shown(BaseModel):
    """A part of an answer: frozen, and JSON without loss."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def rewritten(self, rewrite: Callable[[str], str]) -> Self:
        """The same with every text in it rewritten, however deep it stands."""
        return type(self).model_validate(_rewritten(self.model_dump(), rewrite))


def _rewritten(value: Any, rewrite: Callable[[str], str]) -> Any:
    """Texts that are words of a fixed set, such as a state, are no texts for people and stay."""
    if isinstance(value, str) and not isinstance(value, Enum):
        return rewrite(value)
    if isinstance(value, dict):
        return {key: _rewritten(each, rewrite) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_rewritten(each, rewrite) for each in value)
    return value


class Paged(Shown):
    """A page of a longer list: `total` entries in all, those after the first `offset`, `limit` at most."""

    total: int
    offset: int
    limit: int
