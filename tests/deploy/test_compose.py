"""What can be known of the container set-ups without a container engine: one machine, and many workers."""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
import yaml
from airflow.providers.celery.get_provider_info import get_provider_info
from tests import compose_files
from tests.compose_files import FILES, PROJECT, interpolated

from audiences.airflow import alive
from audiences.cli import main
from audiences.demo.postgres import running_postgres

ONE_MACHINE, MANY_WORKERS = FILES
SERVICES = {file: compose_files.services(file) for file in FILES}
AIRFLOW = {
    file: {name: service for name, service in found.items() if name.startswith("airflow-")}
    for file, found in SERVICES.items()
}
EACH = [(file, name) for file, found in SERVICES.items() for name in found]
SECRET = re.compile(r"PASSWORD|SECRET|KEY|CONN(?!_ID)|CLI_AUTH|BROKER_URL", re.IGNORECASE)
GIVEN = {name: name.lower() * 4 for file in FILES for name, _, _ in compose_files.variables(file)} | {
    "FACEBOOK_POOL_SLOTS": "3",
    "AIRFLOW_FERNET_KEY": "A" * 43 + "=",
    "AIRFLOW_PARALLELISM": "2",
}
"""A value for each variable of .env."""


def commands() -> list[list[str]]:
    """Every command of Airflow and of the product that a container would run."""
    found = []
    for service in itertools.chain.from_iterable(each.values() for each in AIRFLOW.values()):
        command = service["command"]
        lines = [f"airflow {command}"] if isinstance(command, str) else command[-1].splitlines()
        check = service.get("healthcheck", {}).get("test", ["NONE"])
        lines += check[1:] if check[0] == "CMD-SHELL" else []
        # Whatever a shell variable holds, a number can stand for it.
        found += [
            shlex.split(re.sub(r"\$\$\{?\w+\}?", "1", line))
            for line in lines
            if line.startswith(("airflow ", "audiences "))
        ]
    return found


def test_services_are_those_of_one_machine_and_of_many_workers():
    components = {
        "airflow-apiserver",
        "airflow-dag-processor",
        "airflow-init",
        "airflow-scheduler",
        "airflow-triggerer",
    }
    assert SERVICES[ONE_MACHINE].keys() == {*components, "postgres"}
    more = {"airflow-bucket", "airflow-worker", "object-store", "redis"}
    assert SERVICES[MANY_WORKERS].keys() == {*components, "postgres", *more}
    for found in AIRFLOW.values():
        assert found["airflow-triggerer"]["deploy"]["replicas"] == 2
    assert SERVICES[MANY_WORKERS]["airflow-worker"]["deploy"]["replicas"] == 2


@pytest.mark.parametrize("file", FILES)
def test_only_airflow_is_published_and_only_to_this_machine(file):
    ports = {name: service["ports"] for name, service in SERVICES[file].items() if "ports" in service}
    assert list(ports) == ["airflow-apiserver"]
    assert all(port.startswith("127.0.0.1:") for port in ports["airflow-apiserver"])


@pytest.mark.parametrize("file", FILES)
def test_every_secret_is_required_and_has_no_default(file):
    for name, operator, word in compose_files.variables(file):
        if SECRET.search(name):
            assert (operator, word) == ("?", "see .env.example"), name


@pytest.mark.parametrize(("file", "name"), EACH)
def test_no_secret_is_written_into_a_file_or_on_a_command_line(file, name):
    service = SERVICES[file][name]
    for variable, value in service.get("environment", {}).items():
        if SECRET.search(variable) and not variable.endswith("_FILE"):
            assert "${" in value, variable
    said = json.dumps([service.get("command"), service.get("healthcheck")])
    assert not compose_files.VARIABLE.search(said), said


def test_example_has_no_secret():
    for line in (PROJECT / ".env.example").read_text().splitlines():
        if re.match(r"\w+=", line):
            assert line.endswith("="), line


def test_example_explains_every_variable_and_no_other():
    used = {name for file in FILES for name, _, _ in compose_files.variables(file)}
    text = (PROJECT / ".env.example").read_text()
    explained = set(re.findall(r"^#.*\n(?:# )?([A-Z_]+)=", text, re.MULTILINE))
    assert explained == used


def test_file_with_the_values_is_not_committed():
    assert ".env" in (PROJECT / ".gitignore").read_text().splitlines()


