"""The SQL segments of a campaign put before the warehouse, before anything of it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiences.campaign.segments import FOLDER
from audiences.errors import ConfigError, Problem
from audiences.warehouse.queries import NotJudgedError, mistake_in
from audiences.warehouse.reader import WarehouseTransientError

if TYPE_CHECKING:
    from audiences.campaign.spec import CampaignSpec
    from audiences.warehouse.catalog.reflect import Glance


def has_queries(spec: CampaignSpec) -> bool:
    """Whether one of the campaign's segments is SQL."""
    return any(segment.sql is not None for segment in spec.segments.values())


def ensure_readable(spec: CampaignSpec, glance: Glance) -> None:
    """Raise ConfigError, as `validate` would, for SQL that the warehouse refuses, or that calls what may act.

    Raises WarehouseTransientError when it did not come to an answer.
    """
    problems = []
    for name, segment in spec.segments.items():
        if segment.sql is None:
            continue
        try:
            mistake = mistake_in(segment.sql, glance)
        except NotJudgedError as error:
            raise WarehouseTransientError(sqlstate="", detail=str(error)) from None
        if mistake:
            file = f"{FOLDER}/{name}.sql"
            problems.append(Problem(file, mistake.line, mistake.column, "", "bad-query", mistake.what))
    if problems:
        raise ConfigError(tuple(problems))
