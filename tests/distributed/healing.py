"""Faults strike the cluster one by one, in the middle of a run; what must hold is held after each, and the time is taken."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from tests.chaos.oracle import unpacked
from tests.distributed.cluster import BUCKET
from tests.distributed.records import Records, processes_with_arrow
from tests.distributed.upgrading import NEWER, migrate, upgrade
from tests.distributed.world import LIVE, MANY

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.distributed.cluster import Cluster
    from tests.distributed.world import World

AWAY: Final = 20.0
"""Seconds until a service that was killed is started again."""
NOTICED: Final = 180.0
"""Seconds at most until a task begins anew whose worker was lost, on a machine with much else to do; by default it takes 338."""
_CHANGED: Final = 30_000  # users who come before each run, and as many who go
_SLOW: Final[dict[str, Any]] = {
    "kind": "slow",
    "path": "/*/users",
    "seconds": 4,
    "times": None,
}  # so that something strikes in mid-upload
_PATIENCE: Final = 420.0


@dataclass(frozen=True, slots=True)
class Healed:
    """What one fault came to. Seconds are from the strike; `went_on` is when the work that it hit began anew.

    `sending` requests were under way at that moment, and `twice` of all were carried out twice: of these nobody knew the fate.
    """

    fault: str
    went_on: float
    over: float
    sending: int = 0
    twice: int = 0


@dataclass
class Healing:
    """The trials. Each leaves everything up again, and raises AssertionError for what does not hold."""

    cluster: Cluster
    world: World
    runs: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.records = Records(self.cluster)

    def undisturbed(self) -> Healed:
        """The first run, and what can be seen of it alone: both workers took part, and its logs are in the store."""
        found = self._run("nothing", lambda _: True, lambda: None, back=None, changed=0)
        run = self.runs[-1]
        took_part = {host for (host,) in self.records.tasks(run, "hostname", "hostname <> ''")}
        assert took_part == {machine.name for machine in self.cluster.of("airflow-worker")}, took_part
        parts = dict(self.records.tasks(run, "task_id, count(*)", "map_index >= 0 group by 1"))
        assert parts.keys() == {"select", "add"}, parts
        assert min(parts.values()) >= 3, f"too few parts for what is to be shown: {parts}"
        for worker in self.cluster.of("airflow-worker"):
            with_arrow = processes_with_arrow(worker)
            assert with_arrow >= 3, f"{with_arrow} processes of {worker.name}, not the parent and its pool of two"
        (scheduler,) = self.cluster.of("airflow-scheduler")
        assert processes_with_arrow(scheduler) == 0  # it begins no task
        log = self.cluster.api.log_of(MANY, run, "extract")
        assert f"s3://{BUCKET}/logs/" in log, log
        assert "extracted" in log, log
        return found

    def worker(self) -> Healed:
        """A worker is lost in mid-upload, and does not come back before all is well."""
        found = self._run(
            "a worker is killed in mid-upload",
            self.records.uploads,
            lambda: self.records.uploading(self.runs[-1]).kill(),
            again="try_number > 1",
        )
        assert found.went_on < NOTICED, found
        for machine in self.cluster.machines.values():
            if machine.name.startswith("airflow-worker") and not machine.is_up:
                machine.start()
        return found

    def triggerer(self) -> Healed:
        """The triggerer that waits for events is lost; those that come meanwhile are exported all the same."""
        self.cluster.wait_until(lambda: self.records.waiting() is not None, 120, "no triggerer waits for events")
        machine = self.cluster.machines[str(self.records.waiting())]
        struck = time.monotonic()
        machine.kill()
        self.world.wish(20)
        self.cluster.wait_until(
            lambda: self.records.waiting() not in (None, machine.name), _PATIENCE, "nobody took over"
        )
        went_on = time.monotonic() - struck
        self._ensure_wishes_are_exported()
        over = time.monotonic() - struck
        machine.start()
        return Healed("the triggerer that waits for events is killed", went_on, over)

    def redis(self) -> Healed:
        """Redis is killed while tasks are handed over, and no task is failed for that."""
        fault = "Redis is killed, and back after 20 s"
        found = self._killed(fault, "redis", lambda run: self.records.is_running(run, "extract"))
        self._ensure_no_second_try()
        return found

    def store(self) -> Healed:
        """The object store is away while shards are read and written."""
        return self._killed(
            "the store is killed, and back after 20 s",
            "object-store",
            lambda run: self.records.is_running(run, "select"),
        )

    def apiserver(self) -> Healed:
        """The API server, to which all tasks talk, is killed in mid-upload, and no task is failed for that."""
        found = self._killed(
            "the API server is killed, and back after 20 s", "airflow-apiserver-1", self.records.uploads
        )
        self._ensure_no_second_try()
        return found

    def scheduler(self) -> Healed:
        """The scheduler is killed in mid-upload."""
        return self._killed("the scheduler is killed, and back after 20 s", "airflow-scheduler-1", self.records.uploads)

    def ledger(self) -> Healed:
        """Every connection to the ledger is cut, again and again for ten seconds."""

        def cut() -> None:
            self.cluster.rows(
                "ledger",
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = 'ledger' and pid <> pg_backend_pid()",
            )

        return self._run("connections to the ledger are cut for 10 s", self.records.uploads, cut, times=10)

    def upgrade(self) -> Healed:
        """Workers of two versions: the older one waits, the newer one goes on, and all is right once the older is replaced."""
        older, newer = self.cluster.of("airflow-worker")
        upgrade(newer, _PATIENCE)
        migrate(newer)
        self.cluster.wait_until(lambda: self.cluster.is_healthy(newer.name), 120, f"{newer.name} is not healthy")
        found = self._run(
            "of two workers one is newer, and migrates the ledger",
            lambda run: bool(self.records.failed_tries(run)),
            lambda: upgrade(older, _PATIENCE),
        )
        waited = self.records.failed_tries(self.runs[-1])
        assert {host for *_, host in waited} == {older.name}, waited
        for task, map_index, number, _ in waited:
            log = self.cluster.api.log_of(MANY, self.runs[-1], task, map_index, number=number)
            assert f"the ledger is at revision {NEWER}" in log, log
        for triggerer in self.cluster.of("airflow-triggerer"):
            upgrade(triggerer, _PATIENCE)
        self.world.wish(20)
        self._ensure_wishes_are_exported()
        return found

    def ensure_nothing_is_left(self) -> None:
        """A run after all of it sends nothing."""
        since = self.records.last_request()
        self._wait_until_over(self._trigger())
        sent = self.records.applied(since)
        assert sent == 0, f"{sent} uploads although nothing had changed"

    def _ensure_wishes_are_exported(self) -> None:
        self.cluster.wait_until(
            lambda: self.records.members(LIVE) == self.world.wanted(LIVE), _PATIENCE, "events are not exported"
        )
        events = self.cluster.rows("ledger", "select count(*), count(distinct event_id) from audiences.live_event")
        assert events == [(len(self.world.wished),) * 2], events

    # One run.

    def _killed(self, fault: str, name: str, ready: Callable[[str], bool]) -> Healed:
        machine = self.cluster.machines[name]
        return self._run(fault, ready, machine.kill, back=machine.start)

    def _run(
        self,
        fault: str,
        ready: Callable[[str], bool],
        strike: Callable[[], Any],
        *,
        back: Callable[[], None] | None = None,
        again: str = "true",
        changed: int = _CHANGED,
        times: int = 1,
    ) -> Healed:
        """Have the fault strike a run once it is `ready`, `times` times, a second apart.

        `again` says of which tasks it matters when they begin.
        """
        if changed:
            self.world.live_on(changed)
        wanted = self.world.wanted(MANY)
        rule = self.cluster.sandbox.add_fault(**_SLOW)
        since = self.records.last_request()
        run = self._trigger()
        self.cluster.wait_until(lambda: ready(run), 120, f"{run} is not where it should be struck", every=0.1)
        begun, struck = datetime.now(UTC), time.monotonic()
        sending = self._strike(run, strike)
        for _ in range(times - 1):
            time.sleep(1)
            sending += self._strike(run, strike)
        if back is not None:
            time.sleep(AWAY)
            back()
        self._wait_until_over(run)
        over = time.monotonic() - struck
        self.cluster.sandbox.clear_faults(rule)
        began = [at for (at,) in self.records.tasks(run, "start_date", again) if at and at > begun]
        assert began or fault == "nothing", self.records.tasks(run, "task_id, try_number, start_date", "true")
        went_on = (min(began) - begun).total_seconds() if began else 0.0
        twice = self.records.applied(since) - len(self.records.requests(run, "acknowledged"))
        self.ensure_right(wanted)
        assert 0 <= twice <= sending, f"{twice} requests were carried out twice, {sending} were under way"
        return Healed(fault, went_on, over, sending, twice)

    def _strike(self, run: str, strike: Callable[[], Any]) -> int:
        """Strike; how many requests were under way."""
        before = self.records.requests(run, "sending")
        strike()
        return len({*before, *self.records.requests(run, "sending")})

    def ensure_right(self, wanted: set[Any]) -> None:
        """Facebook's members are the ledger's, and both what the rules want; every run has ended well; nothing raw was sent."""
        members = self.records.members(MANY)
        assert members == wanted, f"{len(members - wanted)} too many, {len(wanted - members)} too few"
        found = self.cluster.rows(
            "ledger",
            "select m.user_id, m.identifiers from audiences.member m join audiences.campaign c on c.id = m.campaign_id"
            f" where c.name = '{MANY}' and m.removed_run is null and m.present",
        )
        assert len({user for user, _ in found}) == len(found), "somebody is twice on record"
        assert {unpacked(packed) for _, packed in found} == wanted, "the ledger differs"
        states = self.cluster.rows(
            "ledger",
            "select r.external_id, r.state from audiences.run r join audiences.campaign c on c.id = r.campaign_id"
            f" where c.name = '{MANY}' order by r.id",
        )
        assert states == [(run, "success") for run in self.runs], states
        state = self.cluster.sandbox.state(members=False, requests=False)
        assert state["pii"]["clean"], state["pii"]
        assert state["counters"]["token_in_url"] == 0

    def _ensure_no_second_try(self) -> None:
        again = self.records.tasks(self.runs[-1], "task_id, try_number", "try_number > 1")
        assert not again, f"tried again: {again}"

    def _trigger(self) -> str:
        self.runs.append(self.cluster.api.trigger(MANY))
        return self.runs[-1]

    def _wait_until_over(self, run: str) -> None:
        def over() -> bool:
            ((state,),) = self.cluster.rows("airflow", "select state from dag_run where run_id = %s", run)
            assert state != "failed", self.records.tasks(run, "task_id, map_index, state, try_number", "true")
            return bool(state == "success")

        self.cluster.wait_until(over, _PATIENCE, f"{run} is not over")
