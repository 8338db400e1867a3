"""How long the loader may build DAGs, by Airflow's own limits."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.integration  # importing Airflow takes a second or two
LIMITS = {"AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": 0, "AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": 0}


@pytest.mark.parametrize(
    ("of_import", "of_child", "seconds"),
    [(100, 1000, 60), (1000, 100, 30), (100, 0, 60), (0, 100, 30), (0, 0, None)],
)
def test_the_shorter_of_two_limits_counts_and_one_that_is_off_does_not(monkeypatch, of_import, of_child, seconds):
    from audiences.airflow.parse_budget import time_is_up

    for name, limit in zip(LIMITS, (of_import, of_child), strict=True):
        monkeypatch.setenv(name, str(limit))
    now = [7.0]
    over = time_is_up(lambda: now[0])
    now[0] += (seconds or 1_000_000) - 0.01
    assert not over()
    now[0] += 0.02
    assert over() is (seconds is not None)


def test_reading_the_files_leaves_time_to_build_what_was_read(monkeypatch):
    """Of more files than there is time for none became a DAG: reading them took it all, at each reading."""
    from audiences.airflow.parse_budget import TO_READ, time_is_up

    monkeypatch.setenv("AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT", "100")
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT", "0")
    now = [5.0]
    read, built = time_is_up(lambda: now[0], TO_READ), time_is_up(lambda: now[0])
    now[0] += 49
    assert (read(), built()) == (True, False)
