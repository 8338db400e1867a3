"""Plants one fault at a time in a copy of the checkout, and runs the tests that should catch it."""

from __future__ import annotations

import compileall
import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from py_compile import PycInvalidationMode
from typing import TYPE_CHECKING, Any

import yaml
from tests.mutants.layer import HUNG, MARK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

TIMEOUT_SECONDS = 240.0
LIBRARIES = (
    *("pytest", "hypothesis", "pandas", "pyarrow.parquet", "duckdb", "psycopg", "sqlalchemy", "pydantic", "requests"),
    *("alembic", "adbc_driver_postgresql.dbapi", "yaml", "rich.console", "scipy.stats", "fastapi", "uvicorn"),
    "airflow.timetables.base",
)
_ONE_TEST_SECONDS = 60  # a test of any kind but `long` ends sooner, also beside others
_LOADED_ALREADY = "Module already imported so cannot be rewritten"  # of libraries that bring plugins for pytest
_TESTS_FAILED = 1  # pytest's exit code; others mean that it could not even begin, or found no test
_NO_TEST_FOUND = 5


@dataclass(frozen=True, slots=True)
class Fault:
    """A text of a file, exactly as it stands there once, and what stands in its place when the fault is planted.

    `why` says who would be hurt; `tests` are files or single tests, the fastest first. None are named where the runner is to
    find them by itself.
    """

    file: str
    before: str
    after: str
    why: str
    tests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a planted fault.

    `layer` and `test` are of the test that caught it, None where none did; the layer HUNG is of one that did not come to an
    end, which shows a fault to nobody who does not wait for it. `seconds` is the processor's time that it took pytest, which
    other work on the machine does not lengthen; a server's is not in it. `error`: the list is wrong, or the fault keeps the
    tests from running at all.
    """

    fault: Fault
    layer: str | None = None
    test: str | None = None
    seconds: float = 0.0
    error: str | None = None


def read(folder: Path) -> list[Fault]:
    """All faults of a folder's files, in the order in which they are written."""
    entries = [entry for file in sorted(folder.glob("*.yml")) for entry in yaml.safe_load(file.read_text())]
    return [Fault(**{**entry, "tests": tuple(entry.get("tests", ()))}) for entry in entries]


def misplaced(root: Path, fault: Fault) -> str | None:
    """Why the fault cannot be planted in this checkout; None when it can."""
    if not (root / fault.file).is_file():
        return f"there is no file {fault.file}"
    found = (root / fault.file).read_text().count(fault.before)
    if found != 1:
        return f"{fault.file} holds the text {found} times, once is needed: {fault.before!r}"
    if fault.before == fault.after:
        return f"the fault in {fault.file} changes nothing: {fault.before!r}"
    missing = [test for test in fault.tests if not _is_there(root, test)]
    return f"there is no {missing[0]}" if missing else None


def _is_there(root: Path, test: str) -> bool:
    """Whether there is such a file or folder and, where one is named, such a test in it."""
    path, _, name = test.partition("::")
    if not (root / path).exists():
        return False
    return not name or f"def {name.partition('[')[0]}(" in (root / path).read_text()


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


def failing(place: Place, tests: Sequence[str]) -> str | None:
    """What pytest says when one of the tests fails, or does not run, where nothing is planted; None when all is well."""
    done = place.pytest(tests, seconds=60 + TIMEOUT_SECONDS * len(tests))
    return None if done.code == 0 else done.said[-3000:]


def try_out(place: Place, fault: Fault, tests: Sequence[Sequence[str]]) -> Fate:
    """Plant the fault, run the tests group by group until one fails, and take it out again.

    After a test that hung the next group is still tried: it may have one that fails.
    """
    if error := misplaced(place.root, fault):
        return Fate(fault, error=error)
    seconds = 0.0
    hung: Fate | None = None
    with planted(place.root, fault):
        for group in tests:
            done = place.pytest(group)
            seconds += done.seconds
            if done.code is None or (done.caught is not None and done.caught[0] == HUNG):
                hung = hung or Fate(fault, HUNG, done.caught[1] if done.caught else " ".join(group), seconds)
            elif done.code == _TESTS_FAILED and done.caught is not None:
                return Fate(fault, *done.caught, seconds)
            elif done.code not in (0, _NO_TEST_FOUND):
                return Fate(
                    fault, error=f"{group[0]} does not run (pytest ends with {done.code}):\n{done.said[-1500:]}"
                )
    return hung or Fate(fault, seconds=seconds)


@dataclass(frozen=True, slots=True)
class Done:
    """`code` is None after a time-out; `caught` is the layer and the name of the first test that failed."""

    code: int | None
    said: str
    seconds: float

    @property
    def caught(self) -> tuple[str, str] | None:
        first = next((line for line in self.said.splitlines() if line.startswith(MARK)), None)
        if first is None:
            return None
        layer, test = first.removeprefix(MARK).split(maxsplit=1)
        return layer, test


@dataclass
class Place:
    """A copy of the checkout, and the process that runs pytest in it, which knows the libraries but not the product."""

    root: Path
    libraries: Sequence[str] = LIBRARIES
    _warm: subprocess.Popen[str] | None = field(default=None, init=False)

    def pytest(self, tests: Sequence[str], *, seconds: float = TIMEOUT_SECONDS) -> Done:
        """Run the tests until the first that fails."""
        said = self.root.with_name(f"{self.root.name}.txt")
        # fmt: off
        arguments = [
            "-x", "-q", "-p", "no:cacheprovider", "-p", "tests.mutants.layer", "-m", "not e2e and not long", "--tb=short",
            "-W", f"ignore:{_LOADED_ALREADY}", f"--timeout={_ONE_TEST_SECONDS}", *tests,
        ]
        # fmt: on
        done = self._ask({"arguments": arguments, "said": str(said), "seconds": seconds})
        return Done(done["code"], said.read_text(errors="replace"), done["seconds"])

    def close(self) -> None:
        """End the process."""
        if self._warm is not None and self._warm.stdin is not None and self._warm.stdout is not None:
            self._warm.stdin.close()
            self._warm.wait()
            self._warm.stdout.close()

    def _ask(self, what: dict[str, Any]) -> dict[str, Any]:
        if self._warm is None:
            # By hash: a file that changed twice within a second would be taken for the old one.
            compileall.compile_dir(
                self.root / "plugins", quiet=1, workers=1, invalidation_mode=PycInvalidationMode.CHECKED_HASH
            )
            self._warm = subprocess.Popen(
                [sys.executable, "-m", "tests.mutants.warm", *self.libraries],
                cwd=self.root,
                env={**os.environ, "PYTHONPATH": os.pathsep.join((str(self.root / "plugins"), str(self.root)))},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._warm.stdin is not None
        assert self._warm.stdout is not None
        self._warm.stdin.write(json.dumps(what) + "\n")
        self._warm.stdin.flush()
        answer: dict[str, Any] = json.loads(self._warm.stdout.readline())
        return answer
