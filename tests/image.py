"""The files of the project's image, as the Dockerfile copies them, in a folder of this machine."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tests.compose_files import PROJECT

if TYPE_CHECKING:
    from pathlib import Path


def laid_out(home: Path, *, compiled: bool = False) -> None:
    """Copy what the Dockerfile copies, as it does: files into a folder, a folder's content into another one.

    `compiled` takes along what Python has compiled already.
    """
    left_out = shutil.ignore_patterns("*.egg-info", *([] if compiled else ["__pycache__"]))
    for line in (PROJECT / "Dockerfile").read_text().splitlines():
        words = line.split()
        if words[:1] != ["COPY"]:
            continue
        *sources, target = (word for word in words[1:] if not word.startswith("--"))
        for source in map(PROJECT.joinpath, sources):
            if source.is_dir():
                shutil.copytree(source, home / target, ignore=left_out, dirs_exist_ok=True)
            else:
                shutil.copy(source, home / target)
