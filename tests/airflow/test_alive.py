"""A component is alive that told of itself lately, and only on the machine that asks."""

from __future__ import annotations

import subprocess
import sys

import psycopg
import pytest

from audiences.airflow.alive import is_alive

pytestmark = pytest.mark.integration
# The columns that Airflow's own table has for it; `make distributed` asks the real one.
JOBS = """
create table job (job_type text, hostname text, state text, latest_heartbeat timestamptz);
insert into job values
    ('TriggererJob', 'one', 'running', now() - interval '10 seconds'),
    ('TriggererJob', 'two', 'running', now() - interval '90 seconds'),
    ('TriggererJob', 'three', 'success', now()),
    ('DagProcessorJob', 'four', 'running', now());
"""


@pytest.mark.parametrize(
    ("hostname", "alive"), [("one", True), ("two", False), ("three", False), ("four", False), ("five", False)]
)
def test_it_is_alive_that_told_of_itself_lately_on_this_machine(postgres, new_database, hostname, alive):
    name = new_database("airflow").schema
    with psycopg.connect(postgres.uri(name)) as connection:
        connection.execute(JOBS)
    address = postgres.uri(name).replace("postgresql:", "postgresql+psycopg:")
    assert is_alive(address, "TriggererJob", hostname) is alive


def test_it_imports_neither_airflow_nor_what_steps_need():
    code = "import sys, audiences.airflow.alive; print({'airflow', 'pandas', 'pyarrow', 'sqlalchemy'} & sys.modules.keys())"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "set()\n"
