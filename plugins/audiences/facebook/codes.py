"""Facebook's error codes: what each means, what a person does about it, and how we treat it.

Sources: the Marketing API error reference, the endpoints' pages, and for what they leave out other uploaders' logs.
Seven-digit subcodes are unique; small ones have a meaning only together with their code. `{account}` in a remedy is the
ad account's number.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from audiences.facebook.contract import API_VERSION, TERMS_URL, VALUE_TERMS_URL


class ErrorKind(Enum):
    """How we treat an error; each kind is one error class."""

    TRANSIENT = "try again soon"
    THROTTLED = "leave the ad account alone for a while"
    BUSY = "wait until the audience is free"
    ACCESS = "a person must act"
    NOT_FOUND = "a person must act, unless it was created seconds ago"
    REFUSED = "the request is wrong"
    TOO_SMALL = "the removal would leave too few"
    REPLACE_BROKEN = "start a new replace"
    TOO_MUCH_DATA = "ask for less"


@dataclass(frozen=True, slots=True)
class Meaning:
    """`wait` is the number of seconds to wait where Facebook's documentation names one (THROTTLED and BUSY only)."""

    kind: ErrorKind
    cause: str
    remedy: str = ""
    wait: float | None = None


_RENEW = "Make a new token (Business settings, System users, Generate token) and put it into the Airflow connection."
_ASSIGN = (
    "In Business settings, Accounts, Ad accounts, give the token's system user `Manage campaigns` on ad account "
    "{account}, and make the token with the scope ads_management."
)
_TERMS = f"A person with access to the ad account accepts the Custom Audience terms once, at {TERMS_URL}."
_VALUE_TERMS = (
    f"{_TERMS} A value-based audience has terms of its own for each ad account, at {VALUE_TERMS_URL}: accept those too, or "
    "name another audience."
)
_QUALITY = "See https://business.facebook.com/accountquality, and ask for a review there if this is a mistake."
_UNFLAG = (
    "Open the audience in Ads Manager, Audiences: rename it if its name hints at health or money, or ask for a review."
)
_SHARE = "Share the audience with ad account {account} (Ads Manager, Audiences, Share), or take it out of the campaign."
_RECREATE = "Take its id out of the campaign, or name another audience."

_THROTTLE = ErrorKind.THROTTLED


def _access(cause: str, remedy: str) -> Meaning:
    return Meaning(ErrorKind.ACCESS, cause, remedy)


def _refused(cause: str) -> Meaning:
    return Meaning(ErrorKind.REFUSED, cause)


_REPLACE_STOPPED = "the replace session cannot go on"

BY_SUBCODE: Final[dict[int, Meaning]] = {
    # Terms and the business behind the ad account.
    1870034: _access("the Custom Audience terms are not accepted for this ad account", _TERMS),
    1870090: _access("the Custom Audience terms are not accepted for this business", _TERMS),
    # Met with ad accounts that lacked the value-based terms (third parties); Meta documents no number for those.
    1870092: _access("the terms for this audience are not accepted by this ad account", _VALUE_TERMS),
    1870050: _access(
        "the ad account belongs to no business",
        "Customer lists need one: add ad account {account} in Business settings, Accounts, Ad accounts, Add.",
    ),
    1713092: _access("the token may not write to this ad account", _ASSIGN),
    # The audience.
    1870065: _access("the audience is disabled", _UNFLAG),
    1487301: _access("the audience is not shared with this ad account, or not available to it", _SHARE),
    1487366: _access("the audience was deleted", _RECREATE),
    1713228: _access("the audience is flagged by Facebook's rules", _UNFLAG),
    1713230: _access("uploads to this audience are blocked, since Facebook's rules flagged it", _UNFLAG),
    1713231: _access("the audience is flagged by Facebook's rules", _UNFLAG),
    1713232: _access("the source audience is flagged by Facebook's rules", _UNFLAG),
    1870047: Meaning(ErrorKind.TOO_SMALL, "the removal would leave too few people in the audience"),
    # Replace sessions.
    1870145: Meaning(ErrorKind.BUSY, "a replace is running on this audience"),
    1870158: Meaning(
        ErrorKind.REPLACE_BROKEN, "the replace session timed out, and the audience holds only what had arrived"
    ),
    1870147: Meaning(ErrorKind.REPLACE_BROKEN, f"{_REPLACE_STOPPED}: its first batch never arrived"),
    1870159: Meaning(ErrorKind.REPLACE_BROKEN, f"{_REPLACE_STOPPED}: it has ended already"),
    1870148: Meaning(ErrorKind.REPLACE_BROKEN, f"{_REPLACE_STOPPED}: something went wrong at Facebook"),
    1870144: _refused("a replace is possible below 100 million people only; use `refresh: difference`"),
    # Ad sets.
    1487007: _refused("the ad set has ended"),
    1487033: _refused("the ad set's end must lie in the future"),
    1487056: _refused("the ad set is deleted; only its name can be changed"),
    1487632: Meaning(_THROTTLE, "the ad set's budget was changed four times this hour", wait=900),
    # Quotas.
    2446079: Meaning(_THROTTLE, "the ad account made too many calls", wait=300),
    1487742: Meaning(_THROTTLE, "the ad account made too many calls", wait=300),
    5044001: Meaning(_THROTTLE, "more than 100 changes a second were sent to this ad account", wait=2),
    1504022: Meaning(_THROTTLE, "the app made too many calls"),
    1504039: Meaning(_THROTTLE, "the app made too many calls"),
}

