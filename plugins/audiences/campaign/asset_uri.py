"""The URI of an asset as Airflow keeps it, and what Airflow does not take for one; without Airflow.

The rules are those of Airflow's class `Asset` and of the functions by which its providers check URIs of their schemes (contract:
`tests/airflow/test_asset_uri.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from audiences.campaign.wording import counted, shown

LONGEST: Final = 1500
"""Characters of a name or a URI, for which Airflow's database has room."""
NAMED: Final = ("self", "context")
"""Names that Airflow gives to no asset."""
OF_DAGS: Final = "dag"
"""The scheme of the assets that stand for "a run of this DAG has succeeded"."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a provider wants of its scheme: a host, and below it so many names; `port` where none is given."""

    scheme: str
    host: str
    names: tuple[str, ...] = ()
    port: int | None = None
    default: str | None = None  # what stands for an empty second name

    def __str__(self) -> str:
        return f"`{self.scheme}://{'/'.join((self.host, *self.names))}`"


_POSTGRES: Final = _Shape("postgres", "host", ("database", "schema", "table"), port=5432, default="default")
_MYSQL: Final = _Shape("mysql", "host", ("database", "table"), port=3306)
_SHAPES: Final = {
    "postgres": _POSTGRES,
    "postgresql": _POSTGRES,
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
    "redshift": _Shape("redshift", "host", ("database", "schema", "table"), port=5439),
    "trino": _Shape("trino", "host", ("catalog", "schema", "table"), port=8080),
    "bigquery": _Shape("bigquery", "project", ("dataset", "table")),
    "s3": _Shape("s3", "bucket"),
    "gs": _Shape("gs", "bucket"),
}


def as_stored(uri: str) -> str:
    """The URI as Airflow keeps it, one for every way to spell it. Raises ValueError for one that it does not take."""
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        message = f"{shown(uri)} is no URI that Airflow takes: its host or port cannot be read"
        raise ValueError(message) from None
    scheme = parts.scheme.lower()
    if not scheme or scheme.startswith("x-"):
        return uri
    if parts.password:
        message = "holds a password; the URI of an asset is a name and opens nothing, so write it without"
        raise ValueError(message)
    if scheme == "airflow":
        message = f"{shown(uri)} begins with `airflow:`, which Airflow keeps for itself"
        raise ValueError(message)
    parts = parts._replace(
        scheme=scheme,
        path=parts.path.rstrip("/") or "/",
        query=urlencode(sorted(parse_qsl(parts.query))),
        fragment="",
    )
    shape = _SHAPES.get(scheme)
    stored = urlunsplit(_shaped(parts, port, shape, uri) if shape else parts)
    if len(stored) > LONGEST:
        message = f"is longer than the {counted(LONGEST, 'character')} for which Airflow has room"
        raise ValueError(message)
    return stored


def _shaped(parts: SplitResult, port: int | None, shape: _Shape, uri: str) -> SplitResult:
    """As a provider writes a URI of its scheme."""
    names = parts.path.split("/")[1:]
    if not parts.netloc or (shape.names and len(names) != len(shape.names)):
        message = f"{shown(uri)} is no URI that Airflow takes: one of this scheme is written {shape}"
        raise ValueError(message)
    if shape.port is not None and port is None:
        parts = parts._replace(netloc=f"{parts.netloc.rstrip(':')}:{shape.port}")
    if shape.default and not names[1]:
        names[1] = shape.default
        parts = parts._replace(path=f"/{'/'.join(names)}")
    return parts._replace(scheme=shape.scheme)
