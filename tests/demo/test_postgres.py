from __future__ import annotations

import os
import signal
from pathlib import Path

import psycopg
import pytest

from audiences.demo.postgres import PostgresStartError, restart, running_postgres

pytestmark = pytest.mark.integration


def answer(uri: str) -> int:
    with psycopg.connect(uri) as connection:
        return connection.execute("SELECT 42").fetchone()[0]


def test_data_outlives_a_restart(folder):
    with running_postgres(folder, durable=False) as server:
        server.create_database("shop")
        assert answer(server.uri("shop")) == 42
    with pytest.raises(psycopg.OperationalError):
        answer(server.uri("shop"))
    with running_postgres(folder, durable=False) as server:
        assert server.has_database("shop")


@pytest.mark.parametrize("crash", [False, True])
def test_restarted_server_is_found_where_it_was_with_what_was_committed(folder, crash):
    with running_postgres(folder, settings={"fsync": "off"}) as server:
        connection = psycopg.connect(server.uri("postgres"), autocommit=True)
        connection.execute("CREATE TABLE kept AS SELECT 42 AS n")
        restart(folder, crash=crash)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
        with psycopg.connect(server.uri("postgres")) as again:
            assert again.execute("SELECT n FROM kept").fetchone() == (42,)


def test_creating_a_database_again_empties_it_even_with_somebody_connected(folder):
    with running_postgres(folder, durable=False) as server:
        server.create_database("shop")
        with psycopg.connect(server.uri("shop"), autocommit=True) as connection:
            connection.execute("CREATE TABLE old ()")
            server.create_database("shop")
        with psycopg.connect(server.uri("shop")) as connection:
            assert connection.execute("SELECT to_regclass('old')").fetchone() == (None,)


def test_long_path_gets_a_socket_elsewhere_and_leaves_nothing(folder):
    with running_postgres(folder / ("long" * 30), durable=False) as server:
        assert answer(server.uri("postgres")) == 42
        assert not server.socket_directory.is_relative_to(folder)
    assert not server.socket_directory.exists()


def test_tcp_asks_for_the_password(folder, unused_port):
    with running_postgres(folder, tcp_port=unused_port, durable=False) as server:
        assert answer(server.tcp_uri("postgres")) == 42
        with pytest.raises(psycopg.OperationalError, match="password"):
            answer(f"postgresql://postgres:wrong@127.0.0.1:{server.port}/postgres")
    assert oct((folder / "data" / "password").stat().st_mode & 0o777) == "0o600"


def test_server_left_behind_by_a_killed_process_is_replaced(folder):
    leaver = running_postgres(folder, durable=False)
    left = leaver.__enter__()
    pid = int((folder / "data" / "postmaster.pid").read_text().split()[0])
    with running_postgres(folder, durable=False) as server:
        assert answer(server.uri("postgres")) == 42
        assert int((folder / "data" / "postmaster.pid").read_text().split()[0]) != pid
        assert left.port == server.port
    leaver.__exit__(None, None, None)


def test_pid_file_that_names_a_stranger_stops_nobody(folder):
    with running_postgres(folder, durable=False):
        pass
    stranger = os.spawnlp(os.P_NOWAIT, "sleep", "sleep", "60")
    try:
        (folder / "data" / "postmaster.pid").write_text(f"{stranger}\n{folder / 'data'}\n1000000000\n5432\n\n\n\n")
        with running_postgres(folder, durable=False) as server:
            assert answer(server.uri("postgres")) == 42
        assert os.waitpid(stranger, os.WNOHANG) == (0, 0)
    finally:
        os.kill(stranger, signal.SIGKILL)
        os.waitpid(stranger, 0)


def test_failure_tells_what_postgres_said(folder):
    with (
        pytest.raises(PostgresStartError, match="shared_buffers"),
        running_postgres(folder, durable=False, settings={"shared_buffers": "lots"}),
    ):
        pass


def test_half_made_cluster_is_made_again(folder):
    (folder / "data").mkdir()
    Path(folder / "data" / "PG_VERSION").write_text("18\n")
    with running_postgres(folder, durable=False) as server:
        assert answer(server.uri("postgres")) == 42


def test_only_the_server_and_its_group_come_into_a_private_folder(folder):
    private = folder / "private"
    private.mkdir(mode=0o700)
    with running_postgres(private / "postgres", durable=False) as server:
        assert answer(server.uri("postgres")) == 42
        assert private.stat().st_mode & 0o067 == 0
        assert oct((private / "postgres").stat().st_mode & 0o777) == "0o700"