FLAGGED: Final = frozenset({1713228, 1713230, 1713231})
"""Subcodes that say of an audience that Facebook's rules flagged it."""

BY_PAIR: Final[dict[tuple[int, int], Meaning]] = {
    (1, 99): _refused("there are more than 10,000 rows in the request"),
    (100, 33): Meaning(
        ErrorKind.NOT_FOUND,
        "there is no such object, or this token may not see it",
        "Check the id in the campaign and that it belongs to ad account {account}. " + _ASSIGN,
    ),
    (190, 458): _access("the app was removed by the token's user", _RENEW),
    (190, 459): _access(
        "the token's user has to pass a check", "That person logs in at https://www.facebook.com once."
    ),
    (190, 460): _access("the token ended when its user's password changed", _RENEW),
    (190, 463): _access("the access token has expired", _RENEW),
    (190, 464): _access("the token's user is not confirmed", "That person logs in at https://www.facebook.com once."),
    (190, 467): _access("the access token is no longer valid", _RENEW),
    (613, 1996): Meaning(_THROTTLE, "the calls came too unevenly", wait=300),
}

BY_CODE: Final[dict[int, Meaning]] = {
    1: Meaning(ErrorKind.TRANSIENT, "Facebook met an unknown fault"),
    2: Meaning(ErrorKind.TRANSIENT, "Facebook's service is not available for the moment"),
    5000: Meaning(ErrorKind.TRANSIENT, "Facebook met an unknown fault"),
    21009: Meaning(ErrorKind.TRANSIENT, "Facebook met a passing fault"),
    # Quotas.
    4: Meaning(_THROTTLE, "the app made too many calls"),
    17: Meaning(_THROTTLE, "the ad account made too many calls"),
    32: Meaning(_THROTTLE, "the page made too many calls"),
    341: Meaning(_THROTTLE, "the app reached a limit for the time being"),
    613: Meaning(_THROTTLE, "too many calls were made"),
    80000: Meaning(_THROTTLE, "the quota for insights is used up"),
    80001: Meaning(_THROTTLE, "the quota for page calls is used up"),
    80002: Meaning(_THROTTLE, "the quota for Instagram calls is used up"),
    80003: Meaning(_THROTTLE, "the ad account's quota for custom audiences is used up"),
    80004: Meaning(_THROTTLE, "the ad account's quota for ads management is used up"),
    80005: Meaning(_THROTTLE, "the quota for lead ads is used up"),
    80006: Meaning(_THROTTLE, "the quota for Messenger is used up"),
    80008: Meaning(_THROTTLE, "the quota for WhatsApp is used up"),
    80009: Meaning(_THROTTLE, "the quota for catalogs is used up"),
    80014: Meaning(_THROTTLE, "the quota for catalog batches is used up"),
    # The token.
    102: _access("the session behind the token has ended", _RENEW),
    104: _access("Facebook received no access token", _RENEW),
    190: _access("the access token is not valid", _RENEW),
    # Permission and terms.
    3: _access("the app may not make this call", "Ask for ads_management in the app's settings (App Review)."),
    10: _access("the app has no permission for this call", _ASSIGN),
    200: _access("the token has no permission for this call", _ASSIGN),
    270: _access(
        "the app has development access only, which does not reach this ad account",
        "Ask for full access to the Marketing API in the app's settings (App Review).",
    ),
    294: _access("the token lacks the scope ads_management", _ASSIGN),
    368: _access(
        "Facebook blocked the action for a while, since it looked like abuse or against its policies",
        f"Wait some hours before the next run. {_QUALITY}",
    ),
    2654: _access(
        "Facebook did not create the audience",
        "The ad account may be full: delete list audiences that are not used (500 an ad account), then run again.",
    ),
    2655: _access("the terms for marketing messages are not accepted", _TERMS),
    2663: _access("the Custom Audience terms are not accepted", _TERMS),
    2664: _access("the Custom Audience terms are not accepted by the business", _TERMS),
    803: Meaning(
        ErrorKind.NOT_FOUND, "there is no object of this id", "Check the id in the campaign; it may have been deleted."
    ),
    # The request.
    100: _refused("a parameter is wrong"),
    105: _refused("there are too many parameters"),
    194: _refused("a parameter is missing"),
    506: _refused("the same content was sent twice in a row"),
    2500: _refused("the address of the call is wrong"),
    2635: _access(
        "the version of the Graph API that was asked has ended",
        f"Set `api_version` in the Airflow connection to {API_VERSION}, or leave it out; if that is so already, update this "
        "project.",
    ),
    2650: _refused(
        "the audience does not take this kind of rows (a lookalike, a rule-based one, or one first filled with single "
        "identifiers); let the campaign create its own"
    ),
    2656: _refused("lookalike audiences are built on this audience; delete them first"),
}


def meaning_of(code: int, subcode: int | None) -> Meaning | None:
    """The most particular meaning on record, or None."""
    if subcode is not None:
        known = BY_PAIR.get((code, subcode)) or BY_SUBCODE.get(subcode)
        if known:
            return known
    if code < 0:
        return Meaning(ErrorKind.TRANSIENT, "Facebook met a passing fault")
    if code in BY_CODE:
        return BY_CODE[code]
    if 200 <= code <= 299:
        return BY_CODE[200]
    # Some of the subcodes were also met as codes (rudder-transformer's error map).
    return BY_SUBCODE.get(code)
