"""Servers that tests share: one Postgres and one sandbox for the whole session, fresh databases and worlds inside them."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from tests.databases import Databases
from tests.garbage import hold_collection
from tests.left_out import pytest_ignore_collect  # noqa: F401  # pytest's hook
from tests.object_stores import s3, s3_server  # noqa: F401  # fixtures
from tests.turns import pytest_collection_finish, pytest_collection_modifyitems  # noqa: F401  # pytest's hooks

from audiences.connections import Connection
from audiences.demo.postgres import Postgres, running_postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_numbers = count(1)

hold_collection()  # until all tests are collected

# How long an example takes says more about the machine than about the code. `make test` draws the same examples every time,
# so that it fails for whoever broke something; `make long` looks for new ones.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.register_profile("exploring", deadline=None)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real Postgres for the session; not under pytest's own folder, which shuts out the server's account."""
    with (
        TemporaryDirectory(prefix="audiences-tests-") as folder,
        running_postgres(Path(folder), durable=False, kept=False, settings={"autovacuum": "off"}) as server,
    ):
        yield server


@pytest.fixture(scope="session")
def databases(postgres: Postgres) -> Iterator[Databases]:
    """Databases to be lent to one test after the other."""
    lent = Databases(postgres)
    yield lent
    lent.close()


@pytest.fixture
def new_database(postgres: Postgres) -> Callable[[str], Connection]:
    """Makes an empty database and gives the connection to it."""

    def make(connection_id: str) -> Connection:
        name = f"{connection_id}_{next(_numbers)}"
        postgres.create_database(name)
        return Connection(
            connection_id, host=str(postgres.socket_directory), port=postgres.port, login="postgres", schema=name
        )

    return make
