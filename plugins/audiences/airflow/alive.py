"""The health check of a container: `python -m audiences.airflow.alive TriggererJob` asks Airflow's database for its heartbeat.

`airflow jobs check` says the same, but imports all of Airflow for it: two and a half seconds of CPU, every half minute and in
each container.
"""

from __future__ import annotations

import os
import re
import socket
import sys
from typing import Final

import psycopg

DATABASE: Final = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
_ALIVE: Final = """
select exists (
    select from job
    where job_type = %s and hostname = %s and state = 'running' and latest_heartbeat > now() - %s * interval '1 second'
)
"""
_SECONDS: Final = 60  # components tell of themselves every five


def is_alive(database: str, job_type: str, hostname: str, *, seconds: float = _SECONDS) -> bool:
    """Whether a component of Airflow on that machine told of itself within that time.

    `database` is the address of Airflow's Postgres as SQLAlchemy reads it. Raises psycopg.Error where it does not answer.
    """
    address = re.sub(r"^postgresql\+\w+:", "postgresql:", database)
    with psycopg.connect(address, connect_timeout=10) as connection:
        return connection.execute(_ALIVE, (job_type, hostname, seconds)).fetchone() == (True,)


def main() -> int:
    """Exit code 0 for alive, 1 for not; a database that does not answer is a traceback, and 1 as well."""
    job_type = sys.argv[1]
    alive = is_alive(os.environ[DATABASE], job_type, socket.gethostname())
    sys.stdout.write(f"{job_type} {'is alive' if alive else f'has not told of itself for {_SECONDS} s'}\n")
    return 0 if alive else 1


if __name__ == "__main__":
    sys.exit(main())
