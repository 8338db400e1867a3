"""What the routes answer from: the project beside the DAGs, and what it names, opened for one request and closed after it."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

from audiences.project_here import project_here
from audiences.reporting.project_files import CachedProject
from audiences.reporting.read_only import ReadOnlyResources

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audiences.reporting.project_files import ProjectFiles

_LOOKED_AT_SECONDS: Final = 2.0


@cache
def _project() -> CachedProject:
    return CachedProject(project_here())


def files() -> ProjectFiles:
    """The project's files as they were a moment ago. Raises ConfigError for a folder that cannot be read."""
    return _files_at(int(time.monotonic() / _LOOKED_AT_SECONDS))


@lru_cache(maxsize=1)
def _files_at(_: int) -> ProjectFiles:
    """Looking whether one of a thousand files has changed takes long enough to be done once for all requests of a page."""
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
