"""Plants one fault at a time in a copy of the checkout, and runs the tests that should catch it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml
from tests.mutants.layer import MARK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

TIMEOUT_SECONDS = 180
_TESTS_FAILED = 1  # pytest's exit code; others mean that it could not even begin, or found no test
_NO_TEST_FOUND = 5


@dataclass(frozen=True, slots=True)
class Fault:
    """A text of a file, exactly as it stands there once, and what stands in its place when the fault is planted.

    `why` says who would be hurt; `tests` are files or single tests, the fastest first.
    """

    file: str
    before: str
    after: str
    why: str
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a planted fault.

    `layer` and `test` are of the test that caught it, None where none did; `seconds` is how long that took with everything
    that had to be started for it. `error`: the list is wrong, or the fault keeps the tests from running at all.
    """

    fault: Fault
    layer: str | None = None
    test: str | None = None
    seconds: float = 0.0
    error: str | None = None


def read(folder: Path) -> list[Fault]:
    """All faults of a folder's files, in the order in which they are written."""
    entries = [entry for file in sorted(folder.glob("*.yml")) for entry in yaml.safe_load(file.read_text())]
    return [Fault(**{**entry, "tests": tuple(entry["tests"])}) for entry in entries]


def misplaced(root: Path, fault: Fault) -> str | None:
    """Why the fault cannot be planted in this checkout; None when it can."""
    if not (root / fault.file).is_file():
        return f"there is no file {fault.file}"
    found = (root / fault.file).read_text().count(fault.before)
    if found != 1:
        return f"{fault.file} holds the text {found} times, once is needed: {fault.before!r}"
    if fault.before == fault.after:
        return f"the fault in {fault.file} changes nothing: {fault.before!r}"
    missing = [test for test in fault.tests if not (root / test.partition("::")[0]).exists()]
    return f"there is no {missing[0]}" if missing else None


def copy(root: Path, target: Path) -> None:
    """Copy the files of a checkout that Git knows or would take, into an empty folder."""
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (root / name).is_file():  # it may have been deleted since
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, target / name)


@contextmanager
def planted(root: Path, fault: Fault) -> Iterator[None]:
    """The fault stands in the checkout for the time being."""
    file = root / fault.file
    right = file.read_text()
    file.write_text(right.replace(fault.before, fault.after))
    try:
        yield
    finally:
        file.write_text(right)


def failing(root: Path, tests: Sequence[str], *, jobs: int = 1) -> str | None:
    """What pytest says when one of the tests fails, or does not run, where nothing is planted; None when all is well."""
    several = [f"--numprocesses={jobs}"] if jobs > 1 else []
    done = _pytest(root, [*several, *tests], timeout=60 + TIMEOUT_SECONDS * len(tests))
    return None if done.code == 0 else done.said[-3000:]


def try_out(root: Path, fault: Fault) -> Fate:
    """Plant the fault, run its tests in turn until one fails, and take it out again."""
    if error := misplaced(root, fault):
        return Fate(fault, error=error)
    begun = time.monotonic()
    with planted(root, fault):
        for test in fault.tests:
            done = _pytest(root, [test])
            seconds = time.monotonic() - begun
            if done.code is None:
                return Fate(fault, "hung", test, seconds)
            if done.code == _TESTS_FAILED and done.caught is not None:
                return Fate(fault, *done.caught, seconds)
            if done.code not in (0, _NO_TEST_FOUND):
                return Fate(fault, error=f"{test} does not run:\n{done.said[-1500:]}")
    return Fate(fault, seconds=time.monotonic() - begun)


@dataclass(frozen=True, slots=True)
class _Done:
    """`code` is None after a time-out; `caught` is the layer and the name of the first test that failed."""

    code: int | None
    said: str

    @property
    def caught(self) -> tuple[str, str] | None:
        first = next((line for line in self.said.splitlines() if line.startswith(MARK)), None)
        if first is None:
            return None
        layer, test = first.removeprefix(MARK).split(maxsplit=1)
        return layer, test


def _pytest(root: Path, tests: Sequence[str], *, timeout: float = TIMEOUT_SECONDS) -> _Done:
    command = [
        *(sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "tests.mutants.layer"),
        *("-m", "not e2e and not long", "--tb=short", *tests),
    ]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(root / "plugins"), str(root))),
        "PYTHONDONTWRITEBYTECODE": "1",  # a file changed twice within a second would be taken for the old one
    }
    try:
        done = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired as late:
        return _Done(None, str(late.stdout or ""))
    return _Done(done.returncode, done.stdout + done.stderr)
