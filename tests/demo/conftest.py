from __future__ import annotations

import socket
import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def folder():
    """A folder of our own: another pytest that starts meanwhile closes the parents of `tmp_path` to other accounts."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
