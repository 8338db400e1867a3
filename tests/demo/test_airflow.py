from __future__ import annotations

import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from audiences.demo.airflow import environment, write_exports


@pytest.fixture
def variables(monkeypatch, tmp_path) -> dict[str, str]:
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", "postgresql://somewhere-real")
    return environment(
        project=tmp_path,
        home=tmp_path / "airflow",
        port=8081,
        database="postgresql://postgres@/airflow?host=/tmp",
        connections={"ledger": "{}"},
    )


def test_airflow_settings_of_the_callers_shell_do_not_leak_in(variables):
    assert variables["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert "AIRFLOW_CONN_WAREHOUSE" not in variables
    assert variables["AIRFLOW_CONN_LEDGER"] == "{}"


def test_airflow_listens_on_this_machine_only(variables):
    assert variables["AIRFLOW__API__HOST"] == "127.0.0.1"


def test_every_option_exists_in_this_airflow(variables):
    # Read from the file, because importing Airflow's configuration writes into the home folder.
    described = Path(find_spec("airflow").origin).parent / "config_templates" / "config.yml"
    known = {
        f"AIRFLOW__{section.upper()}__{option.upper()}"
        for section, content in yaml.load(described.read_text(), Loader=yaml.CSafeLoader).items()
        for option in content["options"]
    }
    assert {name for name in variables if name.startswith("AIRFLOW__")} <= known


def test_exports_come_back_from_a_shell_as_they_were_and_are_private(tmp_path):
    path = tmp_path / "environment"
    write_exports(path, {"AIRFLOW_CONN_X": """{"a": "it's $HOME `x`"}""", "HOME": "/elsewhere"})
    shell = 'source "$1"; printf %s "$AIRFLOW_CONN_X"'
    assert subprocess.check_output(["bash", "-c", shell, "-", path], text=True) == """{"a": "it's $HOME `x`"}"""
    assert "HOME=" not in path.read_text()
    assert oct(Path(path).stat().st_mode & 0o777) == "0o600"
