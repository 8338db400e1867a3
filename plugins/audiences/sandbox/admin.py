"""The admin API under `/__admin/`: look at everything, change anything, order faults, move the clock.

For tests and rehearsals; it has no password, so the server listens on this machine only unless told otherwise. A browser page of
another site cannot use it: its requests carry an `Origin`, and that must be ours.
"""

from __future__ import annotations

from dataclasses import asdict
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from starlette.responses import Response
from starlette.routing import Route

from audiences.sandbox import state_json
from audiences.sandbox.admin_input import AdminError, body_of, fault_doc, filled, mapping, packed
from audiences.sandbox.faults import Fault
from audiences.sandbox.graph.sessions import close_expired
from audiences.sandbox.history import MemberComparison, number_of
from audiences.sandbox.member_sets import MemberSet, as_json, count
from audiences.sandbox.objects import AccessToken, Account, AdCampaign, AdSet, CustomAudience

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from audiences.sandbox.store import Store
    from audiences.sandbox.world import World

    Handler = Callable[["Admin", Request, Any], Any]

T = TypeVar("T")
_PREFIXES: dict[type, str] = {Account: "act_", CustomAudience: "2385", AdSet: "2386", AdCampaign: "2384"}


def _endpoint(handler: Handler) -> Callable[[Admin, Request], Awaitable[Response]]:
    """JSON in, JSON out; errors become `{"error": text}`."""

    @wraps(handler)
    async def endpoint(self: Admin, request: Request) -> Response:
        try:
            answer, status = handler(self, request, await body_of(request)), 200
        except AdminError as error:
            answer, status = {"error": str(error)}, error.status
        self.store.save(self.world)
        return Response(orjson.dumps(answer, option=orjson.OPT_NON_STR_KEYS), status, media_type="application/json")

    return endpoint


