"""Credentials for Facebook: the token, the app and the ad account of one Airflow connection."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from audiences.campaign.wording import shown
from audiences.facebook.contract import API_VERSION, GRAPH_URL
from audiences.facebook.graph_errors import ConnectionIncompleteError

if TYPE_CHECKING:
    from audiences.connections import Connection

_ACCOUNT = re.compile(r"(?:act_)?([0-9]{1,20})")
# `generic` is what `airflow connections add` makes of a type whose provider is not installed there.
_TYPE = re.compile(r"facebook\w*|fb|https?|generic", re.IGNORECASE)
_VERSION = re.compile(r"v[0-9]+\.[0-9]+")
_HEADER_SAFE = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class Credentials:
    """`account_id` is `act_` and digits; `graph_url` has no slash at its end. The repr shows no token or secret.

    `token_expires` is the day that a person noted down, for Facebook may not tell it.
    """

    access_token: str = field(repr=False)
    app_id: str
    app_secret: str | None = field(repr=False)
    account_id: str
    graph_url: str = GRAPH_URL
    api_version: str = API_VERSION
    token_expires: date | None = None

    @classmethod
    def from_connection(cls, connection: Connection, *, account_id: str | None = None) -> Self:
        """From an Airflow connection of the shape that Airflow's Facebook provider uses.

        Its extra has app_id, app_secret, access_token, account_id and, as our addition, graph_url, api_version and
        token_expires. The password serves as the token where `access_token` is missing; `account_id` (from the settings)
        wins over the connection's own. Raises ConnectionIncompleteError.
        """
        try:
            return cls._read(connection, account_id)
        except ConnectionIncompleteError as error:
            raise error.with_traceback(None) from None  # the frame below has the token among its local variables

    @classmethod
    def of_account(cls, connection: Connection, account_id: str) -> Self:
        """As `from_connection`, for an ad account of the settings; a connection that names another one is refused."""
        named = _text(connection.extra.get("account_id"))
        if named and named.removeprefix("act_") != account_id.removeprefix("act_"):
            problem = f"is for the ad account `{named}`, while include/settings.yml says `{account_id}`"
            remedy = "Correct one of them; a connection that serves several ad accounts leaves `account_id` out."
            raise ConnectionIncompleteError(connection.id, problem, remedy)
        return cls.from_connection(connection, account_id=account_id)

    @classmethod
    def _read(cls, connection: Connection, account_id: str | None) -> Self:
        name, extra = connection.id, connection.extra
        if connection.type and not _TYPE.fullmatch(
            connection.type
        ):  # else a database's password would go to Facebook as a token
            remedy = "Make it one of the type `facebook_social`, with app_id and access_token in its extra."
            raise ConnectionIncompleteError(
                name, f"is of the type {shown(connection.type)}, which is none of Facebook's", remedy
            )
        token = _text(extra.get("access_token")) or _text(connection.password)
        if not token:
            raise ConnectionIncompleteError(name, "has no access token", "Put it into the extra `access_token`.")
        if not _HEADER_SAFE.fullmatch(token):
            problem = "has an access token with blanks or special characters in it"
            raise ConnectionIncompleteError(name, problem, "Copy the token again, without line breaks.")
        return cls(
            access_token=token,
            app_id=_text(extra.get("app_id")),
            app_secret=_text(extra.get("app_secret")) or None,
            account_id=_account(name, account_id or _text(extra.get("account_id"))),
            graph_url=_graph_url(name, _text(extra.get("graph_url")) or GRAPH_URL),
            api_version=_version(name, _text(extra.get("api_version")) or API_VERSION),
            token_expires=_day(name, _text(extra.get("token_expires"))),
        )

    @property
    def account_number(self) -> str:
        """The ad account id without `act_`, as usage headers and web addresses write it."""
        return self.account_id.removeprefix("act_")

    @property
    def secrets(self) -> tuple[str | None, ...]:
        """What no text may show."""
        return self.access_token, self.app_secret, self.appsecret_proof

    @property
    def appsecret_proof(self) -> str | None:
        """HMAC-SHA256 of the token under the app secret (Login security guide); worthless without the token."""
        if not self.app_secret:
            return None
        return hmac.new(self.app_secret.encode(), self.access_token.encode(), hashlib.sha256).hexdigest()


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _account(connection: str, account_id: str) -> str:
    match = _ACCOUNT.fullmatch(account_id)
    if not match:
        problem = f"names the ad account `{account_id}`" if account_id else "names no ad account"
        raise ConnectionIncompleteError(connection, problem, "Give `account_id` as act_ and the account's number.")
    return f"act_{match[1]}"


def _graph_url(connection: str, url: str) -> str:
    """The base address; over plain http only to a host that is not Facebook's (the sandbox)."""
    remedy = f"Leave `graph_url` out for {GRAPH_URL}, or give the address of a sandbox, such as http://127.0.0.1:8765."
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        raise ConnectionIncompleteError(connection, "has a `graph_url` that is no web address", remedy) from None
    if parts.scheme not in {"http", "https"} or not host or parts.username or parts.query or parts.fragment:
        raise ConnectionIncompleteError(connection, "has a `graph_url` that is no plain web address", remedy)
    if parts.scheme == "http" and f".{host}".endswith(".facebook.com"):
        raise ConnectionIncompleteError(connection, "would send the token to Facebook unencrypted", remedy)
    return url.rstrip("/")


def _version(connection: str, version: str) -> str:
    if not _VERSION.fullmatch(version):
        problem = f"has the `api_version` `{version}`"
        raise ConnectionIncompleteError(connection, problem, f"Write it as {API_VERSION}, or leave it out.")
    return version


def _day(connection: str, day: str) -> date | None:
    try:
        return date.fromisoformat(day) if day else None
    except ValueError:
        problem = f"has the `token_expires` `{day[:40]}`"
        raise ConnectionIncompleteError(connection, problem, "Write the day as 2027-01-31, or leave it out.") from None
