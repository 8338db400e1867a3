"""What is done beside a run: telling people, metrics, lineage. What goes wrong there is told in the log and fails nothing."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from audiences.logs import logger

if TYPE_CHECKING:
    from collections.abc import Iterator

_log = logger(__name__)


@contextmanager
def harmless(what: str) -> Iterator[None]:
    """Log an error of the block, with `what` it keeps from being done, and go on behind the block."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  # it must not change what becomes of the run
        from audiences.ledger import runs

        _log.error("%s; nothing else is affected: %s", what, runs.error_text(error))
