"""The values for Airflow's official chart: what can be known of them without the chart, and what it makes of them where it is.

With `helm` on the path and AUDIENCES_HELM_CHART naming the chart's folder or archive, it is rendered as well.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml
from airflow.providers.celery.get_provider_info import get_provider_info
from tests import compose_files
from tests.compose_files import FILES, PROJECT, interpolated

import airflow
from audiences.run_folders import STAGING

if TYPE_CHECKING:
    from collections.abc import Iterator

HELM: Final = PROJECT / "docs" / "helm"
EXECUTORS: Final = {"celery": "CeleryExecutor", "kubernetes": "KubernetesExecutor"}
MANY_WORKERS: Final = FILES[1]
COMPONENTS: Final = {
    "airflow-apiserver": "apiServer",
    "airflow-dag-processor": "dagProcessor",
    "airflow-scheduler": "scheduler",
    "airflow-triggerer": "triggerer",
    "airflow-worker": "workers",
}
CONNECTIONS: Final = {f"AIRFLOW_CONN_{name}" for name in ("FACEBOOK_MAIN", "LEDGER", "OBJECT_STORE", "WAREHOUSE")}
SECRET: Final = re.compile(r"password|secret|key|conn|token|broker|passwd", re.IGNORECASE)
# What the compose file says and the chart sees to, or what another place has otherwise.
ELSEWHERE: Final = {
    "AIRFLOW__API_AUTH__JWT_SECRET": "jwtSecretName",
    "AIRFLOW__API__BASE_URL": "the address of the installation",
    "AIRFLOW__API__SECRET_KEY": "apiSecretKeySecretName",
    "AIRFLOW__CELERY__BROKER_URL": "data.brokerUrlSecretName",
    "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": "the chart names its own service",
    "AIRFLOW__CORE__EXECUTOR": "executor",
    "AIRFLOW__CORE__FERNET_KEY": "fernetKeySecretName",
    "AIRFLOW__CORE__LOAD_EXAMPLES": "the chart never loads them",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "data.metadataSecretName",
}

ONLY_HERE: Final = {"AIRFLOW__CORE__AUTH_MANAGER"}
"""The chart takes another one than Airflow does where nothing is said."""


def values(executor: str) -> dict[str, Any]:
    """Both files, the second laid over the first, as Helm does."""
    common, own = (yaml.safe_load((HELM / name).read_text()) for name in ("values.yaml", f"values-{executor}.yaml"))
    return _over(common, own)


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = {**below, **above}
    both = {key for key in below.keys() & above.keys() if isinstance(below[key], dict) and isinstance(above[key], dict)}
    return {**merged, **{key: _over(below[key], above[key]) for key in both}}


def settings(executor: str, component: str = "") -> dict[str, str]:
    """The settings of airflow.cfg by the names of environment variables, with those that only this component has as such."""
    found = values(executor)
    own = found.get(component, {}).get("env", [])
    return {
        **{
            f"AIRFLOW__{section.upper()}__{option.upper()}": value
            for section, options in found["config"].items()
            for option, value in options.items()
        },
        **{each["name"]: each["value"] for each in own if each["name"].startswith("AIRFLOW__")},
    }


def of_compose(executor: str, service: str) -> dict[str, str]:
    """The same of a service in the Compose file for many workers, with what it has where .env says nothing."""
    given = {name: "given" for name, operator, _ in compose_files.variables(MANY_WORKERS) if operator == "?"}
    return {
        name: interpolated(str(value), given)
        for name, value in compose_files.services(MANY_WORKERS)[service].get("environment", {}).items()
        if name.startswith("AIRFLOW__")
        and name not in ELSEWHERE
        and (executor == "celery" or not name.startswith("AIRFLOW__CELERY"))
    }


def leaves(found: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value with the keys that lead to it; of a list each entry."""
    if isinstance(found, dict):
        for key, below in found.items():
            yield from leaves(below, (*path, str(key)))
    elif isinstance(found, list):
        for below in found:
            yield from leaves(below, path)
    else:
        yield path, found


@pytest.mark.parametrize("executor", EXECUTORS)
def test_settings_are_those_of_the_compose_file(executor):
    compose = {component: of_compose(executor, service) for service, component in COMPONENTS.items()}
    for component, wanted in compose.items():
        told = settings(executor, component)
        assert {name: told[name].lower() for name in wanted} == {name: value.lower() for name, value in wanted.items()}
        assert told.keys() - ELSEWHERE.keys() - ONLY_HERE <= {name for each in compose.values() for name in each}
    everything = compose_files.text(MANY_WORKERS)
    assert all(name in everything for name in ELSEWHERE)