class Admin:
    """The endpoints; each changes the world and answers with what it has become."""

    def __init__(self, world: World, store: Store) -> None:
        self.world = world
        self.store = store

    def routes(self) -> list[Route]:
        return [
            Route("/__admin/state", self.state, methods=["GET"]),
            Route("/__admin/requests", self.requests, methods=["GET"]),
            Route("/__admin/reset", self.reset, methods=["POST"]),
            Route("/__admin/settings", self.settings, methods=["GET", "POST"]),
            Route("/__admin/clock", self.clock, methods=["GET", "POST"]),
            Route("/__admin/faults", self.faults, methods=["GET"]),
            Route("/__admin/faults", self.add_faults, methods=["POST"]),
            Route("/__admin/faults", self.clear_faults, methods=["DELETE"]),
            Route("/__admin/faults/{id:int}", self.clear_faults, methods=["DELETE"]),
            Route("/__admin/accounts", self.put_account, methods=["POST"]),
            Route("/__admin/tokens", self.put_token, methods=["POST"]),
            Route("/__admin/campaigns", self.put_campaign, methods=["POST"]),
            Route("/__admin/adsets", self.put_ad_set, methods=["POST"]),
            Route("/__admin/audiences", self.put_audience, methods=["POST"]),
            Route("/__admin/audiences/{id}", self.audience, methods=["GET"]),
            Route("/__admin/audiences/{id}/diff", self.diff, methods=["POST"]),
            Route("/__admin/audiences/{id}/diff", self.between, methods=["GET"]),
        ]

    @_endpoint
    def state(self, request: Request, _: Any) -> Any:
        """Everything; `?members=0` and `?requests=0` leave the long lists out."""
        with_members, with_requests = (request.query_params.get(name) != "0" for name in ("members", "requests"))
        return state_json.state(self.world, with_members=with_members, with_requests=with_requests)

    @_endpoint
    def requests(self, request: Request, _: Any) -> Any:
        """The logged requests with a number above `since`."""
        since = request.query_params.get("since", "0")
        if not since.isdecimal():
            message = "since must be the number of a request"
            raise AdminError(message)
        return {"last": self.world.log.last, "requests": state_json.requests(self.world, int(since))}

    @_endpoint
    def reset(self, _: Request, __: Any) -> Any:
        """Back to the default world: things, members, log, faults, settings, clock."""
        self.world.reset()
        return {"reset": True}

    @_endpoint
    def settings(self, _: Request, body: Any) -> Any:
        """Change server settings, and accounts' settings under `accounts: {id: {…}}`; GET or an empty body only reads."""
        doc = dict(mapping(body))
        for identifier, part in mapping(doc.pop("accounts", {})).items():
            self.world.accounts[identifier] = filled(
                Account, mapping(part), self._existing(self.world.accounts, identifier)
            )
        self.world.settings = filled(type(self.world.settings), doc, self.world.settings)
        return {
            **asdict(self.world.settings),
            "accounts": {one.id: asdict(one) for one in self.world.accounts.values()},
        }

    @_endpoint
    def clock(self, _: Request, body: Any) -> Any:
        """`{"advance_seconds": n}` goes on, `{"offset_seconds": n}` sets; nothing only reads."""
        doc = mapping(body)
        if doc.keys() - {"advance_seconds", "offset_seconds"} or not all(
            isinstance(n, int | float) for n in doc.values()
        ):
            message = "the clock takes advance_seconds or offset_seconds, each a number"
            raise AdminError(message)
        self.world.clock.offset = doc.get("offset_seconds", self.world.clock.offset) + doc.get("advance_seconds", 0)
        for audience in self.world.audiences.values():
            close_expired(self.world, audience)
        return state_json.clock(self.world)

    @_endpoint
    def faults(self, _: Request, __: Any) -> Any:
        """The rules with how often each matched and fired, and all that ever fired by kind."""
        return state_json.faults(self.world)

    @_endpoint
    def add_faults(self, _: Request, body: Any) -> Any:
        """One rule or a list of them."""
        docs = body if isinstance(body, list) else [body]
        rules = [filled(Fault, fault_doc(doc)) for doc in docs]
        return {"faults": [asdict(self.world.faults.add(rule)) for rule in rules]}

    @_endpoint
    def clear_faults(self, request: Request, _: Any) -> Any:
        """Drop the rule of the path's id, or all; blocks of accounts end with it."""
        self.world.faults.clear(request.path_params.get("id"))
        for account in self.world.accounts.values():
            account.blocked_until = 0
        return state_json.faults(self.world)

    @_endpoint
    def put_account(self, _: Request, body: Any) -> Any:
        return asdict(self._put(self.world.accounts, Account, body))

    @_endpoint
    def put_token(self, _: Request, body: Any) -> Any:
        """Make or change a token; `expires_in_seconds` may stand for `expires_at`."""
        doc = dict(mapping(body))
        if "expires_in_seconds" in doc:
            doc["expires_at"] = self.world.clock.now() + doc.pop("expires_in_seconds")
        token = filled(AccessToken, doc, self.world.tokens.get(str(doc.get("token"))))
        self.world.tokens[token.token] = token
        return asdict(token)

    @_endpoint
    def put_campaign(self, _: Request, body: Any) -> Any:
        return asdict(self._put(self.world.campaigns, AdCampaign, body))

    @_endpoint
    def put_ad_set(self, _: Request, body: Any) -> Any:
        doc = dict(mapping(body))
        if doc.get("id") not in self.world.ad_sets:
            owned = [one.id for one in self.world.campaigns.values() if one.account == doc.get("account")]
            doc.setdefault("campaign", owned[0] if owned else None)
            self._existing(self.world.campaigns, doc["campaign"])
        return asdict(self._put(self.world.ad_sets, AdSet, doc))

    @_endpoint
    def put_audience(self, _: Request, body: Any) -> Any:
        """Make or change an audience; `members`, a list of `{KEY: value}`, makes exactly those its members."""
        doc = dict(mapping(body))
        rows = doc.pop("members", None)
        wanted = None if rows is None else packed(rows)
        audience = self._put(self.world.audiences, CustomAudience, doc)
        if wanted is not None:
            gone = self.world.member_set(audience.id).minus(wanted)
            if gone:
                self.world.remove_members(audience, gone)
            if wanted:
                self.world.add_members(audience, wanted)
        return state_json.audience(self.world, audience, with_members=False)

    @_endpoint
    def audience(self, request: Request, _: Any) -> Any:
        found = self._existing(self.world.audiences, request.path_params["id"])
        close_expired(self.world, found)
        return state_json.audience(self.world, found, with_members=request.query_params.get("members") != "0")

    @_endpoint
    def diff(self, request: Request, body: Any) -> Any:
        """Compare the members with a list of expected rows; the audience's page shows it until the next time."""
        audience = self._existing(self.world.audiences, request.path_params["id"])
        close_expired(self.world, audience)
        expected = MemberSet(packed(body.get("expected") if isinstance(body, dict) else body))
        actual = self.world.member_set(audience.id)
        missing, unexpected = expected.minus(actual.groups), actual.minus(expected.groups)
        compared = MemberComparison(self.world.clock.now(), len(expected), missing, unexpected)
        self.world.history.comparisons[audience.id] = compared
        return {
            "expected": len(expected),
            "actual": len(actual),
            "equal": not count(missing) and not count(unexpected),
            "missing": as_json(missing),
            "unexpected": as_json(unexpected),
        }

    @_endpoint
    def between(self, request: Request, _: Any) -> Any:
        """What came and went after the change of number `after`, up to that of number `until`: now, if left out."""
        audience = self._existing(self.world.audiences, request.path_params["id"])
        changes = self.world.history.of(audience.id)
        asked = {name: number_of(request.query_params.get(name, "0"), changes) for name in ("after", "until")}
        if None in asked.values():
            message = f"after and until are numbers of changes, from 0 to {changes[-1].number if changes else 0}"
            raise AdminError(message)
        found = self.world.history.between(audience.id, after=asked["after"] or 0, until=asked["until"] or None)
        return {
            "changes": [
                {name: getattr(one, name) for name in ("number", "at", "request", "action", "added", "removed")}
                for one in changes
            ],
            "complete": found.complete,
            "added": as_json(found.added),
            "removed": as_json(found.removed),
        }

    def _put(self, objects: dict[str, T], kind: type[T], body: Any) -> T:
        doc = dict(mapping(body))
        doc.setdefault("id", self.world.new_id(_PREFIXES[kind]))
        if kind is not Account and doc["id"] not in objects:
            self._existing(self.world.accounts, doc.get("account"))
        now = self.world.clock.now()
        fresh = {"created_at": now, **({} if kind is Account else {"updated_at": now})}
        graph_object = filled(kind, doc if doc["id"] in objects else fresh | doc, objects.get(doc["id"]))
        objects[doc["id"]] = graph_object
        return graph_object

    @staticmethod
    def _existing(objects: dict[str, T], identifier: Any) -> T:
        if identifier not in objects:
            message = f"there is nothing with the id {identifier!r}; known are {', '.join(objects) or 'none'}"
            raise AdminError(message, 404)
        return objects[identifier]
