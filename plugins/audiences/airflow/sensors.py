"""The sensor of live events: polls, waits in the triggerer while nothing is due, and opens the runs of what is."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.configuration import conf
from airflow.sdk import BaseSensorOperator

from audiences.airflow.failures import NOTE, told
from audiences.airflow.live_runs import open_runs
from audiences.airflow.polling import Poller, signature
from audiences.airflow.run_conf import RunConf
from audiences.airflow.triggers import POLL_SECONDS, ROLL_OVER_SECONDS, UNSEEN_SECONDS, LiveEventsTrigger
from audiences.campaign.files import former_ids
from audiences.campaign.project import Project
from audiences.campaign.wording import counted
from audiences.logs import logger
from audiences.when.live.watch import Watch, is_live, was_live

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from audiences.errors import Problem

QUIET_SECONDS = 20.0
"""So long after the last batch the task looks on from its worker, before it gives it back."""
LONGEST_STAY_SECONDS = 300.0
"""Not longer in one go, so that a worker which is to be stopped comes to its end."""
_log = logger(__name__)


class LiveEventsSensor(BaseSensorOperator):
    """Waits for events of all live campaigns together, and opens a run for each batch that is due, again and again.

    It goes on until the campaign files change or it has waited long enough; the next run of its DAG knows the files of then.

    :param project: the folder with `campaigns/` and `include/`.
    """

    ui_color = "#fff6dd"
    template_fields: Sequence[str] = ()

    def __init__(self, *, project: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project = project

    def execute(self, context: Context) -> None:
        """Poll, open the runs of what is due, and be deferred.

        Polling first matters: the first poll of a trigger has to wait until Airflow knows that this process has ended.
        """
        with told(context):
            RunConf.of(context["dag_run"].dag_id, context["dag_run"].conf)
        folder = Path(self.project)
        seen = signature(folder)
        watch = _watch(folder)
        with closing(Poller(watch)) as poller, told(context):
            found = poller.poll()
        limit = UNSEEN_SECONDS if _stays_at_its_commit(context) else ROLL_OVER_SECONDS
        known = watch.model_dump(mode="json", by_alias=True, exclude_none=True) if watch else None
        wait, opened = _Wait(known, seen, time.time() + limit), self._open_runs(context, found, 0)
        if not opened:
            self._defer(wait, opened)
        self._go_on(context, wait, opened)

    def resume(
        self,
        context: Context,
        event: dict[str, Any],
        *,
        watch: dict[str, Any] | None = None,
        seen: str = "",
        until: float = 0.0,
        opened: int = 0,
    ) -> None:
        """Open the runs of what a poll found, and wait on; what an earlier version deferred comes without the keywords.

        :param event: what the poll found: the `batches`, and what is `said` of it.
        :param watch: what to watch for, as JSON; None when there is no live campaign.
        :param seen: the signature of the project's files at the time when `watch` was made.
        :param until: the time, in seconds of the clock, at which the wait is over.
        :param opened: how many runs this task has opened before.
        """
        opened = self._open_runs(context, event, opened)
        # A trigger that comes without batches has seen other files. After a failure, whose number makes Airflow's pauses
        # longer, the next run of the DAG counts anew.
        if event["batches"] and context["ti"].try_number == 1:
            self._go_on(context, _Wait(watch, seen, until), opened)

    go_on = resume  # the method that tasks name which an earlier version deferred

    def _open_runs(self, context: Context, found: dict[str, Any], opened: int) -> int:
        """Open the runs, and note what was found; returns how many were opened by now."""
        batches = found["batches"]
        if batches or not opened:
            before = f"{counted(opened, 'run')} opened before; " if opened else ""
            context["ti"].xcom_push(key=NOTE, value=f"{before}{found['said']}")
        with told(context):
            open_runs(batches)
        return opened + len(batches)

    def _go_on(self, context: Context, wait: _Wait, opened: int) -> None:
        """Look on from here while events keep coming, then from the triggerer; ends when the wait is over."""
        opened = self._stay(context, wait, opened)
        if self._is_current(wait):
            self._defer(wait, opened)

    def _stay(self, context: Context, wait: _Wait, opened: int) -> int:
        """Look on from here until it is quiet, which saves the way over the triggerer; returns how many runs were opened by now.

        Where a poll fails, the trigger goes on, which is patient.
        """
        if may_be_the_only_one():
            return opened
        begun = last = time.monotonic()
        with closing(Poller(Watch.model_validate(wait.watch) if wait.watch else None)) as poller:
            while self._is_current(wait) and time.monotonic() < min(last + QUIET_SECONDS, begun + LONGEST_STAY_SECONDS):
                time.sleep(POLL_SECONDS)
                try:
                    found = poller.poll()
                except Exception:  # noqa: BLE001  # whatever it is, the trigger tries again, and raises it in the end
                    _log.exception("a look for live events failed; the triggerer goes on")
                    break
                if found["batches"]:
                    opened, last = self._open_runs(context, found, opened), time.monotonic()
        return opened

    def _is_current(self, wait: _Wait) -> bool:
        """Whether the wait is not over, and the files are those that it knows."""
        return time.time() < wait.until and signature(Path(self.project)) == wait.seen

    def _defer(self, wait: _Wait, opened: int) -> NoReturn:
        self.defer(
            trigger=LiveEventsTrigger(
                watch=wait.watch,
                seen=wait.seen,
                first_poll_seconds=max(POLL_SECONDS, _noticed_after()),
                roll_over_seconds=max(wait.until - time.time(), 0),
            ),
            method_name="resume",
            kwargs={**asdict(wait), "opened": opened},
        )


@dataclass(frozen=True, slots=True)
class _Wait:
    """What the wait of one run of the dispatcher is for; see `LiveEventsSensor.resume`."""

    watch: dict[str, Any] | None
    seen: str
    until: float


def may_be_the_only_one() -> bool:
    """Whether Airflow may have no place for another task beside this one, so that the runs it opens wait for its end."""
    return 1 in (conf.getint("core", "parallelism"), conf.getint("celery", "worker_concurrency", fallback=16))


def _noticed_after() -> float:
    """Seconds after which the scheduler surely knows that a task's process has ended.

    The process that watches over it sleeps for `min_heartbeat_interval` at a time, and often does not wake at its end. When the
    task is resumed before the scheduler is told of that, it is taken for one that was killed (measured on Airflow 3.3.2).
    """
    return conf.getfloat("workers", "min_heartbeat_interval") + 1.0


def _stays_at_its_commit(context: Context) -> bool:
    """Whether the files that this run sees are a checkout of one commit, as of a Git DAG bundle; a run keeps to it."""
    return getattr(getattr(context["ti"], "bundle_instance", None), "version", None) is not None


def _watch(folder: Path) -> Watch | None:
    """The published live campaigns; those whose file is wrong, renamed or in a folder that is away keep their place."""
    project = Project.load(folder)
    unreadable: list[Problem] = []
    broken = project.broken_campaigns.keys() | former_ids(folder, unreadable)
    campaigns = project.campaigns.values()
    return Watch.of(
        filter(is_live, campaigns),
        stopped=filter(was_live, campaigns),
        broken=sorted(broken),
        some_unread=bool(unreadable or project.unread),
    )
