"""The saved segments held against the warehouse: whether it reads their SQL, and how many listed ids are users."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiences.checklist import Check, State
from audiences.warehouse.catalog.unknown_ids import unknown
from audiences.warehouse.queries import NotJudgedError, mistake_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from audiences.campaign.catalog import Catalog
    from audiences.campaign.spec import SavedSegment
    from audiences.warehouse.catalog.reflect import Glance


def check_segments(segments: Mapping[str, SavedSegment], catalog: Catalog, glance: Glance) -> Iterator[Check]:
    """A line for each segment of SQL or of ids; `segments` by file."""
    for file, segment in segments.items():
        if segment.sql is not None:
            yield _of_query(file, segment.sql, glance)
        elif segment.users:
            yield _of_list(file, segment.users, catalog, glance)


def _of_query(file: str, query: str, glance: Glance) -> Check:
    try:
        mistake = mistake_in(query, glance)
    except NotJudgedError as error:
        return Check(
            file, State.WARN, f"not known whether it can be run: {error}", "Run the check again later.", known=False
        )
    if mistake is None:
        return Check(file, State.OK, "one SELECT that the warehouse can run")
    place = f"{file}:{mistake.line}:{mistake.column}" if mistake.line else file
    return Check(file, State.FAIL, mistake.what, f"{place}: Correct the query.")


def _of_list(file: str, users: tuple[str, ...], catalog: Catalog, glance: Glance) -> Check:
    found = unknown(file, users, catalog, glance)
    if found.refusal:
        return Check(file, State.WARN, f"not known whose ids these are: {found.refusal.words}", known=False)
    if not found.ids:
        return Check(file, State.OK, f"{found.listed:,} ids, each of a user")
    remedy = "Correct the list; as it is, it names nobody." if found.all else "Correct them, or take them out."
    return Check(file, State.FAIL if found.all else State.WARN, str(found), remedy)
