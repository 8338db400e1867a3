"""The errors the Graph API answers with: one table of code, subcode, status and text, used by the routes and by injected faults.

Codes and subcodes are Meta's, from its references and from logged answers; where only the code is known, the wording is ours.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any, NoReturn


class GraphError(Exception):
    """An answer that is an error. Raised by the routes, turned into JSON by `body`."""

    def __init__(
        self,
        code: int,
        message: str,
        *,
        subcode: int | None = None,
        status: int = 400,
        kind: str = "OAuthException",
        transient: bool = False,
        title: str | None = None,
        advice: str | None = None,
        data: Any = None,
        regain_minutes: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.subcode = subcode
        self.status = status
        self.message = message
        self.kind = kind
        self.transient = transient
        self.title = title
        self.advice = advice
        self.data = data
        self.regain_minutes = regain_minutes

    def body(self) -> dict[str, Any]:
        """The JSON body, with a fresh `fbtrace_id` each time; optional keys are absent when there is nothing to say."""
        error: dict[str, Any] = {"message": self.message, "type": self.kind, "code": self.code}
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        error["is_transient"] = self.transient
        if self.title is not None:
            error["error_user_title"] = self.title
        if self.advice is not None:
            error["error_user_msg"] = self.advice
        if self.data is not None:
            error["error_data"] = self.data
        return {"error": {**error, "fbtrace_id": trace_id()}}


def trace_id() -> str:
    return "A" + secrets.token_urlsafe(16)


@dataclass(frozen=True, slots=True)
class Template:
    """One known error; `message` has named gaps that `known_error` fills."""

    code: int
    message: str
    subcode: int | None = None
    status: int = 400
    kind: str = "OAuthException"
    transient: bool = False
    title: str | None = None
    advice: str | None = None


_RATE_LIMIT_DOC = "https://developers.facebook.com/docs/graph-api/overview/rate-limiting"
_TERMS = "Accept the Custom Audience terms at https://business.facebook.com/ads/manage/customaudiences/tos/"

_VALUE_TERMS = "Accept the value-based terms at https://business.facebook.com/customaudiences/value_based/tos.php"

KNOWN: dict[str, Template] = {
    # The request.
    "invalid_param": Template(100, "(#100) {text}"),
    "missing_param": Template(100, "(#100) The parameter {name} is required"),
    "schema_mismatch": Template(100, "(#100) Data is missing or does not match schema"),
    "too_many_rows": Template(100, "(#100) The number of users in one request must not be above 10000"),
    "too_many_rows_1_99": Template(1, "An unknown error occurred", 99, 500),
    "no_such_field": Template(100, "(#100) Tried accessing nonexisting field ({field}) on node type ({node})"),
    "no_such_object": Template(
        100,
        "Unsupported {method} request. Object with ID '{id}' does not exist, cannot be loaded due to missing permissions, "
        "or does not support this operation. Please read the Graph API documentation at https://developers.facebook.com/docs/graph-api",
        33,
        kind="GraphMethodException",
    ),
    "alias": Template(803, "(#803) Some of the aliases you requested do not exist: {id}", status=404),
    "unknown_path": Template(2500, "Unknown path components: {path}"),
    "retired": Template(100, "(#100) {feature} is not available to apps created on or after November 4, 2026."),
    "ids_removed": Template(100, "The ids query parameter is deprecated in v26.0+."),
    "too_much_data": Template(
        1, "Please reduce the amount of data you're asking for, then retry your request", status=500
    ),
    "old_version": Template(
        2635,
        "(#2635) You are calling a deprecated version of the Ads API. Please update to the latest version: {latest}.",
    ),
    # The token and its rights.
    "no_token": Template(104, "An access token is required to request this resource."),
    "invalid_token": Template(190, "Invalid OAuth access token - Cannot parse access token", status=401),
    "expired_token": Template(
        190, "Error validating access token: Session has expired. The current time is {now}.", 463, status=401
    ),
    "checkpoint": Template(
        190, "Error validating access token: The user is enrolled in a blocking checkpoint.", 459, status=401
    ),
    "app_removed": Template(
        190, "Error validating access token: The user has not authorized application.", 458, status=401
    ),
    "wrong_proof": Template(100, "Invalid appsecret_proof provided in the API argument", kind="GraphMethodException"),
    "no_proof": Template(
        100, "API calls from the server require an appsecret_proof argument", kind="GraphMethodException"
    ),
    "no_permission": Template(
        200, "(#200) Ad account owner has NOT grant ads_management or ads_read permission", status=403
    ),
    "permission": Template(10, "(#10) Application does not have permission for this action", status=403),
    "no_write_access": Template(
        2654,
        "(#2654) Failed to create custom audience",
        1713092,
        title="No Write Permission for Ad Account",
        advice="No permission to create a custom audience in this ad account.",
    ),
    # Terms and the account.
    "tos_not_accepted": Template(
        200, "(#200) Permissions error", 1870034, 403, title="Custom Audience Terms Not Accepted", advice=_TERMS
    ),
    "tos_business": Template(
        200, "(#200) Permissions error", 1870090, 403, title="Custom Audience Terms Not Accepted", advice=_TERMS
    ),
    "tos_2663": Template(2663, "(#2663) Terms of service has not been accepted. " + _TERMS),
    "tos_2664": Template(2664, "(#2664) Corporate terms of service has not been accepted."),
    "tos_value_based": Template(
        200, "(#200) Permissions error", 1870092, 403, title="Custom Audience Terms Not Accepted", advice=_VALUE_TERMS
    ),
    "not_in_business": Template(
        200,
        "(#200) Permissions error",
        1870050,
        403,
        title="Ad Account Not In A Business",
        advice="Add it to a business first.",
    ),
    "too_many_audiences": Template(
        2654, "(#2654) Failed to create custom audience: the ad account has reached its limit of {limit} audiences"
    ),
    # The audience.
    "wrong_family": Template(
        2650,
        "(#2650) Failed to update the custom audience: the audience was created from data source {has}, "
        "which does not support data source {got}",
    ),
    "not_a_list": Template(
        2650, "(#2650) Failed to update the custom audience: users cannot be uploaded to subtype {subtype}"
    ),
    "value_based": Template(
        2650, "(#2650) Failed to update the custom audience: its value-based setting cannot be changed"
    ),
    "replace_in_progress": Template(
        2650,
        "(#2650) Failed to update the custom audience",
        1870145,
        title="Audience Update In Progress",
        advice="An update of this audience is already in progress. Wait until it has finished.",
    ),
    "replace_timed_out": Template(
        2650, "(#2650) Failed to update the custom audience", 1870158, title="Session Timed Out"
    ),
    "replace_not_opened": Template(
        2650, "(#2650) Failed to update the custom audience", 1870147, title="No Batch With Sequence 1 In This Session"
    ),
    "replace_finished": Template(
        2650, "(#2650) Failed to update the custom audience", 1870159, title="Session Already Finished"
    ),
    "replace_failed": Template(
        2650, "(#2650) Failed to update the custom audience", 1870148, title="Something Went Wrong"
    ),
    "replace_too_large": Template(
        2650, "(#2650) Failed to update the custom audience", 1870144, title="Audience Too Large"
    ),
    "too_low": Template(200, "(#200) Permissions error", 1870047, 403, title="Audience Size Too Low"),
    "flagged": Template(100, "(#100) Invalid parameter", 1713230, title="Audience Upload Blocked"),
    "disabled": Template(100, "(#100) Invalid parameter", 1870065, title="Custom Audience Is Disabled"),
    "not_shared": Template(100, "(#100) Invalid parameter", 1487301, title="Custom Audience Unavailable"),
    "deleted": Template(100, "(#100) Invalid parameter", 1487366, title="Custom Audience Deleted"),
    "has_lookalikes": Template(
        2656, "(#2656) Failed to delete custom audience: lookalike audiences were built from it"
    ),
    # The ad set.
    "ad_set_closed": Template(
        100, "(#100) Invalid parameter", 1487056, title="Ad Set Is Deleted", advice="Only the name can be changed."
    ),
    "end_in_past": Template(100, "(#100) Invalid parameter", 1487033, title="End Time Must Be In The Future"),
    # Throttles answer with status 400.
    "throttle": Template(
        80003,
        "(#80003) There have been too many calls to this ad-account. Wait a bit and try again. "
        f"For more info, please refer to {_RATE_LIMIT_DOC}#custom-audience.",
        2446079,
    ),
    "throttle_account": Template(17, "(#17) User request limit reached", 2446079, transient=True),
    "throttle_app": Template(4, "(#4) Application request limit reached", transient=True),
    "throttle_rate": Template(613, "(#613) Calls to this api have exceeded the rate limit.", 1487742),
    # Passing faults and blocks.
    "transient_1": Template(1, "An unknown error occurred", status=500, transient=True),
    "transient_2": Template(
        2, "An unexpected error has occurred. Please retry your request later.", status=503, transient=True
    ),
    "policy_block": Template(368, "The action attempted has been deemed abusive or is otherwise disallowed"),
}


class _Gaps(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return key


def known_error(name: str, /, **gaps: object) -> GraphError:
    """The error of that name; `gaps` fill its message."""
    known = KNOWN[name]
    return GraphError(
        known.code,
        known.message.format_map(_Gaps(gaps)),
        subcode=known.subcode,
        status=known.status,
        kind=known.kind,
        transient=known.transient,
        title=known.title,
        advice=known.advice,
    )


def refuse(name: str, /, **gaps: object) -> NoReturn:
    """Raise the error of that name; `gaps` fill its message."""
    raise known_error(name, **gaps)
