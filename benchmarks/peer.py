"""A public tool beside the product, on the same rows: dlt, in an environment of its own that goes away.

Its packages are pinned and hash-checked in `peer-constraints.txt`, apart from those of the product.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.builds import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CONSTRAINTS: Final = Path(__file__).parent / "peer-constraints.txt"


@dataclass(frozen=True, slots=True)
class Peer:
    """The tool's name with its version, and the Python that has it."""

    name: str
    python: Path

    @property
    def command(self) -> list[str]:
        """The command line of one load."""
        return [str(self.python), "-m", "benchmarks.peer_dlt"]

    def environment(self, given: Mapping[str, str], query: str) -> dict[str, str]:
        """The environment of a load of what the query finds."""
        return {**given, "BENCH_QUERY": query, "PYTHONPATH": str(ROOT), "RUNTIME__DLTHUB_TELEMETRY": "false"}


@contextmanager
def installed() -> Iterator[Peer]:
    """The peer, installed into a folder that goes away."""
    version = re.search(r"^dlt==(\S+)", CONSTRAINTS.read_text(encoding="utf-8"), re.MULTILINE)
    if version is None:
        message = f"{CONSTRAINTS} does not pin dlt"
        raise SystemExit(message)
    with tempfile.TemporaryDirectory(prefix="audiences-peer-") as folder:
        python, pinned = Path(folder) / "bin" / "python", ["--require-hashes", "-r", str(CONSTRAINTS)]
        if uv := shutil.which("uv"):
            _do(uv, "venv", "--quiet", "--python", sys.executable, folder)
            _do(uv, "pip", "install", "--quiet", "--python", str(python), *pinned)
        else:
            _do(sys.executable, "-m", "venv", folder)
            _do(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *pinned)
        yield Peer(f"dlt {version[1]} (sends all each time)", python)


def _do(*command: str) -> None:
    subprocess.run(command, check=True)  # noqa: S603  # no word of it comes from outside
