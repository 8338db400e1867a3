"""Audiences as objects: find or create ours, read their state, list, describe, delete."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_fixed

from audiences.errors import FacebookAccessError, FacebookTransientError
from audiences.facebook import sdk
from audiences.facebook.errors import TooMuchDataError
from audiences.facebook.status import STATUS_FIELDS, AudienceStatus

if TYPE_CHECKING:
    from audiences.facebook.session import GraphSession

_log = logging.getLogger(__name__)
_CREATE_TRIES = 3
_SECONDS_BETWEEN_CREATES = 5.0
_PAGE = 100
_SMALLEST_PAGE = 5
_LIST_SUBTYPE = "CUSTOM"
_MARKER_START = "[audiences:"


@dataclass(frozen=True, slots=True)
class ListedAudience:
    """One line of the account's list of customer list audiences."""

    id: str
    name: str
    description: str


@dataclass(frozen=True, slots=True)
class FoundAudience:
    """The audience of a campaign; `ours` when it carries our key, not when a person made it under that name."""

    id: str
    ours: bool


def marked(description: str, key: str) -> str:
    """The description as we store it at Facebook: with our key behind it, by which we find the audience again."""
    return f"{description} {_marker(key)}".strip()


def create_or_find(graph: GraphSession, *, name: str, description: str, key: str) -> FoundAudience:
    """The audience of the campaign `key` in the session's ad account; created if there is none.

    Facebook gives no idempotent creation, and an answer may be lost. So we look first, for our key in the description
    and then for the exact name, and look again before each further try. The caller keeps the id.
    Raises FacebookAccessError when the name is another campaign's or stands for several audiences.
    """

    def look_then_create() -> FoundAudience:
        return _find(list_audiences(graph), name=name, key=key) or _create(graph, name, marked(description, key))

    again = Retrying(
        retry=retry_if_exception_type(FacebookTransientError),
        stop=stop_after_attempt(_CREATE_TRIES),
        wait=wait_fixed(_SECONDS_BETWEEN_CREATES),
        sleep=graph.sleep,
        reraise=True,
    )
    return again(look_then_create)


def read(graph: GraphSession, audience_id: str) -> AudienceStatus:
    """Name, size bounds and status of an audience."""
    answer = graph.get(
        audience_id, {"fields": ",".join(STATUS_FIELDS)}, action=f"read audience {audience_id}", expects=("id",)
    )
    return AudienceStatus.read(answer)


def list_audiences(graph: GraphSession) -> list[ListedAudience]:
    """Every customer list audience of the session's ad account, in Facebook's order.

    Not through the SDK: its cursor ends at the first empty page. Where Facebook finds the page too large, it is halved.
    """
    limit = _PAGE
    path = f"{graph.credentials.account_id}/customaudiences"
    while True:
        params = {"fields": "id,name,description,subtype", "limit": limit}
        try:
            return [
                ListedAudience(str(item["id"]), str(item.get("name") or ""), str(item.get("description") or ""))
                for item in graph.pages(path, params, action="list the account's audiences")
                if "id" in item and item.get("subtype", _LIST_SUBTYPE) == _LIST_SUBTYPE
            ]
        except TooMuchDataError:
            limit //= 2
            if limit < _SMALLEST_PAGE:
                raise


def describe(graph: GraphSession, audience_id: str, *, name: str, description: str, key: str) -> None:
    """Set the name and description of an audience of ours; its key stays in it."""
    params = {"name": name, "description": marked(description, key)}
    sdk.custom_audience(graph, audience_id).api_update(params=params)


def delete(graph: GraphSession, audience_id: str) -> None:
    """Delete an audience. Ads that use it stop for good. Raises RefusedError (2656) when lookalikes are built on it."""
    sdk.custom_audience(graph, audience_id).api_delete()


def _marker(key: str) -> str:
    return f"{_MARKER_START}{key}]"


def _create(graph: GraphSession, name: str, description: str) -> FoundAudience:
    created = sdk.ad_account(graph).create_custom_audience(
        params={
            "name": name,
            "description": description,
            "subtype": _LIST_SUBTYPE,
            "customer_file_source": "USER_PROVIDED_ONLY",
        }
    )
    audience_id = created.get("id")
    if not audience_id:
        what = f"create the audience `{name}`: the answer lacks the id"
        raise FacebookTransientError(what)
    # For some seconds the new audience may answer "not found"; the uploads that follow should not meet that.
    graph.get(audience_id, {"fields": "id"}, action=f"wait for audience {audience_id}", lags=True)
    _log.info("created audience %s `%s`", audience_id, name)
    return FoundAudience(str(audience_id), ours=True)


def _find(listed: list[ListedAudience], *, name: str, key: str) -> FoundAudience | None:
    marked_ours = [audience.id for audience in listed if _marker(key) in audience.description]
    if marked_ours:
        # Two processes may have created one each; every later run takes the same one.
        return FoundAudience(min(marked_ours, key=_by_age), ours=True)
    same_name = [audience for audience in listed if audience.name == name]
    if not same_name:
        return None
    if any(_MARKER_START in audience.description for audience in same_name):
        what = f"the audience name `{name}` belongs to another campaign in this ad account"
        raise FacebookAccessError(what, "Choose another name under what.audience.create.")
    if len(same_name) > 1:
        ids = ", ".join(audience.id for audience in same_name)
        what = f"there are {len(same_name)} audiences named `{name}` in this ad account ({ids})"
        remedy = "Name the one that is meant under what.audience.update.id, or choose another name."
        raise FacebookAccessError(what, remedy)
    _log.warning("using the existing audience %s, which has the name `%s` but not our mark", same_name[0].id, name)
    return FoundAudience(same_name[0].id, ours=False)


def _by_age(audience_id: str) -> tuple[int, str]:
    """Ids grow with time; shorter ones are older."""
    return len(audience_id), audience_id
