"""What is on record of runs, in Airflow's database, in the ledger and at Facebook, and what runs where."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.distributed.world import LIVE, MANY

if TYPE_CHECKING:
    from tests.distributed.cluster import Cluster
    from tests.distributed.machines import Machine

_UPLOADS: Final = ("POST audience/users", "DELETE audience/users")


@dataclass(frozen=True)
class Records:
    """Questions about the campaign of several shards, unless they say otherwise."""

    cluster: Cluster

    def tasks(self, run: str, columns: str, where: str) -> list[tuple[Any, ...]]:
        """These columns of the run's tasks in Airflow's database."""
        query = f"select {columns} from task_instance where run_id = %s and dag_id = '{MANY}' and {where}"
        return self.cluster.rows("airflow", query, run)

    def failed_tries(self, run: str) -> list[tuple[str, int, int, str]]:
        """Task, map index, number and host of each try of the run's tasks that is over and was no success."""
        columns = "task_id, map_index, try_number, hostname"
        query = (
            f"select {columns} from task_instance_history where run_id = %s and state <> 'success' union"
            f" select {columns} from task_instance where run_id = %s and state in ('up_for_retry', 'failed')"
        )
        return self.cluster.rows("airflow", query, run, run)

    def is_running(self, run: str, task: str) -> bool:
        return bool(self.tasks(run, "1", f"task_id = '{task}' and state = 'running'"))

    def uploads(self, run: str) -> bool:
        """Whether it is in mid-upload."""
        return bool(self.requests(run, "sending")) and self.is_running(run, "add")

    def uploading(self, run: str) -> Machine:
        """A worker that sends to Facebook now."""
        ((host, _), *_others) = self.tasks(run, "hostname, map_index", "task_id = 'add' and state = 'running'")
        return self.cluster.machines[host]

    def requests(self, run: str, state: str) -> list[tuple[Any, ...]]:
        """Its requests in that state, by the ledger."""
        return self.cluster.rows(
            "ledger",
            "select c.id from audiences.chunk c join audiences.run r on r.id = c.run_id"
            " where r.external_id = %s and c.state = %s",
            run,
            state,
        )

    def waiting(self) -> str | None:
        """The triggerer in which the wait for events is."""
        found = self.cluster.rows(
            "airflow",
            "select j.hostname from trigger t join job j on j.id = t.triggerer_id where t.classpath like 'audiences.%%'",
        )
        return str(found[0][0]) if found else None

    def last_request(self) -> int:
        """The number of the last request that Facebook got."""
        return max((entry["number"] for entry in self.cluster.sandbox.requests()), default=0)

    def applied(self, since: int) -> int:
        """How many uploads Facebook carried out after the request of that number, the live campaign's left out."""
        live = self._audience(LIVE)
        return sum(
            entry["applied"] and entry["call"] in _UPLOADS and entry["audience"] != live
            for entry in self.cluster.sandbox.requests(since)
        )

    def _audience(self, campaign: str) -> str | None:
        state = self.cluster.sandbox.state(members=False, requests=False)
        return next((one["id"] for one in state["audiences"] if one["name"] == campaign.capitalize()), None)

    def members(self, campaign: str) -> set[Any]:
        """The members of a campaign's audience at Facebook."""
        audience = self._audience(campaign)
        rows = self.cluster.sandbox.members(audience) if audience else []
        return {tuple(sorted(row.items())) for row in rows}


def processes_with_arrow(machine: Machine) -> int:
    """How many of a machine's processes have imported Arrow, or were forked from one that had."""
    return sum("/libarrow.so" in _mapped(process.pid) for process in machine.processes())


def _mapped(pid: int) -> str:
    """The libraries in the process, and all else that is mapped; nothing for one that has ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/maps").read_text()
    return ""