@pytest.mark.parametrize("file", FILES)
def test_every_airflow_option_exists(file):
    described = Path(find_spec("airflow").origin).parent / "config_templates" / "config.yml"
    of_airflow = yaml.load(described.read_text(), Loader=yaml.CSafeLoader)
    sections = {**of_airflow, **get_provider_info()["config"]}
    known = {
        f"AIRFLOW__{section.upper()}__{option.upper()}"
        for section, content in sections.items()
        for option in content["options"]
    }
    assert set(re.findall(r"AIRFLOW__\w+", compose_files.text(file))) <= known


@pytest.mark.parametrize("file", FILES)
def test_dag_processor_gets_no_connection(file):
    given = SERVICES[file]["airflow-dag-processor"]["environment"]
    assert not any(name.startswith("AIRFLOW_CONN_") for name in given)


@pytest.mark.parametrize("file", FILES)
def test_connections_are_those_that_the_settings_name(file):
    settings = yaml.safe_load((PROJECT / "include" / "settings.yml").read_text())
    needed = {account["connection"] for account in settings["ad_accounts"].values()} | {
        settings.get("warehouse", "warehouse"),
        settings.get("ledger", "ledger"),
    }
    given = {name for name in SERVICES[file]["airflow-scheduler"]["environment"] if name.startswith("AIRFLOW_CONN_")}
    assert {f"AIRFLOW_CONN_{name.upper()}" for name in needed} == given


@pytest.mark.parametrize("file", FILES)
def test_mounted_folders_exist_and_volumes_are_declared(file):
    used = set()
    for service in SERVICES[file].values():
        for volume in service["volumes"]:
            source, target, *mode = volume.split(":")
            if source.startswith("."):
                assert (PROJECT / source).is_dir(), source
                assert mode == ["ro"], volume
            else:
                used.add(source)
            assert target.startswith(("/opt/airflow/", "/var/lib/postgresql/", "/data")), target
    assert used == compose_files.volumes(file)


@pytest.mark.parametrize("file", FILES)
def test_every_service_that_goes_on_has_a_health_check_and_is_started_again(file):
    passing = {"airflow-init", "airflow-bucket"}
    for name, service in SERVICES[file].items():
        goes_on = name not in passing
        assert (service["restart"] == "always") == goes_on, name
        assert ("test" in service.get("healthcheck", {})) == goes_on, name


@pytest.mark.parametrize("file", FILES)
def test_health_checks_import_no_airflow(file):
    for name in ("airflow-dag-processor", "airflow-triggerer"):
        kind, *command = SERVICES[file][name]["healthcheck"]["test"]
        assert (kind, command[:-1]) == ("CMD", ["python", "-m", alive.__name__]), name


@pytest.mark.parametrize("file", FILES)
def test_nobody_starts_before_what_it_waits_for_can_be_there(file):
    for name, service in SERVICES[file].items():
        for needed, how in dict(service.get("depends_on") or {}).items():
            ends = SERVICES[file][needed]["restart"] != "always"
            expected = "service_completed_successfully" if ends else "service_healthy"
            assert how == {"condition": expected}, (name, needed)


def test_workers_share_no_disk_and_say_where_rows_and_logs_are():
    for name, service in AIRFLOW[MANY_WORKERS].items():
        writable = {volume for volume in service["volumes"] if not volume.endswith(":ro")}
        assert writable == {"secrets:/opt/airflow/secrets"}, name
        given = service["environment"]
        assert given["AUDIENCES_STAGING"].startswith("s3://object_store@"), name
        assert given["AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER"].startswith("s3://"), name
    readers = {
        name for name, found in AIRFLOW[MANY_WORKERS].items() if "AIRFLOW_CONN_OBJECT_STORE" in found["environment"]
    }
    assert readers == {"airflow-apiserver", "airflow-bucket", "airflow-triggerer", "airflow-worker"}
    store = json.loads(
        interpolated(SERVICES[MANY_WORKERS]["airflow-worker"]["environment"]["AIRFLOW_CONN_OBJECT_STORE"], GIVEN)
    )
    assert (store["conn_type"], store["login"]) == ("aws", GIVEN["OBJECT_STORE_KEY"])


def test_a_killed_worker_is_noticed_in_about_a_minute():
    for service in AIRFLOW[MANY_WORKERS].values():
        given = service["environment"]
        noticed = sum(
            int(given[f"AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT{which}"])
            for which in ("", "_DETECTION_INTERVAL")
        )
        assert noticed <= 75


def test_every_service_of_many_workers_has_a_limit_of_memory():
    ended = {"airflow-init", "airflow-bucket"}
    assert {name for name, service in SERVICES[MANY_WORKERS].items() if "mem_limit" not in service} == ended


