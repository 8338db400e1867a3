"""Who reads a DAG file: for which DAG bundle, and whether it is the DAG processor that is to call a DAG back.

Airflow tells a DAG file nothing of this, so the frames that read it are asked (measured on Airflow 3.3.2; the contract tests are
`tests/airflow/test_readings.py` and `tests/airflow/test_loading.py`).
"""

from __future__ import annotations

import sys
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from airflow.configuration import conf

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_CHECKOUT = ("repo_url", "git_conn_id")
"""By these two Git bundles are of one repository."""


def is_plain_reading() -> bool:
    """Whether the DAG processor reads the file to know its DAGs, and is not about to call one of them back.

    For a callback, on a command line and on a worker, the DAG that is asked for has to be there.
    """
    for frame in _frames():
        of_airflow = frame.f_globals.get("__name__") == "airflow.dag_processing.processor"
        if of_airflow and frame.f_code.co_name == "_parse_file":
            return not frame.f_locals["msg"].callback_requests
    return False


def is_of_another_bundle(folder: Path) -> bool:
    """Whether the DAG file is read for a DAG bundle that only holds its folder, where another bundle *is* that folder.

    A bundle of `dags/` holds `dags/acme/` as well. Of two that have a DAG, Airflow gives it to the one that was read last, and
    takes it away from the team of the other one, without a word (measured on Airflow 3.3.2).
    """
    name, path = _bundle()
    root = path.resolve() if path else folder
    if not folder.is_relative_to(root) or folder == root:
        return False
    bundles = _bundles()
    mine = bundles.pop(name or "", {})
    below = PurePath(mine.get("subdir") or "") / folder.relative_to(root)
    return any(
        Path(other.get("path") or "/").resolve() == folder
        or (PurePath(other.get("subdir") or "") == below and all(mine.get(key) == other.get(key) for key in _CHECKOUT))
        for other in bundles.values()
    )


def _frames() -> Iterator[FrameType]:
    """Those that have led here, the innermost first."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        yield frame
        frame = frame.f_back


def _bundle() -> tuple[str | None, Path | None]:
    """Name and path of the DAG bundle for which the DAG file is read, by the DAG processor, a worker or a command."""
    from airflow.dag_processing.dagbag import DagBag

    bags = (frame.f_locals.get("self") for frame in _frames())
    bag = next((bag for bag in bags if isinstance(bag, DagBag)), None)
    return (bag.bundle_name, bag.bundle_path) if bag else (None, None)


def _bundles() -> dict[str, dict[str, Any]]:
    """What the configured DAG bundles are made of, by name."""
    listed: Any = conf.getjson("dag_processor", "dag_bundle_config_list", fallback=None)
    return {each["name"]: each.get("kwargs") or {} for each in listed or ()}
