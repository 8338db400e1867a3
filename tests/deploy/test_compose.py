"""What can be known of the container set-up without a container engine."""

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

from audiences.cli import main
from audiences.demo.postgres import running_postgres

PROJECT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())
AIRFLOW_SERVICES = sorted(name for name in COMPOSE["services"] if name.startswith("airflow-"))
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(?::([-?])([^}]*))?\}")
SECRET = re.compile(r"PASSWORD|SECRET|KEY|CONN", re.IGNORECASE)


def interpolated(text: str, given: dict[str, str]) -> str:
    """The text as Compose reads it, see "Interpolation" in its specification."""

    def fill(found: re.Match) -> str:
        name, operator, word = found.groups()
        assert operator != "?" or given.get(name), f"{name}: {word}"
        return given.get(name) or (word if operator == "-" else "")

    return VARIABLE.sub(fill, text).replace("$$", "$")


def commands() -> list[list[str]]:
    """Every command of Airflow and of the product that a container would run."""
    found = []
    for name in AIRFLOW_SERVICES:
        service = COMPOSE["services"][name]
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


def test_services_are_those_of_one_machine():
    assert AIRFLOW_SERVICES == [
        "airflow-apiserver",
        "airflow-dag-processor",
        "airflow-init",
        "airflow-scheduler",
        "airflow-triggerer",
    ]
    assert COMPOSE["services"]["airflow-triggerer"]["deploy"]["replicas"] == 2


def test_only_airflow_is_published_and_only_to_this_machine():
    ports = {name: service["ports"] for name, service in COMPOSE["services"].items() if "ports" in service}
    assert list(ports) == ["airflow-apiserver"]
    assert all(port.startswith("127.0.0.1:") for port in ports["airflow-apiserver"])


def test_every_secret_is_required_and_has_no_default():
    for name, operator, word in VARIABLE.findall((PROJECT / "docker-compose.yml").read_text()):
        if SECRET.search(name):
            assert (operator, word) == ("?", "see .env.example"), name


def test_no_secret_is_written_into_a_file():
    for service in COMPOSE["services"].values():
        for name, value in service.get("environment", {}).items():
            if SECRET.search(name) and not name.endswith("_FILE"):
                assert "${" in value, name
    for line in (PROJECT / ".env.example").read_text().splitlines():
        if re.match(r"\w+=", line):
            assert line.endswith("="), line


def test_example_explains_every_variable_and_no_other():
    used = {name for name, _, _ in VARIABLE.findall((PROJECT / "docker-compose.yml").read_text())}
    text = (PROJECT / ".env.example").read_text()
    explained = set(re.findall(r"^#.*\n(?:# )?([A-Z_]+)=", text, re.MULTILINE))
    assert explained == used


def test_file_with_the_values_is_not_committed():
    assert ".env" in (PROJECT / ".gitignore").read_text().splitlines()


def test_every_airflow_option_exists():
    described = Path(find_spec("airflow").origin).parent / "config_templates" / "config.yml"
    known = {
        f"AIRFLOW__{section.upper()}__{option.upper()}"
        for section, content in yaml.load(described.read_text(), Loader=yaml.CSafeLoader).items()
        for option in content["options"]
    }
    assert set(re.findall(r"AIRFLOW__\w+", (PROJECT / "docker-compose.yml").read_text())) <= known


def test_dag_processor_gets_no_connection():
    assert not any(
        name.startswith("AIRFLOW_CONN_") for name in COMPOSE["services"]["airflow-dag-processor"]["environment"]
    )


def test_connections_are_those_that_the_settings_name():
    settings = yaml.safe_load((PROJECT / "include" / "settings.yml").read_text())
    needed = {account["connection"] for account in settings["ad_accounts"].values()} | {
        settings.get("warehouse", "warehouse"),
        settings.get("ledger", "ledger"),
    }
    given = {
        name for name in COMPOSE["services"]["airflow-scheduler"]["environment"] if name.startswith("AIRFLOW_CONN_")
    }
    assert {f"AIRFLOW_CONN_{name.upper()}" for name in needed} == given


def test_mounted_folders_exist_and_volumes_are_declared():
    for service in COMPOSE["services"].values():
        for volume in service["volumes"]:
            source, target, *mode = volume.split(":")
            if source.startswith("."):
                assert (PROJECT / source).is_dir(), source
                assert mode == ["ro"], volume
            else:
                assert source in COMPOSE["volumes"], source
            assert target.startswith(("/opt/airflow/", "/var/lib/postgresql/")), target


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
    targets = {volume.split(":")[1] for name in AIRFLOW_SERVICES for volume in COMPOSE["services"][name]["volumes"]}
    assert {f"/opt/airflow/{folder}" for folder in folders} == targets


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
    service = COMPOSE["services"]["airflow-init"]
    # Not under tmp_path, whose parents another pytest may close to the account that Postgres runs under.
    with TemporaryDirectory() as folder, running_postgres(Path(folder), durable=False, kept=False) as server:
        server.create_database("airflow")
        uri = server.uri("airflow")
        variables = {
            name: name.lower() * 4 for name, _, _ in VARIABLE.findall((PROJECT / "docker-compose.yml").read_text())
        }
        variables |= {"FACEBOOK_POOL_SLOTS": "3", "AIRFLOW_FERNET_KEY": "A" * 43 + "=", "AIRFLOW_PARALLELISM": "2"}
        environment = {name: interpolated(value, variables) for name, value in service["environment"].items()}
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
    assert json.loads((tmp_path / "passwords.json").read_text()) == {"admin": variables["AIRFLOW_ADMIN_PASSWORD"]}
    assert oct((tmp_path / "passwords.json").stat().st_mode & 0o777) == "0o600"
