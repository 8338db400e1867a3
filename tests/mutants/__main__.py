"""`make mutants`: how many of the faults that we know how to make do the tests notice, and how soon?

`python -m tests.mutants [--only TEXT] [--jobs N] [--check] [--list FOLDER]`. It changes nothing in the checkout. Ends with 1 when
a fault could not be planted, or more than MOST_SURVIVORS of them were not noticed.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory

from rich.console import Console
from tests.mutants.planting import Fate, Fault, copy, failing, misplaced, read, try_out

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
    given = parser.parse_args()
    faults = [fault for fault in read(given.list) if given.only in fault.file]
    wrong = [error for fault in faults if (error := misplaced(ROOT, fault))]
    for error in wrong:
        _console.print(f"error: {error}")
    if wrong or given.check:
        return bool(wrong)
    fates = _all(faults, given.jobs)
    return _report(fates)


def _all(faults: list[Fault], jobs: int) -> list[Fate]:
    with TemporaryDirectory(prefix="audiences-mutants-") as folder:
        free: SimpleQueue[Path] = SimpleQueue()
        for number in range(jobs):
            copy(ROOT, Path(folder) / str(number))
            free.put(Path(folder) / str(number))
        tests = sorted({test for fault in faults for test in fault.tests})
        if said := failing(Path(folder) / "0", tests, jobs=jobs):
            sys.exit(f"{said}\nwith nothing planted these tests fail, so what they say of faults is worth nothing")

        def one(fault: Fault) -> Fate:
            place = free.get()
            try:
                fate = try_out(place, fault)
            finally:
                free.put(place)
            _console.print(_line(fate))
            return fate

        with ThreadPoolExecutor(jobs) as pool:
            return list(pool.map(one, faults))


def _line(fate: Fate) -> str:
    what = f"{fate.fault.file}: {fate.fault.why}"
    if fate.error:
        return f"error     {what}\n          {fate.error}"
    if fate.layer is None:
        return f"SURVIVED  {what}\n          {fate.fault.before!r} -> {fate.fault.after!r}"
    return f"{fate.seconds:5.1f} s  {fate.layer:12} {what}\n          {fate.test}"


def _report(fates: list[Fate]) -> int:
    tried = [fate for fate in fates if fate.error is None]
    caught = [fate for fate in tried if fate.layer is not None]
    soon = [fate for fate in caught if fate.seconds < SOON_SECONDS]
    layers = {fate.layer: sum(1 for one in caught if one.layer == fate.layer) for fate in caught}
    of = len(tried) or 1
    _console.print(
        f"{len(caught)} of {len(tried)} faults caught ({len(caught) / of:.0%}), {len(soon)} of them in less than "
        f"{SOON_SECONDS:.0f} s ({len(soon) / of:.0%}); "
        + ", ".join(f"{layer} {count}" for layer, count in sorted(layers.items(), key=lambda item: -item[1]))
    )
    for fate in tried:
        if fate.layer is None:
            _console.print(_line(fate))
    errors = len(fates) - len(tried)
    if errors:
        _console.print(f"{errors} faults could not be tried out")
    return bool(errors or len(tried) - len(caught) > MOST_SURVIVORS * of)


if __name__ == "__main__":
    sys.exit(main())
