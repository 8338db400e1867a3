"""What must be right at Facebook before a run: one line per check, with what was found and what to do about it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from audiences.checklist import Check, State
from audiences.errors import AudiencesError, FacebookAccessError, RefusedError, RetryError, WaitError
from audiences.facebook import custom_audiences
from audiences.facebook.answers import AccountAnswer, Permission, TokenAnswer
from audiences.facebook.contract import (
    API_VERSION,
    MARKETING_API_ENDS,
    MAX_LIST_AUDIENCES,
    TERMS_URL,
    TOKEN_DEBUGGER_URL,
)
from audiences.facebook.graph_errors import UnreachableError
from audiences.facebook.status import Reaction
from audiences.facebook.values import as_integer, as_moment
from audiences.redact import harmless_line

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from audiences.facebook.session import GraphSession

# What debug_token answers for a parameter that is missing, and to a user of no role in the app.
_NOT_TOLD = 100
_RENEW = "Make a new token (Business settings, System users, Generate token) and put it into the Airflow connection."
_NEEDED_SCOPE = "ads_management"
EXPIRES_SOON = timedelta(days=14)
_NEARLY_FULL = MAX_LIST_AUDIENCES - 25
_ACCOUNT_FIELDS = "name,account_status,disable_reason,business,tos_accepted"
# Ad account reference, account_status.
_ACCOUNT_STATUS = {
    2: "disabled",
    3: "unsettled",
    7: "pending risk review",
    8: "pending settlement",
    9: "in grace period",
    100: "pending closure",
    101: "closed",
}
_RUNNING = frozenset({1, 9, 201, None})


def run(
    graph: GraphSession,
    *,
    now: datetime,
    audience_ids: Sequence[str] = (),
    added_to: Collection[str] = (),
    count_audiences: bool = True,
) -> list[Check]:
    """All checks for the session's ad account and the given audiences. Nothing is raised: an error is a line too.

    `now` is aware. Once the API version has ended, or Facebook does not know the token, no further question is asked.
    `added_to`: those of the audiences to which people are to be added. Three requests, one for each audience, and with
    `count_audiences` one more for each hundred audiences of the account.
    """
    version = version_check(graph.credentials.api_version, now.date())
    if version.state is State.FAIL:
        return [version]
    checks = [version]
    token = _token(graph, now)
    checks.append(token)
    if token.state is not State.FAIL:
        checks.append(_guarded("permissions", partial(_permissions, graph)))
        checks += _account(graph)
        if count_audiences:
            checks.append(_guarded("number of audiences", partial(_number_of_audiences, graph)))
        checks += [
            _guarded(f"audience {each}", partial(_audience, graph, each, adds=each in added_to))
            for each in audience_ids
        ]
    if graph.version_warning:
        remedy = f"Update this project (it is written for {API_VERSION}), or the connection's `api_version`."
        checks.append(Check("API version, Facebook's warning", State.WARN, graph.version_warning, remedy))
    return checks


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except AudiencesError as error:
        return _failure(name, error)


def _failure(name: str, error: AudiencesError) -> Check:
    if isinstance(error, FacebookAccessError):
        return Check(name, State.FAIL, error.what, error.remedy)
    if isinstance(error, (RetryError, WaitError)):
        return Check(name, State.WARN, f"not known: {error}", "Run the check again later.", known=False)
    return Check(name, State.FAIL, str(error))


def version_check(version: str, today: date) -> Check:
    """Whether that version of the Graph API still serves the Marketing API, and until when."""
    name, remedy = "API version", f"Set `api_version` in the connection to {API_VERSION}, or leave it out."
    if version not in MARKETING_API_ENDS:
        if _number(version) < min(map(_number, MARKETING_API_ENDS)):
            return Check(name, State.FAIL, f"{version}, which ended for the Marketing API long ago", remedy)
        return Check(name, State.WARN, f"{version}, which this project does not know", remedy)
    ends = MARKETING_API_ENDS[version]
    if ends is None:
        return Check(name, State.OK, version)
    if ends <= today:
        return Check(name, State.FAIL, f"{version}, which ended for the Marketing API on {ends:%d %B %Y}", remedy)
    days = (ends - today).days
    left = f"{ends:%d %B %Y}, in {days} {'day' if days == 1 else 'days'}"
    return Check(name, State.WARN, f"{version}, which ends for the Marketing API on {left}", remedy)


def _number(version: str) -> tuple[int, ...]:
    """`v26.0` as (26, 0), to be compared."""
    return tuple(int(part) for part in version.removeprefix("v").split("."))


def _token(graph: GraphSession, now: datetime) -> Check:
    """Whether the token is valid, and until when.

    The reference of debug_token wants the token once more, as `input_token` in the address, where proxies and logs would keep
    it. So it goes in the header only; where Facebook does not answer that, the day noted in the connection is what we know.
    """
    name = "access token"
    try:
        answer = graph.get("debug_token", action="check the access token", reads=TokenAnswer)
    except UnreachableError:
        raise  # the other questions would find nobody either
    except AudiencesError as error:
        if isinstance(error, RefusedError) and error.code == _NOT_TOLD:
            return _noted_expiry(name, graph.credentials.token_expires, now)
        return _failure(name, error)
    data = answer.data
    if data.is_valid is False:
        return Check(name, State.FAIL, "not valid", _RENEW)
    app = data.app_id
    if app and graph.credentials.app_id and app != graph.credentials.app_id:
        found = f"made by app {app}, while the connection names app {graph.credentials.app_id}"
        return Check(
            name, State.WARN, found, "Correct `app_id` in the connection; `app_secret` must belong to the token's."
        )
    moment = as_moment(data.expires_at)
    if moment is None:
        return Check(name, State.OK, "valid, never expires" if data.expires_at == 0 else "valid")
    if moment <= now:
        return Check(name, State.FAIL, f"expired on {moment:%d %B %Y}", _RENEW)
    if moment - now < EXPIRES_SOON:
        return Check(name, State.WARN, f"valid, expires on {moment:%d %B %Y}", _RENEW)
    return Check(name, State.OK, f"valid, expires on {moment:%d %B %Y}")


def _noted_expiry(name: str, day: date | None, now: datetime) -> Check:
    """Facebook took the token and did not say until when; what the connection says about that is a person's word."""
    if day is None:
        remedy = (
            f"To be warned in time, look its end up at {TOKEN_DEBUGGER_URL} and note the day in the connection as "
            "`token_expires`."
        )
        return Check(name, State.OK, "accepted; Facebook does not tell here until when", remedy)
    found = f"accepted; expires on {day:%d %B %Y}, says the connection"
    if day - now.date() >= EXPIRES_SOON:
        return Check(name, State.OK, found)
    return Check(name, State.WARN, found, f"{_RENEW} Correct `token_expires` with it.")


