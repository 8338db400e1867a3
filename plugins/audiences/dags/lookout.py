"""Looks for live events, from the sensor on a worker and from its trigger alike, and what they pass on."""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from audiences.pipeline.live.doors import LiveDoors
    from audiences.when.live.watch import Watch

_log = logging.getLogger(__name__)
_WATCHED = ("campaigns/*.y*ml", "include/*.yml")


class Lookout:
    """Looks as often as it is asked to; its connection to the ledger stays open meanwhile."""

    def __init__(self, watch: Watch | None) -> None:
        self._watch = watch
        self._doors: LiveDoors | None = None
        self.said = "no live campaign is published"

    def look(self) -> dict[str, Any]:
        """Look once. Gives the runs to trigger, as arguments of TriggerDagRunOperator, under `batches`, and what is `said`."""
        if self._watch is None:
            return {"batches": [], "said": self.said}
        from audiences.pipeline.live.doors import LiveDoors
        from audiences.pipeline.live.poll import poll

        if self._doors is None:
            self._doors = LiveDoors(self._watch)
        try:
            polled = poll(self._doors, self._watch)
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
        """Close the connection; the next look opens a new one."""
        if self._doors is not None:
            self._doors.__exit__()
            self._doors = None


def signature(project: Path) -> str:
    """Changes when a file does that live campaigns are made of."""
    files = sorted(path for pattern in _WATCHED for path in project.glob(pattern))
    found = [(path.name, (status := path.stat()).st_mtime_ns, status.st_size) for path in files]
    return hashlib.sha256(repr(found).encode()).hexdigest()