def test_every_setting_exists():
    described = Path(airflow.__file__).parent / "config_templates" / "config.yml"
    sections = {**yaml.load(described.read_text(), Loader=yaml.CSafeLoader), **get_provider_info()["config"]}
    known = {
        f"AIRFLOW__{section.upper()}__{option.upper()}"
        for section, content in sections.items()
        for option in content["options"]
    }
    for executor, component in product(EXECUTORS, COMPONENTS.values()):
        assert settings(executor, component).keys() <= known


@pytest.mark.parametrize("executor", EXECUTORS)
def test_image_version_and_executor_are_those_of_the_project(executor):
    found = values(executor)
    pinned = re.search(r"^apache-airflow==(\S+)", (PROJECT / "constraints.txt").read_text(), re.MULTILINE).group(1)
    assert (found["airflowVersion"], found["executor"]) == (pinned, EXECUTORS[executor])
    image = found["images"]["airflow"]
    assert found["images"]["pod_template"] == image
    (copied,) = found["apiServer"]["extraInitContainers"]
    assert copied["image"] == f"{image['repository']}:{image['tag']}"


@pytest.mark.parametrize("executor", EXECUTORS)
def test_no_secret_is_written_down(executor):
    for path, value in leaves(values(executor)):
        if SECRET.search(path[-1]) and isinstance(value, str):
            named = path[-1].endswith(("SecretName", "_conn_id")) or {"secretKeyRef", "secret"} & set(path)
            assert named or value.startswith("/opt/airflow/"), path
        assert not re.search(r"://[^/]*:[^/]*@", str(value)), path


@pytest.mark.parametrize("executor", EXECUTORS)
def test_connections_are_where_the_compose_file_has_them_and_come_from_secrets(executor):
    found = values(executor)
    for component in ("apiServer", "triggerer", "workers"):
        named = {each["name"]: each["valueFrom"]["secretKeyRef"] for each in found[component]["env"]}
        assert named.keys() == CONNECTIONS
        assert {name: ref["key"] for name, ref in named.items()} == {name: name for name in CONNECTIONS}
    for component in ("dagProcessor", "scheduler"):
        assert not any("valueFrom" in each for each in found[component].get("env", []))
    assert found["triggerer"]["replicas"] == 2


def test_staging_is_where_the_compose_file_has_it():
    (staging,) = values("celery")["env"]
    service = compose_files.services(MANY_WORKERS)["airflow-worker"]["environment"]
    assert (staging["name"], staging["value"]) == (STAGING, interpolated(service[STAGING], {}))


def test_databases_and_pool_are_prepared_as_the_compose_file_does():
    of_chart = values("celery")["migrateDatabaseJob"]["args"][-1]
    of_init = compose_files.services(MANY_WORKERS)["airflow-init"]["command"][-1].replace("$$", "$")
    assert of_chart.splitlines() == of_init.splitlines()[: len(of_chart.splitlines())]


@pytest.mark.parametrize("executor", EXECUTORS)
def test_the_chart_makes_of_them_what_is_meant(executor, tmp_path):
    chart, helm = os.environ.get("AUDIENCES_HELM_CHART"), shutil.which("helm")
    if not (chart and helm):
        pytest.skip("rendered only where `helm` is on the path and AUDIENCES_HELM_CHART names Airflow's chart")
    files = [word for name in ("values.yaml", f"values-{executor}.yaml") for word in ("-f", str(HELM / name))]
    rendered = subprocess.run(
        [helm, "template", "airflow", chart, *files],
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    documents = [each for each in yaml.safe_load_all(rendered) if each]
    pods = {
        f"{each['kind']}/{each['metadata']['name']}": each["spec"]["template"]["spec"]
        for each in documents
        if each["kind"] in {"Deployment", "StatefulSet", "Job"}
    }
    (config,) = [each["data"] for each in documents if "airflow.cfg" in each.get("data", {})]
    if executor == "kubernetes":
        pods["task"] = yaml.safe_load(config["pod_template_file.yaml"])["spec"]
    for name, value in settings(executor).items():
        option = name.split("__")[-1].lower()
        assert re.search(rf"^\s*{option} = {re.escape(value)}$", config["airflow.cfg"], re.MULTILINE), name
    given = {
        name: {each["name"] for container in pod["containers"] for each in container.get("env", [])}
        for name, pod in pods.items()
    }
    holders = {name for name, found in given.items() if found >= CONNECTIONS}
    workers = {"celery": "Deployment/airflow-worker", "kubernetes": "task"}
    assert holders == {"Deployment/airflow-api-server", "Deployment/airflow-triggerer", workers[executor]}
    strangers = [name for name, of in product(CONNECTIONS, given.values()) if name in of]
    assert len(strangers) == len(CONNECTIONS) * len(holders) + 1, "the ledger's, for the job that migrates it"
