"""`make mutants`: how many of the faults that we know how to make do the tests notice, and how soon?

`python -m tests.mutants [--only TEXT] [--jobs N] [--check] [--list FOLDER] [--record FOLDER]`. It changes nothing in the
checkout. Ends with 1 when a fault could not be planted, or more than MOST_SURVIVORS of them were not noticed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory

from rich.console import Console
from tests.mutants import called
from tests.mutants.layer import HUNG
from tests.mutants.planting import Fate, Fault, Place, copy, failing, misplaced, read, try_out
from tests.mutants.selection import groups, recorded

ROOT = Path(__file__).parents[2]
SOON_SECONDS = 10.0
MOST_SURVIVORS = 0.08
_console = Console(highlight=False, markup=False, soft_wrap=True)


def main() -> int:
    """Run as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--only", default="", help="faults in files whose path has this text")
    parser.add_argument("--jobs", type=int, default=2, help="faults that are tried out at once, each in its own copy")
    parser.add_argument("--check", action="store_true", help="only look whether every fault can be planted")
    parser.add_argument("--list", type=Path, default=Path(__file__).parent / "faults", help="the folder of the faults")
    parser.add_argument(
        "--record",
        type=Path,
        help="a folder that says which test calls what; it is made when missing, which takes long",
    )
    given = parser.parse_args()
    faults = [fault for fault in read(given.list) if given.only in fault.file]
    wrong = [error for fault in faults if (error := misplaced(ROOT, fault))]
    for error in wrong:
        _console.print(f"error: {error}")
    if wrong or given.check:
        return bool(wrong)
    if given.record is not None and not given.record.exists():
        _write_record(given.record, given.jobs)
    fates = _all(faults, given.jobs, given.record)
    return _report(fates)


def _write_record(folder: Path, jobs: int) -> None:
    """Run all tests once and write down what they call. A test that fails there is found out by `_all`."""
    folder.mkdir(parents=True)
    command = ["-m", "pytest", f"--numprocesses={jobs}", "--dist=worksteal", "-p", "tests.mutants.called"]
    subprocess.run(
        [sys.executable, *command, "-m", "not e2e and not long", "--ignore=tests/demo", "--ignore=tests/mutants"],
        cwd=ROOT,
        env={**os.environ, called.VARIABLE: str(folder.resolve())},
        check=False,
    )


def _all(faults: list[Fault], jobs: int, record: Path | None) -> list[Fate]:
    calls = recorded(record) if record is not None else []
    with TemporaryDirectory(prefix="audiences-mutants-") as folder, ExitStack() as open_places:
        free: SimpleQueue[Place] = SimpleQueue()
        for number in range(jobs):
            place = Place(Path(folder) / str(number))
            copy(ROOT, place.root)
            open_places.callback(place.close)
            free.put(place)

        def one(fault: Fault) -> Fate:
            place = free.get()
            try:
                fate = try_out(place, fault, groups(place.root, fault, calls))
            finally:
                free.put(place)
            _console.print(_line(fate))
            return fate

        with ThreadPoolExecutor(jobs) as pool:
            fates = list(pool.map(one, faults))
        tests = sorted({str(fate.test) for fate in fates if fate.layer not in (None, HUNG)})
        if tests and (said := failing(free.get(), tests)):
            sys.exit(f"{said}\nwith nothing planted these tests fail, so what they say of faults is worth nothing")
        return fates


def _line(fate: Fate) -> str:
    what = f"{fate.fault.file}: {fate.fault.why}"
    if fate.error:
        return f"NOT RUN   {what}\n          {fate.error}"
    if fate.layer is None:
        return f"SURVIVED  {what}\n          {fate.fault.before!r} -> {fate.fault.after!r}"
    return f"{fate.seconds:5.1f} s  {fate.layer:12} {what}\n          {fate.test}"


def _report(fates: list[Fate]) -> int:
    """Print the shares. A fault that makes a test hang counts neither as caught nor as not noticed."""
    tried = [fate for fate in fates if fate.error is None]
    hung = [fate for fate in tried if fate.layer == HUNG]
    survived = [fate for fate in tried if fate.layer is None]
    caught = [fate for fate in tried if fate.layer is not None and fate.layer != HUNG]
    soon = [fate for fate in caught if fate.seconds < SOON_SECONDS]
    of = len(tried) or 1
    layers = {fate.layer: sum(1 for one in caught if one.layer == fate.layer) for fate in caught}
    for fate in (*survived, *hung):
        _console.print(_line(fate))
    _console.print(
        f"{len(caught)} of {len(tried)} faults caught ({len(caught) / of:.0%}), {len(soon)} of them in less than "
        f"{SOON_SECONDS:.0f} s ({len(soon) / of:.0%}); {len(survived)} not noticed, {len(hung)} hung, "
        f"{len(fates) - len(tried)} not run; "
        + ", ".join(f"{layer} {count}" for layer, count in sorted(layers.items(), key=lambda item: -item[1]))
    )
    return bool(len(fates) > len(tried) or len(tried) - len(caught) > MOST_SURVIVORS * of)


if __name__ == "__main__":
    sys.exit(main())
