"""Airflow as far as it creates scheduled runs, with a clock that the test sets.

`DagModel`, `DagRun` and `SerializedDAG` are Airflow's own; only the database between them is played. Imports Airflow, so
it is imported by a fixture and not at the top of a test.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization
from airflow.timetables.simple import NullTimetable
from airflow.utils.types import DagRunType

from audiences.when.timetable import CampaignTimetable

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from airflow.serialization.definitions.dag import SerializedDAG

    from audiences.campaign.spec import CampaignSpec


def _logical_date(run: DagRun) -> datetime:
    assert run.logical_date is not None  # only a run that somebody starts may have none
    return run.logical_date


class Airflow:
    """One campaign in Airflow. `spec` may be changed at any time: that is a commit, which the next parse finds."""

    def __init__(self, spec: CampaignSpec, now: datetime) -> None:
        self.spec = spec
        self.now = now
        self.model = DagModel(dag_id=spec.id)  # type: ignore[no-untyped-call]  # Airflow gives it no types
        self.created: list[DagRun] = []
        self._dag: SerializedDAG = DagSerialization.from_dict(DagSerialization.to_dict(DAG(spec.id, schedule=None)))

    @property
    def runs(self) -> list[datetime]:
        """When the runs of the schedule were due, in the order of their creation."""
        return [run.run_after for run in self.created if run.run_type == DagRunType.SCHEDULED]

    @property
    def next(self) -> datetime | None:
        """When the next run is due, as the list of DAGs shows it."""
        return self.model.next_dagrun_create_after

    def dag(self) -> SerializedDAG:
        """The DAG as it comes out of the database."""
        timetable = CampaignTimetable.of(self.spec)
        if timetable:
            saved = json.loads(json.dumps(timetable.serialize()))
            timetable = CampaignTimetable(**saved, clock=lambda: self.now)
        self._dag.timetable = timetable or NullTimetable()
        return self._dag

    def parse(self) -> None:
        """The DAG processor, which reads the file anew and works out the next run (`DagModelOperation.update_dags`)."""
        reference = max(self.created, key=_logical_date, default=None)
        self.model.calculate_dagrun_date_fields(self.dag(), reference_run=reference)

    def schedule(self) -> None:
        """The scheduler, which creates the run that is due (`SchedulerJobRunner._create_dag_runs`)."""
        if self.next is None or self.next > self.now:
            return
        dag = self.dag()
        for run in self.created:
            if run.logical_date == self.model.next_dagrun:
                self.model.calculate_dagrun_date_fields(dag, reference_run=run)
                return
        info = dag.timetable.next_run_info_from_dag_model(dag_model=self.model)
        assert info is not None
        run_id = dag.timetable.generate_run_id(
            run_type=DagRunType.SCHEDULED, run_after=info.run_after, data_interval=info.data_interval
        )
        assert run_id not in {run.run_id for run in self.created}
        assert info.logical_date not in {run.logical_date for run in self.created}
        run = DagRun(
            dag_id=self.spec.id,
            run_id=run_id,
            run_type=DagRunType.SCHEDULED,
            logical_date=info.logical_date,
            data_interval=info.data_interval,
            run_after=info.run_after,
        )
        self.created.append(run)
        self.model.calculate_dagrun_date_fields(dag, reference_run=run)

    def backfill(self, begin: datetime, end: datetime) -> list[datetime]:
        """Somebody asks for runs of the past (`_create_backfill_dag_run_non_partitioned`); gives when these were due."""
        made = [
            DagRun(
                dag_id=self.spec.id,
                run_id=f"backfill__{info.run_after.isoformat()}",
                run_type=DagRunType.BACKFILL_JOB,
                logical_date=info.logical_date,
                data_interval=info.data_interval,
                run_after=info.run_after,
            )
            for info in self.dag().iter_dagrun_infos_between(begin, end)
            if info.data_interval and info.data_interval.end < self.now
        ]
        self.created += made
        return [run.run_after for run in made]

    def not_begun(self) -> None:
        """The last run was left out, or failed before it was opened, and the listener has seen it end."""
        run, timetable = self.created[-1], self.dag().timetable
        assert isinstance(timetable, CampaignTimetable)
        assert run.data_interval_end is not None
        run.data_interval_end = timetable.uncounted(run.data_interval_end)

    def live(self, until: datetime, *, step: timedelta) -> None:
        """Both at work: a parse at least every `step`, and always one between the time a run is due and its creation."""
        while self.now < until:
            self.parse()
            self.schedule()
            upcoming = self.next if self.next and self.next > self.now else until
            self.now = min(upcoming, self.now + step, until)

    def down(self, until: datetime) -> None:
        """Nothing is at work."""
        self.now = until

    def paused(self, until: datetime, *, step: timedelta) -> None:
        """The file is parsed, no run is created."""
        while self.now < until:
            self.parse()
            self.now = min(self.now + step, until)
