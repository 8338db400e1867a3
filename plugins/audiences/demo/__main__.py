"""`python -m audiences.demo [--once]`: everything on this machine, and one run of each sample campaign.

Exit code 0: it was ended by Ctrl-C, or with `--once` every sample campaign ended right. 1: something went wrong.
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from audiences.campaign.project import Project
from audiences.demo import launched, output, signals
from audiences.demo.existing import fill_existing_audiences
from audiences.demo.folders import DemoFolders
from audiences.demo.progress import Progress
from audiences.demo.samples import SampleCampaign, run_samples
from audiences.demo.start import started
from audiences.errors import AudiencesError

if TYPE_CHECKING:
    from audiences.demo.start import Demo
    from audiences.goal.report import Report


def main() -> int:
    """Run the demo; the return value is the exit code."""
    parser = argparse.ArgumentParser(prog="audiences.demo", description="Start everything on this machine.")
    parser.add_argument("--once", action="store_true", help="run the samples, print one line of JSON, stop")
    parser.add_argument("--project", type=Path, default=Path(), help="the folder with campaigns/ and include/")
    parser.add_argument("--directory", type=Path, help="for what the demo makes (default: .demo in the project)")
    arguments = parser.parse_args()
    project = arguments.project.resolve()
    folders = DemoFolders(project=project, folder=(arguments.directory or project / ".demo").resolve())
    progress = Progress(Console() if sys.stdout.isatty() else Console(width=120))
    signals.raise_on_signals()
    try:
        return _run(folders, progress, once=arguments.once)
    except AudiencesError as error:
        progress.console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        if arguments.once:
            sys.stdout.write(output.json_line([], seconds=progress.seconds, problems=[str(error)]) + "\n")
        return 1
    except KeyboardInterrupt:
        progress.done("stopped")
        return 130 if arguments.once else 0


def _run(folders: DemoFolders, progress: Progress, *, once: bool) -> int:
    project = Project.load(folders.project)
    problems = [str(problem) for problem in project.problems]
    for problem in problems:
        progress.note(f"campaign files: {problem}")
    with folders.occupied(), started(folders, progress) as demo:
        samples, goals = _samples(demo, project, progress)
        if not once:
            _stay(demo, progress)
    line = output.json_line(samples, goals=goals, seconds=progress.seconds, problems=problems)
    sys.stdout.write(line + "\n")
    return 1 if problems or any(one.problems for one in samples) else 0


def _samples(demo: Demo, project: Project, progress: Progress) -> tuple[list[SampleCampaign], list[Report]]:
    fill_existing_audiences(demo, project.campaigns.values(), at=datetime.now(UTC))
    samples = run_samples(demo, project, progress)
    spec = launched.launched_campaign(project.root)
    goals = [launched.report(spec, demo.connection, at=datetime.now(UTC))] if spec else []
    output.print_table(progress.console, samples)
    output.print_goals(progress.console, goals)
    return samples, goals


def _stay(demo: Demo, progress: Progress) -> None:
    """Customers come and go until Ctrl-C, or until one of the processes ends."""
    demo.let_shoppers_in()
    output.print_addresses(progress.console, demo)
    progress.console.print("Everything keeps running. End it with Ctrl-C.")
    while True:
        demo.children.check()
        time.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