def test_image_is_of_the_pinned_airflow_and_copies_what_exists():
    instructions = (PROJECT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    version = re.search(r"^apache-airflow==(\S+)", (PROJECT / "constraints.txt").read_text(), re.MULTILINE).group(1)
    assert f"FROM apache/airflow:slim-{version}-python3.11" in instructions
    copied = [words[2:-1] for line in instructions if (words := line.split())[:1] == ["COPY"]]
    assert copied
    ignored = (PROJECT / ".dockerignore").read_text().splitlines()
    for name in itertools.chain.from_iterable(copied):
        assert (PROJECT / name).exists(), name
        assert f"!{name}" in ignored, name


def test_image_takes_over_the_owner_of_every_volume():
    folders = re.search(r"mkdir -p (.*) \\", (PROJECT / "Dockerfile").read_text()).group(1).split()
    targets = {
        volume.split(":")[1]
        for found in AIRFLOW.values()
        for service in found.values()
        for volume in service["volumes"]
    }
    assert {f"/opt/airflow/{folder}" for folder in folders} == targets


def test_packages_of_many_workers_are_in_the_lock():
    packages = SERVICES[MANY_WORKERS]["airflow-worker"]["build"]["args"]["EXTRA_PACKAGES"].partition("$")[0].split()
    pinned = set(re.findall(r"^([a-z0-9._-]+)==", (PROJECT / "constraints.txt").read_text(), re.MULTILINE))
    assert {package.partition("[")[0] for package in packages} <= pinned
    assert all(
        service["build"]["args"] == SERVICES[MANY_WORKERS]["airflow-worker"]["build"]["args"]
        for service in AIRFLOW[MANY_WORKERS].values()
    )


def test_requirements_of_the_image_are_pinned():
    program = re.search(r'python -c "(import tomllib.*?)" *\\', (PROJECT / "Dockerfile").read_text()).group(1)
    listed = subprocess.check_output([sys.executable, "-c", program], cwd=PROJECT, text=True).split()
    declared = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert listed == [*declared, "setuptools"]
    pinned = set(re.findall(r"^([a-z0-9._-]+)==", (PROJECT / "constraints.txt").read_text(), re.MULTILINE))
    assert {re.match(r"[\w.-]+", requirement).group().lower() for requirement in listed} <= pinned


@pytest.mark.integration
def test_every_command_exists(tmp_path):
    of_airflow = [command[1:] for command in commands() if command[0] == "airflow"]
    assert ["scheduler"] in of_airflow
    parse = (
        "import json, sys\nfrom airflow.cli.cli_parser import get_parser\n"
        "for command in json.load(sys.stdin): get_parser().parse_args(command)"
    )
    subprocess.run(
        [sys.executable, "-c", parse],
        input=json.dumps(of_airflow),
        text=True,
        check=True,
        env={**os.environ, "AIRFLOW_HOME": str(tmp_path)},
    )
    for command in commands():
        if command[0] == "audiences":
            with pytest.raises(SystemExit) as ended:
                main([*command[1:], "--help"])
            assert not ended.value.code, command


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_init_prepares_both_databases_and_the_password(tmp_path):
    service = AIRFLOW[ONE_MACHINE]["airflow-init"]  # the other has the same
    assert service["command"] == AIRFLOW[MANY_WORKERS]["airflow-init"]["command"]
    # Not under tmp_path, whose parents another pytest may close to the account that Postgres runs under.
    with TemporaryDirectory() as folder, running_postgres(Path(folder), durable=False, kept=False) as server:
        server.create_database("airflow")
        uri = server.uri("airflow")
        environment = {name: interpolated(value, GIVEN) for name, value in service["environment"].items()}
        environment |= {
            "AIRFLOW_HOME": str(tmp_path),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(tmp_path / "passwords.json"),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": uri.replace("postgresql:", "postgresql+psycopg:"),
            "AIRFLOW_CONN_LEDGER": json.dumps(
                {
                    "conn_type": "postgres",
                    "host": str(server.socket_directory),
                    "login": "postgres",
                    "schema": "airflow",
                }
            ),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        command = [word.replace("$$", "$") for word in service["command"]]
        for _ in range(2):  # Every start of the containers runs it again.
            subprocess.run(command, env=environment, cwd=PROJECT, check=True, capture_output=True)
        with psycopg.connect(uri) as connection:
            assert connection.execute("SELECT slots FROM slot_pool WHERE pool = 'facebook'").fetchone() == (3,)
            assert connection.execute("SELECT to_regclass('audiences.run') IS NOT NULL").fetchone() == (True,)
    assert json.loads((tmp_path / "passwords.json").read_text()) == {"admin": GIVEN["AIRFLOW_ADMIN_PASSWORD"]}
    assert oct((tmp_path / "passwords.json").stat().st_mode & 0o777) == "0o600"
