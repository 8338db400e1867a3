"""Which function answers which call."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from audiences.sandbox.graph import accounts, ad_campaigns, ad_sets, audience_nodes, sessions, tokens, users
from audiences.sandbox.graph.error_table import refuse
from audiences.sandbox.objects import Account, AdCampaign, AdSet, CustomAudience

if TYPE_CHECKING:
    from collections.abc import Callable

    from audiences.sandbox.graph.call import Call
    from audiences.sandbox.world import World

GraphObject = Account | CustomAudience | AdSet | AdCampaign

# (method, what the node is, edge)
ROUTES: dict[tuple[str, str, str | None], Callable[[Call], dict[str, Any]]] = {
    ("GET", "me", None): tokens.me,
    ("GET", "me", "permissions"): tokens.permissions,
    ("GET", "me", "adaccounts"): accounts.list_of_user,
    ("GET", "debug_token", None): tokens.debug,
    ("GET", "account", None): accounts.read,
    ("GET", "account", "customaudiences"): audience_nodes.list_of_account,
    ("POST", "account", "customaudiences"): audience_nodes.create,
    ("DELETE", "account", "usersofanyaudience"): users.remove_everywhere,
    ("GET", "account", "adsets"): ad_sets.list_of_account,
    ("GET", "account", "campaigns"): ad_campaigns.list_of_account,
    ("GET", "audience", None): audience_nodes.read,
    ("POST", "audience", None): audience_nodes.update,
    ("DELETE", "audience", None): audience_nodes.delete,
    ("POST", "audience", "users"): users.add,
    ("DELETE", "audience", "users"): users.remove,
    ("POST", "audience", "usersreplace"): users.replace,
    ("GET", "audience", "sessions"): sessions.list_of_audience,
    ("GET", "adset", None): ad_sets.read,
    ("POST", "adset", None): ad_sets.update,
    ("GET", "campaign", None): ad_campaigns.read,
    ("GET", "campaign", "adsets"): ad_sets.list_of_campaign,
}
_KINDS: dict[type[GraphObject], str] = {
    Account: "account",
    CustomAudience: "audience",
    AdSet: "adset",
    AdCampaign: "campaign",
}


def find(world: World, node: str) -> GraphObject | None:
    """The thing that an id names."""
    return world.accounts.get(node) or world.audiences.get(node) or world.ad_sets.get(node) or world.campaigns.get(node)


def _kind(call: Call) -> str:
    if call.graph_object is not None:
        return _KINDS[type(call.graph_object)]
    return call.node if call.node in ("me", "debug_token") else "?"


def name(call: Call) -> str:
    """The call without ids, for counting: `POST audience/users`."""
    return f"{call.method} {_kind(call)}/{call.edge}" if call.edge else f"{call.method} {_kind(call)}"


def answer(call: Call) -> dict[str, Any]:
    """Let the right function answer; raises 100/33 for an unknown id or an edge that it does not have, 803 for no id at all."""
    _require_version(call)
    if not call.node:
        return _each(call)
    if _kind(call) == "?":
        is_id = call.node.removeprefix("act_").isdecimal()
        refuse("no_such_object" if is_id else "alias", method=call.method.lower(), id=call.node)
    if isinstance(call.graph_object, CustomAudience):
        _require_visible(call, call.graph_object)
    route = ROUTES.get((call.method, _kind(call), call.edge))
    if route is None:
        refuse("no_such_object", method=call.method.lower(), id=call.node)
    return route(call)


def _each(call: Call) -> dict[str, Any]:
    """The objects of `ids`, by id; only an old app's call comes so far."""
    asked = [identifier for identifier in (call.text("ids") or "").split(",") if identifier]
    if not asked or call.token is None or call.method != "GET":
        refuse("invalid_param", text="The sandbox takes no batch requests")
    found = {}
    for identifier in asked:
        graph_object = find(call.world, identifier)
        account = (
            graph_object
            if isinstance(graph_object, Account) or graph_object is None
            else call.world.accounts[graph_object.account]
        )
        one = replace(call, node=identifier, path=f"/{identifier}", graph_object=graph_object, account=account)
        tokens.authorise(one, call.token)
        found[identifier] = answer(one)
    return found


def _require_version(call: Call) -> None:
    known = sorted(call.world.settings.api_versions, key=_order)
    if call.version in known:
        return
    if known and _order(call.version) > _order(known[-1]):
        refuse("invalid_param", text=f"Unknown API version {call.version}")
    refuse("old_version", latest=known[-1] if known else "none")


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.removeprefix("v").split("."))


def _require_visible(call: Call, audience: CustomAudience) -> None:
    """A new audience may be unknown for some seconds; a deleted one is unknown for good, except to uploads, which say so."""
    if call.world.clock.now() < audience.created_at + call.world.settings.create_lag_seconds:
        refuse("alias", id=audience.id)
    if audience.deleted and call.edge not in ("users", "usersreplace"):
        refuse("no_such_object", method=call.method.lower(), id=audience.id)
