"""What the DAG processor is asked when it reads a DAG file: for which DAG bundle, and whether to call a DAG back.

Airflow tells a DAG file nothing of this, so the frame that reads it is asked (measured on Airflow 3.3.2; the contract tests are
`tests/airflow/test_readings.py` and `tests/airflow/test_loading.py`).
"""

from __future__ import annotations

import sys
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from airflow.configuration import conf

if TYPE_CHECKING:
    from airflow.dag_processing.processor import DagFileParseRequest

_CHECKOUT = ("repo_url", "git_conn_id")
"""By these two Git bundles are of one repository."""


def parse_request() -> DagFileParseRequest | None:
    """What the DAG processor was asked; None where another process reads the file: a worker, or a command."""
    frame = sys._getframe()
    while (frame := frame.f_back) is not None:  # type: ignore[assignment]  # ends at the outermost
        if (
            frame.f_code.co_name == "_parse_file"
            and frame.f_globals.get("__name__") == "airflow.dag_processing.processor"
        ):
            asked: DagFileParseRequest | None = frame.f_locals.get("msg")
            return asked
    return None


def is_plain_reading() -> bool:
    """Whether the DAG processor reads the file to know its DAGs, and is not about to call one of them back.

    For a callback, and on a command line, the DAG that is asked for has to be there.
    """
    asked = parse_request()
    return asked is not None and not asked.callback_requests


def is_of_another_bundle(folder: Path) -> bool:
    """Whether the DAG file is read for a DAG bundle that only holds its folder, where another bundle *is* that folder.

    A bundle of `dags/` holds `dags/acme/` as well. Of two that have a DAG, Airflow gives it to the one that was read last, and
    takes it away from the team of the other one, without a word (measured on Airflow 3.3.2).
    """
    asked = parse_request()
    if asked is None or not folder.is_relative_to(root := Path(asked.bundle_path).resolve()) or folder == root:
        return False
    bundles = _bundles()
    mine = bundles.pop(asked.bundle_name, {})
    below = PurePath(mine.get("subdir") or "") / folder.relative_to(root)
    return any(
        Path(other.get("path") or "/").resolve() == folder
        or (PurePath(other.get("subdir") or "") == below and all(mine.get(key) == other.get(key) for key in _CHECKOUT))
        for other in bundles.values()
    )


def _bundles() -> dict[str, dict[str, Any]]:
    """What the configured DAG bundles are made of, by name."""
    listed: Any = conf.getjson("dag_processor", "dag_bundle_config_list", fallback=None)
    return {each["name"]: each.get("kwargs") or {} for each in listed or ()}
