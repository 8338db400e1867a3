"""The pages' scripts: written by hand, served as they are, under an address that changes with their content."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).with_name("static")
TYPES: Final = {".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
"""What is served, by the end of its name."""


@cache
def contents() -> dict[str, bytes]:
    """Every script by its name, as it was when this process first asked."""
    return {path.name: path.read_bytes() for path in sorted(FOLDER.iterdir()) if path.suffix in TYPES}


@cache
def digest() -> str:
    """A digest over all scripts. It is part of their address, so a browser keeps what it has and never shows an old one."""
    content = hashlib.sha256()
    for name, body in contents().items():
        content.update(name.encode() + b"\0" + hashlib.sha256(body).digest())
    return content.hexdigest()[:16]


def address(name: str) -> str:
    """Where a script is, from Airflow's own address on."""
    return f"audiences/assets/{digest()}/{name}"
