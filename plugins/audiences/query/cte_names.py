"""The one place where a statement's common table expressions get their names: they all begin as no table does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audiences.campaign.reserved import PREFIX

if TYPE_CHECKING:
    import sqlalchemy as sa


def common(query: sa.Select[Any], name: str, *, recursive: bool = False) -> sa.CTE:
    """The query under a name of ours, for the rest of the statement."""
    return query.cte(PREFIX + name, recursive=recursive)


def once(query: sa.Select[Any], name: str) -> sa.CTE:
    """The same for one that is evaluated once; else Postgres may write it in place, and evaluate it for each condition."""
    return common(query, name).prefix_with("MATERIALIZED")
