"""Staging that the next task would not see is refused in words before anything is done."""

from __future__ import annotations

import pytest

from audiences.checklist import State
from audiences.pipeline.preconditions.shared_staging import (
    StagingNotSharedError,
    check_staging,
    ensure_shared,
    remote_executor,
)
from audiences.run_folders import STAGING, run_folder


@pytest.mark.parametrize(
    ("configured", "remote"),
    [
        ("LocalExecutor", None),
        ("airflow.executors.local_executor.LocalExecutor", None),
        ("mine:LocalExecutor", None),
        ("LocalExecutor,CeleryExecutor", None),
        ("CeleryExecutor", "CeleryExecutor"),
        ("CeleryExecutor,LocalExecutor", "CeleryExecutor"),
        ("KubernetesExecutor", "KubernetesExecutor"),
        ("pods:KubernetesExecutor", "KubernetesExecutor"),
        ("airflow.providers.edge3.executors.EdgeExecutor", "EdgeExecutor"),
        ("LocalExecutor;brand=CeleryExecutor", "CeleryExecutor"),
        ("=LocalExecutor", None),
    ],
)
def test_the_executor_that_takes_a_campaigns_tasks_is_read_as_airflow_reads_it(configured, remote):
    assert remote_executor(configured) == remote


def test_a_remote_executor_without_staging_is_refused_in_words(monkeypatch):
    monkeypatch.setenv("AIRFLOW_HOME", "/opt/airflow")
    with pytest.raises(StagingNotSharedError) as raised:
        ensure_shared(None, "CeleryExecutor")
    told = str(raised.value)
    for word in (
        "`CeleryExecutor`",
        "several machines",
        "/opt/airflow/audiences-staging",
        "object store",
        "include/settings.yml",
    ):
        assert word in told
    check = check_staging(None, "CeleryExecutor")
    assert (check.state, "object store" in check.remedy) == (State.FAIL, True)


def test_local_tasks_and_named_folders_go_on(tmp_path):
    ensure_shared(None, "LocalExecutor")
    ensure_shared(str(tmp_path), "CeleryExecutor")
    ensure_shared("s3://marketing/audiences", "CeleryExecutor")
    check = check_staging(str(tmp_path / "not" / "yet"), "CeleryExecutor")
    assert (check.state, "must mount the same folder" in check.found) == (State.OK, True)
    assert not (tmp_path / "not").exists()
    (tmp_path / "file").touch()
    assert check_staging(str(tmp_path / "file" / "below"), "LocalExecutor").state is State.FAIL


def test_an_installation_names_the_folder_for_settings_that_do_not(monkeypatch, tmp_path):
    monkeypatch.setenv(STAGING, str(tmp_path))
    ensure_shared(None, "CeleryExecutor")
    assert check_staging(None, "CeleryExecutor").state is State.OK
    assert run_folder(None, "carts", "first").startswith(f"{tmp_path}/carts/first-")
    assert run_folder("/mnt/ours", "carts", "first").startswith("/mnt/ours/carts/first-")
    monkeypatch.setenv(STAGING, "")
    with pytest.raises(StagingNotSharedError):
        ensure_shared(None, "CeleryExecutor")


def test_an_object_store_is_tried_out_and_nothing_is_left_in_it(s3):
    bucket = s3.bucket()
    check = check_staging(f"s3://{bucket}/audiences", "CeleryExecutor")
    assert (check.state, "can be listed, written, read and cleared" in check.found) == (State.OK, True), check
    assert s3.client.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    s3.refuses = lambda environ: ("403 Forbidden", "AccessDenied") if environ["REQUEST_METHOD"] == "PUT" else None
    assert check_staging(f"s3://{bucket}/audiences", "CeleryExecutor").state is State.FAIL
    s3.refuses = lambda _: ("503 Service Unavailable", "ServiceUnavailable")
    check = check_staging(f"s3://{bucket}/audiences", "CeleryExecutor")
    assert (check.state, check.known) == (State.WARN, False)
    s3.refuses = lambda _: None
    assert check_staging("s3://no-such-bucket/audiences", "CeleryExecutor").state is State.FAIL
    assert check_staging("gs://marketing/audiences", "CeleryExecutor").state is State.FAIL
