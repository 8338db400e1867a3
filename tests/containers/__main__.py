"""`python -m tests.containers`: the image and the Compose files on a real container engine."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from tests.compose_files import FILES, PROJECT
from tests.containers import checks
from tests.containers.campaign import fill_warehouse
from tests.containers.engine import CommandError, NoEngineError, running_engine
from tests.containers.images import build_before, build_images
from tests.containers.installation import Installation, NotHealthyError
from tests.containers.shown import Shown

from audiences.demo.progress import Progress
from audiences.errors import FailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.containers.engine import Engine

_CACHE = PROJECT / ".containers"


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 1 when something is not as it should be; 0 also where no engine can be had."""
    parser = argparse.ArgumentParser(
        prog="tests.containers", description="The image and the Compose files, on an engine."
    )
    parser.add_argument(
        "--quick", action="store_true", help="of the first file, and of its checks, what fits into minutes"
    )
    parser.add_argument("--file", choices=FILES, help="this Compose file alone")
    asked = parser.parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    console = Console()
    progress = Progress(console)
    try:
        with running_engine(_CACHE, progress) as engine:
            files = [asked.file] if asked.file else FILES[:1] if asked.quick else FILES
            wrong = [name for name in files if not _show(engine, progress, name, quick=asked.quick)]
            return int(bool(wrong))
    except KeyboardInterrupt:
        progress.note("stopped before the end")
        return 130
    except NoEngineError as error:
        why = f"no containers here, so nothing of them is shown: {error}"
        console.print(why, markup=False, highlight=False, soft_wrap=True)
        return 0


def _show(engine: Engine, progress: Progress, compose_file: str, *, quick: bool) -> bool:
    """Whether all was as it should be."""
    with tempfile.TemporaryDirectory(prefix="audiences-containers-") as folder:
        installation = Installation(engine, Path(folder), compose_file)
        installation.remove()
        shown = Shown(progress)
        try:
            build_images(installation, progress)
            _check(installation, shown, progress, quick=quick)
        except (AssertionError, CommandError, FailedError, NotHealthyError, OSError) as error:
            say = partial(progress.console.print, markup=False, highlight=False, soft_wrap=True)
            say(f"{installation.logs()}\n{error}")
            return False
        finally:
            shown.table(compose_file)
            progress.note("stopping")
            installation.remove()
        return True


def _check(installation: Installation, shown: Shown, progress: Progress, *, quick: bool) -> None:
    def show(what: str, seen: Callable[..., object], *arguments: str) -> None:
        shown.check(what, partial(seen, installation, *arguments))

    show("the file is valid", checks.file_is_valid)
    show("a missing secret is refused", checks.missing_secrets_are_refused)
    show("every health check is green", checks.all_become_healthy)
    show("nothing else is published", checks.only_airflow_is_published)
    show("logging in is required", checks.logging_in_is_required)
    show("volumes are owned right", checks.volumes_are_owned_right)
    fill_warehouse(installation)
    show("a campaign runs", checks.campaign_runs)
    show("logs of tasks are read in the pages", checks.logs_are_read)
    show("a killed triggerer heals", checks.killed_one_heals, "airflow-triggerer")
    if quick:
        return
    show("tasks killed in mid-upload are tried again", checks.run_goes_on_when_its_tasks_are_killed)
    show("down and up loses nothing", checks.nothing_is_lost_when_taken_down)
    if before := build_before(installation, progress):
        installation.remove()
        show("an upgrade keeps all", checks.upgrade_keeps_all, before)


if __name__ == "__main__":
    sys.exit(main())
