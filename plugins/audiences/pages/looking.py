"""What the routes answer from: the project beside the DAGs, and what it names, opened for one request and closed after it."""

from __future__ import annotations

import os
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from audiences.reporting.project_files import CachedProject
from audiences.reporting.read_only import ReadOnlyResources

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audiences.reporting.project_files import ProjectFiles


def root() -> Path:
    """The project's folder, as the DAGs find it."""
    return Path(os.environ.get("AUDIENCES_PROJECT", Path(__file__).parents[3]))


@cache
def _project() -> CachedProject:
    return CachedProject(root())


def files() -> ProjectFiles:
    """The project's files as they are now. Raises ConfigError for a folder that cannot be read."""
    return _project().current()


@contextmanager
def looking() -> Iterator[tuple[ProjectFiles, ReadOnlyResources]]:
    """The project's files and what they name; nothing is written. Raises ConfigError for settings that are wrong."""
    found = files()
    with ReadOnlyResources(found) as resources:
        yield found, resources


def now() -> datetime:
    """The one clock of the pages."""
    return datetime.now(UTC)
