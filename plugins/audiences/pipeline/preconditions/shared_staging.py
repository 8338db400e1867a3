"""Whether every task of a run can see what the others have staged, and whether the folder can be used at all."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from audiences.checklist import Check, State
from audiences.errors import AudiencesError, FixConfigError, RetryError
from audiences.object_store import Folder, is_local
from audiences.run_folders import STAGING, named_root, staging_root
from audiences.store_faults import store_told

_ON_THIS_MACHINE: Final = frozenset({"LocalExecutor", "SequentialExecutor"})
_REMEDY: Final = (
    f"Set `staging` in include/settings.yml, or {STAGING} wherever tasks run, to an object store, or to a folder that all "
    "workers mount at that path (docs/staging.md)."
)
_NAME: Final = "staging"
_PROBE: Final = ".audiences-preflight"


@dataclass(eq=False)
class StagingNotSharedError(FixConfigError):
    """Tasks run on several machines, and nobody said where they stage rows for one another."""

    executor: str
    folder: str

    def __str__(self) -> str:
        return f"{_not_shared(self.executor, self.folder)}. Nothing was sent. {_REMEDY}"


def _not_shared(executor: str, folder: str) -> str:
    return (
        f"`{executor}` runs tasks on several machines, and `staging` is not set: each would stage rows in `{folder}` on its own "
        "disk, where the next task does not find them"
    )


def remote_executor(configured: str) -> str | None:
    """The executor that may run a campaign's tasks on other machines, by `[core] executor`; None where all are on this one.

    Of several the first is the one that takes tasks which name none; each team may have its own: `One,Two;team=Three`.
    """
    for part in configured.split(";"):
        first = part.rpartition("=")[2].split(",")[0]
        name = first.strip().rpartition(":")[2].rpartition(".")[2]
        if name and name not in _ON_THIS_MACHINE:
            return name
    return None


def ensure_shared(setting: str | None, configured: str) -> None:
    """Raise StagingNotSharedError where rows would be staged on whichever machine has the task.

    A folder that somebody named is taken for one that all workers mount: a step that does not find it says so.
    """
    remote = remote_executor(configured)
    if remote and named_root(setting) is None:
        raise StagingNotSharedError(remote, staging_root(setting))


def check_staging(setting: str | None, configured: str) -> Check:
    """A line for people. In an object store a small file is written, renamed, read and removed; on a disk nothing is."""
    root, remote = staging_root(setting), remote_executor(configured)
    if remote and named_root(setting) is None:
        return Check(_NAME, State.FAIL, _not_shared(remote, root), _REMEDY)
    if is_local(root):
        return _check_disk(root, remote)
    try:
        with store_told():
            _try_out(Folder.of(root))
    except RetryError as error:
        return Check(_NAME, State.WARN, f"not known: {error}", "Run the check again later.", known=False)
    except AudiencesError as error:
        return Check(_NAME, State.FAIL, f"{root}: {error}", "docs/staging.md has the rights and the settings.")
    return Check(_NAME, State.OK, f"{root} can be listed, written, read and cleared")


def _try_out(folder: Folder) -> None:
    unfinished = f"{_PROBE}.unfinished"
    folder.fs.pipe_file(folder.file(unfinished), b"audiences")
    folder.rename(unfinished, _PROBE)
    folder.fs.cat_file(folder.file(_PROBE))
    folder.names()
    folder.fs.rm_file(folder.file(_PROBE))


def _check_disk(root: str, remote: str | None) -> Check:
    path = Path(Folder.of(root).path)
    there = next((each for each in (path, *path.parents) if each.exists()), path)
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        return Check(
            _NAME,
            State.FAIL,
            f"`{there}` may not be written",
            "Give the account that runs tasks the right to, or set `staging`.",
        )
    found = f"`{path}` on this machine" if there == path else f"`{path}`, which is made by the first run"
    return Check(
        _NAME, State.OK, f"{found}; every worker of `{remote}` must mount the same folder there" if remote else found
    )
