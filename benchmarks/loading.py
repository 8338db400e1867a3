"""What a thousand campaigns cost Airflow's DAG processor at each parse: `python -m benchmarks.loading [CAMPAIGNS]`."""

from __future__ import annotations

import itertools
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
CPU_SECONDS, PEAK_MB = 6.0, 250.0  # of a thousand campaigns


def measure(campaigns: int) -> dict[str, float]:
    """CPU seconds of loading, building and serialising, and the peak memory in MB, in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="audiences-loading-") as folder:
        project = Path(folder)
        shutil.copytree(ROOT / "include", project / "include")
        (project / "campaigns").mkdir()
        text = (ROOT / "campaigns" / "abandoned_cart.yml").read_text()
        for number in range(campaigns):
            file = project / "campaigns" / f"cart_{number:05d}.yml"
            file.write_text(text.replace("name: Abandoned_Cart", f"name: N{number}_Cart"))
        environment = {
            **os.environ,
            "AIRFLOW_HOME": str(project / "airflow"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        }
        command = [sys.executable, "-m", "benchmarks.loading", "--here", str(project)]
        done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603  # our own module
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def verdicts(found: dict[str, float]) -> list[str]:
    """The figures beside the bounds, a line each."""
    cpu = found["load"] + found["build"] + found["serialise"]
    parts = ", ".join(f"{name} {found[name]:.2f}" for name in ("load", "build", "serialise"))
    bound = CPU_SECONDS * found["campaigns"] / 1000
    cheap, small = cpu <= bound, found["peak_mb"] <= PEAK_MB
    many = f"{found['campaigns']:,.0f} campaigns"
    return [
        f"{'reached' if cheap else 'MISSED '}  {many}: {cpu:.2f} s of CPU ({parts}), wanted ≤ {bound:g}",
        f"{'reached' if small else 'MISSED '}  peak memory {found['peak_mb']:.0f} MB, wanted ≤ {PEAK_MB:g}",
    ]


def _here(project: Path) -> None:
    from airflow.serialization.serialized_objects import DagSerialization

    from audiences.airflow.campaign_dag import campaign_dag
    from audiences.airflow.parse_budget import no_collector
    from audiences.campaign.project import Project

    at = [time.process_time()]
    with no_collector():
        loaded = Project.load(project, time_is_up=lambda: False).campaigns
        at.append(time.process_time())
        dags = [campaign_dag(spec, project) for spec in loaded.values()]
        at.append(time.process_time())
    for dag in dags:
        DagSerialization.to_dict(dag)
    at.append(time.process_time())
    spent = dict(
        zip(
            ("load", "build", "serialise"),
            (after - before for before, after in itertools.pairwise(at)),
            strict=True,
        )
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps({"campaigns": len(dags), "peak_mb": peak, **spent}) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--here"]:
        _here(Path(sys.argv[2]))
    else:
        sys.stdout.write("\n".join(verdicts(measure(int(sys.argv[1]) if sys.argv[1:] else 1000))) + "\n")
