"""Where the folders of runs lie, on this machine or in an object store, and how one goes; `staging` has the files in them."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from audiences.errors import FixConfigError
from audiences.object_store import Folder
from audiences.store_faults import store_told

STAGING: Final = "AUDIENCES_STAGING"
"""The environment variable by which an installation says where rows are staged, for settings that do not."""
_READABLE, _DIGITS = 60, 16  # characters of a run's id and of its digest in the name of its folder


def default_root() -> str:
    """Where rows are staged unless the settings or the environment say otherwise: beside Airflow's own files."""
    return str(Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser() / "audiences-staging")


def named_root(setting: str | None) -> str | None:
    """What was said about where rows are staged: by the settings under `staging`, else by the environment; None for nothing."""
    return setting or os.environ.get(STAGING) or None


def staging_root(setting: str | None) -> str:
    """The folder of all runs, without a slash at its end."""
    return (named_root(setting) or default_root()).rstrip("/")


@dataclass(eq=False)
class OutsideStagingError(FixConfigError):
    """A folder that was to be cleared does not lie under the staging root."""

    folder: str
    root: str

    def __str__(self) -> str:
        return (
            f"`{self.folder}` does not lie under the staging folder `{self.root}`, so nothing in it was removed; if `staging` in "
            "include/settings.yml was changed, remove the old folder by hand once its runs are over"
        )


def run_folder(root: str | None, campaign: str, external_id: str) -> str:
    """The run's own folder under the staging root.

    A run id is anything that somebody wrote into a trigger, `..` too, so it is named by a digest; the readable part before
    it is for people.
    """
    readable = "".join(c if c.isascii() and c.isalnum() else "_" for c in external_id)[:_READABLE]
    digest = hashlib.sha256(external_id.encode(errors="surrogatepass")).hexdigest()[:_DIGITS]
    return f"{staging_root(root)}/{campaign}/{readable}-{digest}"


def clear(path: str, *, root: str | None) -> None:
    """Remove a run's files and its folder; raises OutsideStagingError for one that is not inside the root."""
    folder, outer = Folder.of(path), Folder.of(staging_root(root))
    if not _strictly_inside(folder, outer):
        raise OutsideStagingError(folder=folder.url, root=outer.url)
    with store_told():
        folder.remove()


def run_folders(setting: str | None) -> list[str]:
    """The folders of runs that lie under the staging root now, of all campaigns of the project."""
    root = staging_root(setting)
    with store_told():
        return [
            f"{root}/{campaign}/{run}"
            for campaign in Folder.of(root).folders()
            for run in Folder.of(f"{root}/{campaign}").folders()
        ]


def _strictly_inside(folder: Folder, root: Folder) -> bool:
    """Whether the folder lies below the root, wherever links and `..` lead; the root itself does not.

    In an object store `..` is a name like any other to the store, and a step up to a library on the way, so it is refused.
    """
    if folder.local and root.local:
        return Path(root.path).resolve() in Path(folder.path).resolve().parents
    if folder.fs is not root.fs:
        return False
    inside, outer = (path.rstrip("/").split("/") for path in (folder.path, root.path))
    return (
        len(inside) > len(outer) and inside[: len(outer)] == outer and not {"..", ".", ""} & set(inside[len(outer) :])
    )
