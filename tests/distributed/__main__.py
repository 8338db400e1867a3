"""`python -m tests.distributed`: many workers on pretended machines, faults one by one, and how long each took to heal."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import time
from typing import TYPE_CHECKING

from tests.distributed import world
from tests.distributed.cluster import running_cluster
from tests.distributed.healing import Healed, Healing
from tests.distributed.machines import can_be_pretended

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

QUICK = ("worker",)
ALL = (*QUICK, "triggerer", "redis", "store", "apiserver", "scheduler", "ledger", "upgrade")
HEAD = f"{'seconds from the strike until':<55}{'work goes on':>14}{'the run is over':>17}{'sent twice':>12}\n"


def missing() -> str | None:
    """What this machine lacks for it, in words."""
    if not shutil.which("redis-server") or not shutil.which("redis-cli"):
        return "redis-server is not installed (Debian: apt-get install redis-server)"
    if not can_be_pretended():
        return "this system does not let us have host names and processes apart (unshare, setpriv of util-linux)"
    return None


def healed(faults: Iterable[str]) -> Iterator[Healed]:
    """Strike with these faults in turn. Raises AssertionError for what does not heal, or not right."""
    with running_cluster(world.files()) as cluster:
        here = world.World(cluster)
        here.fill()
        cluster.wait_until(lambda: {world.MANY, world.LIVE} <= cluster.api.dag_ids(), 120, "Airflow has no DAGs")
        unhealthy = [name for name in cluster.checked() if not cluster.is_healthy(name)]
        assert not unhealthy, f"not healthy by the file's own checks: {unhealthy}"
        trials = Healing(cluster, here)
        yield trials.undisturbed()
        for fault in faults:
            yield getattr(trials, fault)()
        trials.ensure_nothing_is_left()


def line(found: Healed) -> str:
    """A line of the table."""
    twice = f"{found.twice} of {found.sending}" if found.sending else "0"
    return f"{found.fault:<55}{found.went_on:>14.0f}{found.over:>17.0f}{twice:>12}\n"


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="tests.distributed", description="Faults over many workers, and how they heal."
    )
    parser.add_argument("--quick", action="store_true", help="only the loss of a worker")
    parser.add_argument("--only", choices=ALL, action="append", help="only this fault; may be given several times")
    asked = parser.parse_args()
    # Also when a shell's job control has it ignored: processes have to be stopped.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if lacking := missing():
        sys.stdout.write(f"make distributed is left out: {lacking}\n")
        return 0
    begun = time.monotonic()
    sys.stdout.write(HEAD)
    for found in healed(asked.only or (QUICK if asked.quick else ALL)):
        sys.stdout.write(line(found))
        sys.stdout.flush()
    sys.stdout.write(f"every set is right, and nothing is left to send; {time.monotonic() - begun:.0f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
