"""Who is asking: the access token with its rights, and what it may be asked about itself."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from audiences.sandbox.graph.error_table import refuse
from audiences.sandbox.graph.fields import constants, iso, select

if TYPE_CHECKING:
    from audiences.sandbox.graph.call import Call
    from audiences.sandbox.objects import AccessToken
    from audiences.sandbox.world import World

PROOF_SECONDS = 300


def authenticate(call: Call, presented: str | None, app_secret: str) -> AccessToken:
    """The token of the call; raises 104 without one, 190 for a wrong or expired one, 100 for a wrong proof."""
    if not presented:
        refuse("no_token")
    token = call.world.tokens.get(presented)
    if token is None or not token.valid:
        refuse("invalid_token")
    now = call.world.clock.now()
    if token.expires_at and token.expires_at <= now:
        refuse("expired_token", now=iso(now))
    proof, at = call.text("appsecret_proof"), call.text("appsecret_time")
    if proof is None:
        if call.world.settings.require_app_secret:
            refuse("no_proof")
        return token
    signed = presented if at is None else f"{presented}|{at}"
    right = hmac.new(app_secret.encode(), signed.encode(), sha256).hexdigest()
    stale = at is not None and not (at.isdecimal() and abs(int(at) - now) <= PROOF_SECONDS)
    if stale or not hmac.compare_digest(right.encode(), proof.encode()):
        refuse("wrong_proof")
    return token


def authorise(call: Call, token: AccessToken) -> None:
    """Raise 200 when the token lacks the scope for the call, or a role in the ad account that it concerns.

    What a token may do can be asked with any token.
    """
    if call.node in ("me", "debug_token"):
        return
    enough = {"ads_management"} if call.method != "GET" else {"ads_management", "ads_read"}
    creates = call.method == "POST" and call.edge == "customaudiences"
    foreign = call.account is not None and token.accounts is not None and call.account.id not in token.accounts
    if not enough.intersection(token.scopes):
        refuse("no_permission")
    if foreign:
        refuse("no_write_access" if creates else "no_permission")


def me(call: Call) -> dict[str, Any]:
    """GET /me."""
    token = _own(call)
    return select(call, constants({"id": token.user_id, "name": token.user_name}), node="User", default=("name", "id"))


def permissions(call: Call) -> dict[str, Any]:
    """GET /me/permissions."""
    return {"data": [{"permission": scope, "status": "granted"} for scope in _own(call).scopes]}


def debug(call: Call) -> dict[str, Any]:
    """GET /debug_token: whether `input_token` is valid, until when (0: for ever) and for what."""
    world = call.world
    if world.settings.debug_token_of_own and "input_token" not in call.params:
        presented = _own(call).token
    else:
        presented = call.required("input_token")
    token = world.tokens.get(presented)
    if token is None:
        error = {"code": 190, "message": "Invalid OAuth access token - Cannot parse access token"}
        return {"data": {"error": error, "is_valid": False, "scopes": []}}
    return {"data": _described(world, token)}


def _described(world: World, token: AccessToken) -> dict[str, Any]:
    expired = bool(token.expires_at) and token.expires_at <= world.clock.now()
    targets = {} if token.accounts is None else {"target_ids": [one.removeprefix("act_") for one in token.accounts]}
    described: dict[str, Any] = {
        "app_id": token.app_id,
        "type": token.kind,
        "application": "Sandbox app",
        "data_access_expires_at": 0,
        "expires_at": int(token.expires_at),
        "issued_at": int(token.issued_at),
        "is_valid": token.valid and not expired,
        "scopes": token.scopes,
        "granular_scopes": [{"scope": scope} | targets for scope in token.scopes],
        "user_id": token.user_id,
    }
    if expired:
        described["error"] = {
            "code": 190,
            "message": "Error validating access token: Session has expired.",
            "subcode": 463,
        }
    elif not token.valid:
        described["error"] = {
            "code": 190,
            "message": "Error validating access token: The session is invalid.",
            "subcode": 467,
        }
    return described


def _own(call: Call) -> AccessToken:
    if call.token is None:
        refuse("no_token")
    return call.token
