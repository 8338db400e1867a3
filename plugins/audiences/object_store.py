"""Folders in an object store, or on a disk, and how they are reached.

A store is asked each time. The libraries remember listings, and answer from them what another worker has changed since; their
`exists` takes a store that does not answer for one that lacks the file. Neither is used here.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from audiences import connections
from audiences.errors import FixConfigError
from audiences.local_files import LOCAL_FILES, absolute
from audiences.store_faults import ObjectStoreClosedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsspec import AbstractFileSystem

_ON_DISK: Final = frozenset({"", "file", "local"})
_AZURE: Final = frozenset({"abfs", "abfss", "az", "adl"})
_EXTRAS: Final = {
    **dict.fromkeys(("s3", "s3a", "s3n"), ("s3", "apache-airflow-providers-amazon[s3fs]")),
    **dict.fromkeys(("gs", "gcs"), ("gcs", "apache-airflow-providers-google")),
    **dict.fromkeys(_AZURE, ("azure", "apache-airflow-providers-microsoft-azure")),
}
"""By scheme: the extra of this package that reaches the store, and the provider that takes credentials from a connection."""


@dataclass(eq=False)
class StoreNotInstalledError(FixConfigError):
    """The staging URL is of a kind for which a package is missing here."""

    url: str
    needed: str

    def __str__(self) -> str:
        return f"`staging: {self.url}` cannot be reached: install {self.needed} wherever tasks run (docs/staging.md)"


def is_local(url: str) -> bool:
    """Whether the folder is on a disk of this machine, or mounted there."""
    return _split(url)[0] in _ON_DISK


def _split(url: str) -> tuple[str, str]:
    scheme, separator, rest = url.partition("://")
    return (scheme.lower(), rest) if separator else ("", url)


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder by its URL or path, and the file system in which it is, under the name `path`."""

    url: str
    fs: Any  # fsspec's, which has no types, or LOCAL_FILES
    path: str

    @classmethod
    def of(cls, url: str) -> Folder:
        """The folder; nothing is asked or made yet.

        Credentials are those of the Airflow connection before the `@`, else those of the environment.
        Raises ConnectionMissingError, ConnectionUnreadableError and StoreNotInstalledError.
        """
        scheme, rest = _split(url)
        if scheme in _ON_DISK:
            return cls(url, LOCAL_FILES, absolute(rest))
        where, slash, inside = rest.partition("/")
        connection, _, bucket = where.rpartition("@")
        if scheme in _AZURE and "." in bucket:  # container@account.dfs.core.windows.net is how Azure itself writes it
            connection, bucket = "", where
        plain = f"{scheme}://{bucket}{slash}{inside}"
        fs = _file_system(scheme, connection, f"{scheme}://{bucket}", os.getpid())
        return cls(url, fs, str(fs._strip_protocol(plain)))  # the name for it in fsspec

    @property
    def local(self) -> bool:
        """Whether it is on a disk."""
        return is_local(self.url)

    def file(self, name: str) -> str:
        """The name of a file in it."""
        return f"{self.path}/{name}"

    def holds(self, name: str) -> bool:
        """Whether the file is there now. A store or disk that does not say is an error, never a no."""
        try:
            self.fs.info(self.file(name))
        except FileNotFoundError:
            self.ensure_reached()
            return False
        return True

    def ensure_reached(self) -> None:
        """Raise ObjectStoreClosedError where the bucket itself is not there: what is missing in it is not gone then."""
        bucket = self.path.strip("/").partition("/")[0]
        if self.local or not bucket:
            return
        try:
            self.fs.info(bucket)
        except FileNotFoundError:
            fault = f"there is no bucket {bucket}"
            raise ObjectStoreClosedError(fault) from None

    @contextmanager
    def there(self) -> Iterator[None]:
        """While something is written: a store that does not find where to, as Google's tells it, may lack the bucket."""
        try:
            yield
        except FileNotFoundError:
            self.ensure_reached()
            raise

    def names(self) -> list[str]:
        """The names of what lies in it now; empty for one that is not there."""
        return [path.rstrip("/").rpartition("/")[2] for path, _ in self._entries()]

    def folders(self) -> list[str]:
        """The names of the folders in it."""
        return [path.rstrip("/").rpartition("/")[2] for path, kind in self._entries() if kind == "directory"]

    def _entries(self) -> Iterator[tuple[str, str]]:
        try:
            entries: list[dict[str, Any]] = self.fs.ls(self.path, detail=True)
        except FileNotFoundError:
            self.ensure_reached()
            return
        for entry in entries:
            name = str(entry["name"])
            if name.strip("/") != self.path.strip("/"):  # some stores list the folder itself
                yield name, str(entry["type"])

    def rename(self, old: str, new: str) -> None:
        """Give a complete file its name, in place of one that has it. In a store that is a copy within, whole or not at all."""
        if self.local:
            Path(self.file(old)).replace(self.file(new))
        else:
            self.fs.cp_file(self.file(old), self.file(new))
            self.fs.rm_file(self.file(old))

    def remove(self) -> None:
        """Remove it with all that is in it; nothing happens where nothing is."""
        try:
            self.fs.rm(self.path, recursive=True)
        except FileNotFoundError:
            self.ensure_reached()


@cache
def _file_system(scheme: str, connection: str, bucket: str, _: int) -> AbstractFileSystem:
    """One per process, which its threads share: to make one takes longer than a request. `bucket` is a URL without connection."""
    from fsspec.core import url_to_fs
    from fsspec.dircache import DirCache

    extra, provider = _EXTRAS.get(scheme, ("", ""))
    try:
        fs = _by_connection(scheme, connection) if connection else url_to_fs(bucket, skip_instance_cache=True)[0]
    except (ImportError, ValueError) as error:  # Airflow's and fsspec's words for a package that is missing
        if not isinstance(error, ImportError) and "registered" not in str(error) and "Protocol" not in str(error):
            raise
        needed = (
            f"`{provider}`"
            if connection and provider
            else f"the extra `{extra}`"
            if extra
            else f"a package for `{scheme}://`"
        )
        raise StoreNotInstalledError(bucket, needed) from None
    if hasattr(fs, "dircache"):
        fs.dircache = DirCache(use_listings_cache=False)
    return fs


def _by_connection(scheme: str, connection: str) -> AbstractFileSystem:
    """The file system that Airflow makes of a connection, as of its ObjectStoragePath."""
    connections.import_airflow()
    from airflow.sdk.io import get_fs

    connections.look_up(connection)  # which tells what is wrong with it
    return get_fs(scheme, connection)
