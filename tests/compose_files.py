"""The Compose files of this project as Compose reads them: services that take over from another file, and variables."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import yaml

PROJECT: Final = Path(__file__).resolve().parents[1]
FILES: Final = ("docker-compose.yml", "docker-compose.celery.yml")
"""Those that are started; others only lend services."""
VARIABLE: Final = re.compile(r"(?<!\$)\$\{(\w+)(?::([-?])([^}]*))?\}")
Service = dict[str, Any]


def services(name: str) -> dict[str, Service]:
    """The services of a file, each with what it takes over by `extends`; variables are left as they stand."""
    return {service: _with_what_it_extends(content, name) for service, content in _content(name)["services"].items()}


def volumes(name: str) -> set[str]:
    """The named volumes that a file declares."""
    return set(_content(name)["volumes"])


def files(name: str) -> list[str]:
    """The files that make up the set-up: this one, and those that it takes services over from."""
    others = {content["extends"]["file"] for content in _content(name)["services"].values() if "extends" in content}
    return [name, *sorted(others)]


def text(name: str) -> str:
    """All that is written in these files."""
    return "\n".join((PROJECT / file).read_text() for file in files(name))


def variables(name: str) -> list[tuple[str, str, str]]:
    """What has to come from .env: each variable with its operator, `-` or `?`, and the default or the complaint."""
    return VARIABLE.findall(text(name))


def interpolated(value: str, given: dict[str, str]) -> str:
    """The text as Compose reads it, see "Interpolation" in its specification."""

    def fill(found: re.Match[str]) -> str:
        variable, operator, word = found.groups()
        assert operator != "?" or given.get(variable), f"{variable}: {word}"
        return given.get(variable) or (word if operator == "-" else "")

    return VARIABLE.sub(fill, value).replace("$$", "$")


def _content(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((PROJECT / name).read_text())
    return content


def _with_what_it_extends(service: Service, file: str) -> Service:
    own = dict(service)
    extended = own.pop("extends", None)
    if extended is None:
        return own
    # Compose 1.29 refuses to take over a service that waits for others.
    base = _content(extended["file"])["services"][extended["service"]]
    assert not {"depends_on", "extends"} & base.keys(), f"{file}: {extended}"
    return _merged(base, own)


def _merged(base: Service, own: Service) -> Service:
    """As "Merge" in Compose's specification: mappings key by key, volumes by where they are mounted, the rest replaced."""
    merged = dict(base)
    for key, value in own.items():
        if key in base and isinstance(value, dict):
            merged[key] = _merged(base[key], value)
        elif key == "volumes":
            mounted = {volume.split(":")[1]: volume for volume in (*base.get(key, []), *value)}
            merged[key] = list(mounted.values())
        else:
            merged[key] = value
    return merged
