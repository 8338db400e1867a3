"""facebook-business objects over our session: AdAccount, CustomAudience and AdSet for the management calls.

The SDK's own transport has no timeout and no retry, writes the token into the address and takes some failures for
success; its `init` sets a process-wide default and a crash reporter that calls home. So the objects get an API of their
own, whose one method `call` goes through GraphSession.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Never

from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.adset import AdSet
from facebook_business.adobjects.customaudience import CustomAudience
from facebook_business.api import FacebookAdsApi, FacebookResponse

from audiences.facebook.answers import Created, Done

if TYPE_CHECKING:
    from audiences.facebook.session import GraphSession


class GraphApi(FacebookAdsApi):  # type: ignore[misc]  # the SDK ships no types
    """The SDK's API, made to send through `graph`. Errors are ours, not FacebookRequestError."""

    def __init__(self, graph: GraphSession) -> None:
        super().__init__(graph, api_version=graph.credentials.api_version)
        self._graph = graph

    def call(
        self,
        method: str,
        path: Any,
        params: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        files: dict[str, Any] | None = None,
        url_override: str | None = None,
        api_version: str | None = None,
    ) -> FacebookResponse:
        """What the SDK calls for everything. `path` is (node id, edge); the edge is empty for the node itself."""
        if method not in _VERBS or isinstance(path, str) or headers or files or url_override or api_version:
            _unsupported(path)
        node, *edges = [str(part) for part in path if part]
        target = "/".join([node, *edges])
        # A POST to an edge creates something, and must not do so twice; one to a node sets it, and may.
        creates = method == "POST" and bool(edges)
        verb = "create in" if creates else _VERBS[method]
        # The SDK sees of the answer what was read from it: it would take the rest as it comes, whatever it is.
        answer = self._graph.call(
            method,
            target,
            action=f"{verb} {target}",
            body=params or {},
            reads=Created if creates else Done,
            repeatable=not creates,
        )
        return FacebookResponse(body=answer.model_dump_json(), http_status=200, call={"path": target})


_VERBS = {"POST": "update", "DELETE": "delete"}


def ad_account(graph: GraphSession) -> AdAccount:
    """The session's ad account."""
    return AdAccount(graph.credentials.account_id, api=GraphApi(graph))


def custom_audience(graph: GraphSession, audience_id: str) -> CustomAudience:
    """The audience as an SDK object."""
    return CustomAudience(audience_id, api=GraphApi(graph))


def ad_set(graph: GraphSession, ad_set_id: str) -> AdSet:
    """The ad set as an SDK object."""
    return AdSet(ad_set_id, api=GraphApi(graph))


def _unsupported(path: Any) -> Never:
    message = f"only changes by (node, edge), without files or headers, go through this session, not {str(path)[:80]!r}"
    raise ValueError(message)
