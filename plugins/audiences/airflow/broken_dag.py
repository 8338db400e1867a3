"""A broken campaign file as an import error of its own in the Airflow UI, with every other campaign left alone.

Airflow keys an error that comes up while a DAG is serialised by that DAG's `relative_fileloc`; a stand-in DAG that carries the
file's name there, and raises when it is serialised, therefore gives one import error per file (measured on Airflow 3.3.2; the
contract test is `tests/airflow/test_loading.py`). An error raised by the loader itself would take all campaigns offline.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG

if TYPE_CHECKING:
    from audiences.errors import ConfigError


class BrokenCampaignDag(DAG):
    """Stands in for the file `path` (relative to the project) and raises `error` when Airflow serialises it."""

    def __init__(self, path: str, error: ConfigError) -> None:
        readable = re.sub(r"[^A-Za-z0-9_.-]", "_", path)[:150]
        # Two files whose names differ only in what an id cannot hold are two errors.
        unique = hashlib.sha256(path.encode()).hexdigest()[:12]
        super().__init__(dag_id=f"broken__{readable}__{unique}", schedule=None)
        self.__dict__.update(_path=path, _error=error)

    @property
    def relative_fileloc(self) -> str | None:
        """The campaign file."""
        path: str | None = self.__dict__.get("_path")
        return path

    @relative_fileloc.setter
    def relative_fileloc(self, value: Any) -> None:
        """Airflow sets the loader's path, which must not be blamed."""

    @property
    def doc_md(self) -> str | None:
        """Raises the file's error: the first thing that serialisation reads."""
        if error := self.__dict__.get("_error"):
            raise error
        return None

    @doc_md.setter
    def doc_md(self, value: Any) -> None:
        """Set by the base class; there is nothing to keep."""
