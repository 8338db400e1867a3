"""Builds of the product as contenders: the one in this folder, and beside it that of another commit.

All of them are measured with the benchmarks of this folder, the same interpreter and the same installed packages, each in
processes of its own; a build's own modules come before all others.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT: Final = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Build:
    """The product as it was at some time: `name` for people, `key` for names of folders and databases."""

    key: str
    name: str
    commit: str
    root: Path

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """The environment of a process that uses this build."""
        path = os.pathsep.join([str(self.root / "plugins"), str(ROOT)])
        return {**given, "PYTHONPATH": path}

    @staticmethod
    def module(name: str) -> list[str]:
        """The command line of one of the benchmarks' modules."""
        return [sys.executable, "-m", f"benchmarks.{name}"]

    @staticmethod
    def command(*words: str) -> list[str]:
        """The command line of `audiences` with these words; without the script, which has the build in it that is installed."""
        return [sys.executable, "-m", "audiences.cli", *words]


def this_build() -> Build:
    """The one in this folder, whether all of it is committed or not."""
    changed = bool(_git("status", "--porcelain", "--", "plugins", "include").strip())
    return Build("here", "this build", f"{_short('HEAD')}{' and changes' if changed else ''}", ROOT)


@contextmanager
def build_of(revision: str) -> Iterator[Build]:
    """That of another commit, in a folder that goes away. Raises SystemExit for one that git does not know."""
    short = _short(revision)
    with tempfile.TemporaryDirectory(prefix="audiences-build-") as folder:
        packed = _git("archive", "--format=tar", short, "plugins", "include")
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(folder, filter="data")
        # Compiled now, and not while it is measured.
        subprocess.run([sys.executable, "-m", "compileall", "-q", "-j", "0", folder], check=True)  # noqa: S603  # no word of others
        yield Build("there", f"build {short}", short, Path(folder))


def _short(revision: str) -> str:
    return _git("rev-parse", "--short", "--verify", f"{revision}^{{commit}}").decode().strip()


def _git(*arguments: str) -> bytes:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)  # noqa: S603, S607  # the user's own git
    if done.returncode:
        message = f"git {' '.join(arguments)}: {done.stderr.decode().strip()}"
        raise SystemExit(message)
    return done.stdout
