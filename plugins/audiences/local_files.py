"""The files of a disk, by the names that fsspec has for those of an object store.

fsspec itself looks through all installed packages when it is imported. That takes longer than a small run has to do on the disk.
"""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from typing import Any


def absolute(path: str) -> str:
    """A path from the root on, without a slash at its end; `~` is the user's folder."""
    return str(Path.cwd() / Path(path).expanduser())


class LocalFiles:
    """What is asked of a file system; every method raises the OSError that the disk gives."""

    def info(self, path: str) -> dict[str, Any]:
        """Name and type of what is there, behind a link."""
        return {"name": path, "type": "directory" if stat.S_ISDIR(Path(path).stat().st_mode) else "file"}

    def ls(self, path: str, *, detail: bool) -> list[dict[str, Any]]:  # noqa: ARG002  # fsspec's own would give names alone
        """Name and type of all that lies in a folder, where a link is no folder; of a file those of itself."""
        if self.info(path)["type"] != "directory":
            return [self.info(path)]
        with os.scandir(path) as found:
            return [
                {"name": each.path, "type": "directory" if each.is_dir(follow_symlinks=False) else "file"}
                for each in found
            ]

    def rm(self, path: str, *, recursive: bool) -> None:  # noqa: ARG002  # as fsspec has it
        """Remove a folder with all that is in it, or a file."""
        if Path(path).is_dir() and not Path(path).is_symlink():
            shutil.rmtree(path)
        else:
            Path(path).unlink()

    def rm_file(self, path: str) -> None:
        """Remove a file."""
        Path(path).unlink()

    def cat_file(self, path: str) -> bytes:
        """What a file holds."""
        return Path(path).read_bytes()

    def pipe_file(self, path: str, value: bytes) -> None:
        """Make a file with this in it."""
        Path(path).write_bytes(value)


LOCAL_FILES = LocalFiles()
