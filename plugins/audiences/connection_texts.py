"""Connections as texts, a URI or JSON, as the environment and most secrets backends keep them; read without Airflow.

Airflow takes more than a second to import, so a connection that stands in the environment is read here, where that gives what
Airflow would. Whatever is out of the ordinary is left to Airflow (`connections.look_up`).
"""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

NEITHER: Final = "it is neither a URI nor JSON that Airflow can read"
_SCHEME: Final = re.compile(r"\w[\w+.-]*")
_OF_A_TEAM: Final = "___"
_ONE_FIELD_AS_JSON: Final = "__extra__"
# Settings by which Airflow asks elsewhere before it looks into the environment.
_BACKENDS: Final = ("AIRFLOW__SECRETS__BACKEND", "AIRFLOW__WORKERS__SECRETS_BACKEND")
# As Airflow's parser has it: keys in any letter case and indented, values on the next line too, if that is indented.
_BACKEND_IN_FILE: Final = re.compile(
    r"^[^\S\n]*(?:secrets_)?backend\w*[^\S\n]*[=:](?:[^\S\n]*|\s*\n[^\S\n]+)\S", re.MULTILINE | re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class ConnectionParts:
    """A connection as Airflow takes it apart; `extra` is a text still."""

    conn_type: str | None = None
    host: str | None = None
    port: int | None = None
    login: str | None = None
    password: str | None = None
    schema: str | None = None
    extra: str | None = None
    description: str | None = None


def of_environment(connection_id: str) -> str:
    """The text of a connection where the environment decides what it is; empty where Airflow has to be asked.

    That is so in a process of Airflow's, which may keep connections elsewhere, where the settings name a secrets backend, which
    comes first, and where the environment has none of that id.
    """
    stated = os.environ.get(f"AIRFLOW_CONN_{connection_id.upper()}", "").strip()
    if not stated or "airflow" in sys.modules or _OF_A_TEAM in connection_id or _has_secrets_backend():
        return ""
    return stated


def _has_secrets_backend() -> bool:
    """Whether Airflow's settings may name a secrets backend; one in doubt counts."""
    if any(value and name.startswith(_BACKENDS) for name, value in os.environ.items()):
        return True
    home = os.environ.get("AIRFLOW_HOME", "~/airflow")
    file = Path(os.path.expandvars(os.environ.get("AIRFLOW_CONFIG", f"{home}/airflow.cfg"))).expanduser()
    try:
        return _BACKEND_IN_FILE.search(file.read_text(encoding="utf-8")) is not None
    except FileNotFoundError:
        return False
    except (OSError, UnicodeDecodeError):
        return True


def plainly(stated: str) -> ConnectionParts | None:
    """The fields of a text as Airflow reads it; None for one that it may refuse, or reads in a way of its own."""
    if misread(stated):
        return None
    try:
        return _of_json(json.loads(stated)) if stated.startswith("{") else _of_uri(stated)
    except (ValueError, TypeError):
        return None


def _of_json(given: dict[str, Any]) -> ConnectionParts | None:
    if isinstance(uri := given.get("uri"), str) and len(given) == 1:
        return _of_uri(uri)
    kind, port, extra = given.pop("conn_type", None), given.pop("port", None), given.pop("extra", None)
    if not isinstance(kind, str | None) or not all(isinstance(value, str | None) for value in given.values()):
        return None
    return ConnectionParts(
        conn_type=_kind(kind) if kind else None,
        port=int(port) if port else None,
        extra=(extra if isinstance(extra, str) else json.dumps(extra)) if extra else None,
        **given,
    )


def _of_uri(uri: str) -> ConnectionParts | None:
    if uri.count("://") != 1:
        return None
    scheme = urlsplit(uri).scheme
    parts = urlsplit(uri.replace(f"{scheme}://", "//"))
    host = unquote(parts.hostname or "")
    if "/" in host:  # a path, which may have capital letters
        host = unquote(parts.netloc.rsplit("@", 1)[-1].split(":", 1)[0])
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    return ConnectionParts(
        conn_type=_kind(scheme),
        host=host,
        port=parts.port,
        login=unquote(parts.username) if parts.username else parts.username,
        password=unquote(parts.password) if parts.password else parts.password,
        schema=unquote(parts.path[1:]),
        extra=query.get(_ONE_FIELD_AS_JSON, json.dumps(query)) if parts.query else None,
    )


def _kind(name: str) -> str:
    return "postgres" if name == "postgresql" else name.replace("-", "_")


def misread(stated: str) -> str:
    """Why a text is no connection, or would be read as something else than was meant; empty if neither.

    A part of it may be a part of the password, so none is quoted.
    """
    stated = stated.strip()
    if stated.startswith("{"):
        return misread(_uri_in(stated))
    scheme, _, rest = stated.partition("://")
    if not _SCHEME.fullmatch(scheme) or (scheme == stated != ""):
        return NEITHER if stated else ""
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "#" in rest:
        return "it has a raw `#` in it"
    if ":" in authority and "@" not in authority and "@" in rest[len(authority) :]:
        return "its password has a raw `/` or `?` in it"
    return ""


def _uri_in(stated: str) -> str:
    """The `uri` of a connection that is JSON, the other way to write one there; empty without it."""
    try:
        uri = json.loads(stated).get("uri")
    except (ValueError, AttributeError):  # told by whoever reads the connection
        return ""
    return uri if isinstance(uri, str) else ""
