"""Polling for live events, in the sensor on a worker and in its trigger in the triggerer, and what both pass on."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from audiences.campaign.files import campaign_files, shared_files
from audiences.errors import ConfigError
from audiences.logs import logger

if TYPE_CHECKING:
    from pathlib import Path

    from audiences.errors import Problem
    from audiences.pipeline.resources import Resources
    from audiences.when.live.watch import Watch

_log = logger(__name__)


class Poller:
    """Polls when it is asked to; its connection to the ledger stays open between two polls.

    :param watch: the live campaigns; None when there is none.
    """

    def __init__(self, watch: Watch | None) -> None:
        self._watch = watch
        self._resources: Resources | None = None
        self.said = "no live campaign is published"

    def poll(self) -> dict[str, Any]:
        """Poll once. Gives the runs to trigger, as arguments of TriggerDagRunOperator, under `batches`, and what is `said`."""
        if self._watch is None:
            return {"batches": [], "said": self.said}
        from audiences.ledger.migrate import ensure_not_newer
        from audiences.pipeline.live.poll_resources import live_resources
        from audiences.pipeline.live.poller import poll

        if self._resources is None:
            self._resources = live_resources(self._watch)
        try:
            ensure_not_newer(self._resources.ledger)  # it stays open for hours, in which an upgrade may migrate it
            polled = poll(self._resources, self._watch)
        except Exception:
            self.close()
            raise
        self.said = polled.in_words()
        if polled.new or polled.batches:
            _log.info("%s", self.said)
        return {
            "batches": [
                {
                    "trigger_dag_id": batch.campaign,
                    "trigger_run_id": f"live__{batch.campaign}__{batch.id}__{batch.tries}",
                    "conf": {"batch": batch.id, "events": batch.events, "try": batch.tries},
                }
                for batch in polled.batches
            ],
            "said": self.said,
        }

    def close(self) -> None:
        """Close the connection; the next poll opens a new one."""
        if self._resources is not None:
            self._resources.__exit__()
            self._resources = None


def signature(project: Path) -> str:
    """Changes when a file does that live campaigns are made of, or what is in its place: a folder, a link to nowhere."""
    with suppress(ConfigError):  # a folder that cannot be read, for now: its files may come back
        unread: list[Problem] = []
        paths = [file.path for files in campaign_files(project, unread).values() for file in files]
        paths += [path for paths in shared_files(project).values() for path in paths]
        return hashlib.sha256(repr([*map(_state, paths), *map(str, unread)]).encode()).hexdigest()
    return ""


def _state(path: Path) -> tuple[str, int, int]:
    try:
        status = path.stat()
    except OSError:
        return ascii(path.name), 0, 0
    return ascii(path.name), status.st_mtime_ns, status.st_size
