"""Custom Audiences as objects of the Graph API: create, read, list, mark as ours."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_fixed

from audiences.campaign.mark import marked, marks_in
from audiences.errors import FacebookTransientError
from audiences.facebook import answers
from audiences.facebook.graph_errors import TooMuchDataError
from audiences.facebook.status import STATUS_FIELDS, AudienceStatus
from audiences.logs import logger

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audiences.campaign.mark import Mark
    from audiences.facebook.session import GraphSession

_log = logger(__name__)
_CREATE_TRIES = 3
_SECONDS_BETWEEN_CREATES = 5.0
_PAGE = 100
_SMALLEST_PAGE = 5
_LIST_SUBTYPE = "CUSTOM"


@dataclass(frozen=True, slots=True)
class ListedAudience:
    """One line of the account's list of customer list audiences."""

    id: str
    name: str
    description: str


def create(graph: GraphSession, *, name: str, description: str, mark: Mark) -> str:
    """Create an audience of that mark in the session's ad account, where there is none as far as the caller knows; its id.

    Facebook gives no idempotent creation, and an answer may be lost: each further try looks first for one of the mark.
    """
    tries = count()

    def find_or_create() -> str:
        made = of_mark(list_audiences(graph), mark) if next(tries) else []
        return made[0] if made else _create(graph, name, marked(description, mark))

    again = Retrying(
        retry=retry_if_exception_type(FacebookTransientError),
        stop=stop_after_attempt(_CREATE_TRIES),
        wait=wait_fixed(_SECONDS_BETWEEN_CREATES),
        sleep=graph.sleep,
        reraise=True,
    )
    return again(find_or_create)


def of_mark(listed: Iterable[ListedAudience], mark: Mark) -> list[str]:
    """The ids of those that carry the mark, oldest first: two processes may have created one each, and all take the same."""
    return sorted((one.id for one in listed if mark in marks_in(one.description)), key=_by_age)


def read(graph: GraphSession, audience_id: str) -> AudienceStatus:
    """Name, size bounds and status of an audience."""
    fields = {"fields": ",".join(STATUS_FIELDS)}
    answer = graph.get(audience_id, fields, action=f"read audience {audience_id}", reads=answers.AudienceAnswer)
    return AudienceStatus.read(answer, asked_at=graph.server_time)


def list_audiences(graph: GraphSession, *, of: str | None = None) -> list[ListedAudience]:
    """Every customer list audience of the session's ad account, or of the account `of`, in Facebook's order."""
    return [
        ListedAudience(item.id, item.name, item.description)
        for item in _listed(graph, "id,name,description,subtype", of=of)
    ]


def contents(graph: GraphSession) -> dict[str, AudienceStatus]:
    """By id, the customer list audiences of the ad account with what tells when their members changed, and nothing else."""
    found = _listed(graph, "id,subtype,time_content_updated,operation_status")
    return {item.id: AudienceStatus.read(item, asked_at=graph.server_time) for item in found}


def _listed(graph: GraphSession, fields: str, *, of: str | None = None) -> list[answers.ListedAudienceAnswer]:
    """Not through the SDK: its cursor ends at the first empty page. Where Facebook finds the page too large, it is halved."""
    limit = _PAGE
    path = f"{of or graph.credentials.account_id}/customaudiences"
    while True:
        params = {"fields": fields, "limit": limit}
        try:
            return [
                item
                for item in graph.pages(
                    path, params, action="list the account's audiences", of=answers.ListedAudienceAnswer
                )
                if item.id and item.subtype in {"", _LIST_SUBTYPE}
            ]
        except TooMuchDataError:
            limit //= 2
            if limit < _SMALLEST_PAGE:
                raise


def remark(graph: GraphSession, audience_id: str, *, description: str, mark: Mark, name: str | None = None) -> None:
    """Set the description of an audience, with this mark in place of any other in it, and its name where one is given."""
    from audiences.facebook import sdk  # most runs find their audience as it should be, and change nothing of it

    params = {"description": marked(description, mark)} | ({"name": name} if name else {})
    sdk.custom_audience(graph, audience_id).api_update(params=params)
    _log.info("audience %s carries the mark %s", audience_id, mark)


def _create(graph: GraphSession, name: str, description: str) -> str:
    from audiences.facebook import sdk  # most audiences are there

    created = sdk.ad_account(graph).create_custom_audience(
        params={
            "name": name,
            "description": description,
            "subtype": _LIST_SUBTYPE,
            "customer_file_source": "USER_PROVIDED_ONLY",
        }
    )
    audience_id = str(created["id"])
    # For some seconds the new audience may answer "not found"; the uploads that follow should not meet that.
    graph.get(audience_id, {"fields": "id"}, action=f"wait for audience {audience_id}", lags=True)
    _log.info("created audience %s `%s`", audience_id, name)
    return audience_id


def _by_age(audience_id: str) -> tuple[int, str]:
    """Ids grow with time; shorter ones are older."""
    return len(audience_id), audience_id