def _permissions(graph: GraphSession) -> Check:
    granted = {
        item.permission
        for item in graph.pages("me/permissions", {}, action="read the token's permissions", of=Permission)
        if item.status == "granted"
    }
    if _NEEDED_SCOPE in granted:
        return Check("permissions", State.OK, ", ".join(sorted(granted)))
    remedy = f"Make a new token with the scope {_NEEDED_SCOPE} (Business settings, System users, Generate token)."
    return Check("permissions", State.FAIL, f"{_NEEDED_SCOPE} is missing", remedy)


def _account(graph: GraphSession) -> list[Check]:
    credentials = graph.credentials
    name = f"ad account {credentials.account_id}"
    try:
        answer = graph.get(
            credentials.account_id, {"fields": _ACCOUNT_FIELDS}, action=f"read {name}", reads=AccountAnswer
        )
    except AudiencesError as error:
        return [_failure(name, error)]
    return [_account_status(name, answer), _terms(answer, credentials.account_number)]


def _account_status(name: str, answer: AccountAnswer) -> Check:
    status = answer.account_status
    label = answer.name or "found"
    if status not in _RUNNING:
        found = f"{label}, {_ACCOUNT_STATUS.get(status or 0, f'status {status}')}"
        return Check(name, State.WARN, found, "See Billing and Account quality in Ads Manager; ads may not run.")
    if not answer.business:
        # Without the scope business_management the field is absent too, so this alone stops nothing.
        remedy = "Customer lists need one: add the account in Business settings, Accounts, Ad accounts, Add."
        return Check(name, State.WARN, f"{label}; no business that this token can see", remedy)
    return Check(name, State.OK, label)


def _terms(answer: AccountAnswer, account_number: str) -> Check:
    if as_integer(answer.tos_accepted.get("custom_audience_tos")) == 1:
        return Check("Custom Audience terms", State.OK, "accepted")
    remedy = f"A person with access to the ad account accepts them once, at {TERMS_URL.format(account=account_number)}."
    return Check("Custom Audience terms", State.FAIL, "not accepted", remedy)


def _number_of_audiences(graph: GraphSession) -> Check:
    number = len(custom_audiences.list_audiences(graph))
    found = f"{number} of {MAX_LIST_AUDIENCES} customer list audiences"
    if number < _NEARLY_FULL:
        return Check("number of audiences", State.OK, found)
    remedy = "Delete audiences that no ad set uses; campaigns that create one will fail at the limit."
    # At the limit only a new campaign fails; those whose audience exists go on.
    return Check("number of audiences", State.WARN, found, remedy)


def _audience(graph: GraphSession, audience_id: str, *, adds: bool) -> Check:
    status = custom_audiences.read(graph, audience_id)
    name, found = f"audience {audience_id}", f"{harmless_line(status.name)}: {status.advice}"
    try:
        status.ensure_writable(adds=adds)
    except FacebookAccessError as error:
        return Check(name, State.FAIL, error.what, error.remedy)
    except WaitError as error:
        return Check(name, State.WARN, error.what, "A run waits until it is free.")
    if status.reaction is Reaction.WARN:
        return Check(name, State.WARN, found, "Look at the audience in Ads Manager, Audiences.")
    if status.delivers is False:
        remedy = "Ads reach it once about 100 people are matched; more identifiers raise the match rate."
        return Check(name, State.WARN, f"{found}; {status.delivery_text or 'does not deliver yet'}", remedy)
    return Check(name, State.OK, found)
