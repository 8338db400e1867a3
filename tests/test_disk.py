"""A disk that is full, a folder that is gone or closed: words, with what to do."""

from __future__ import annotations

import errno
import pickle
import subprocess
import sys

import duckdb
import pyarrow as pa
import pytest
import requests

from audiences.disk import as_disk
from audiences.ledger.ledger_errors import as_ours
from audiences.pipeline.staging import Staging

FULL = """
import resource, signal, sys
import pyarrow as pa
from audiences.disk import as_disk
from audiences.pipeline.staging import Staging
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
rows = pa.record_batch({"identifiers": pa.array([bytes(32)] * 65536)})
try:
    with Staging(sys.argv[1]).writer("rows.parquet", rows.schema) as writer:
        for _ in range(4):
            writer.write_batch(rows)
except Exception as error:
    print(as_disk(error))
print(sorted(Staging(sys.argv[1]).folder.names()))
"""


def raised(work):
    with pytest.raises(Exception) as caught:  # noqa: PT011  # which one it is, is the question
        work()
    return caught.value


def test_a_staging_disk_that_is_full_is_told_and_no_half_file_takes_the_name(tmp_path):
    done = subprocess.run(  # our own text
        [sys.executable, "-c", FULL, str(tmp_path / "run")], capture_output=True, text=True, check=False
    )
    told, left = done.stdout.splitlines()
    assert "no room left" in told, done.stderr
    assert "`staging`" in told
    assert "rows.parquet'" not in left


def test_a_staged_file_that_is_gone_is_named(tmp_path):
    staging = Staging(str(tmp_path / "run"))
    for work in (
        lambda: list(staging.rows("rows-0.parquet")),
        lambda: staging.dataset("rows-0.parquet").to_table(),
    ):
        told = str(as_ours(raised(work)))
        assert "is not there" in told
        assert "rows-0.parquet" in told
        assert "clear the whole run" in told


def broken(good: bytes) -> dict[str, bytes]:
    """What may become of a file."""
    return {
        "empty": b"",
        "cut short": good[: len(good) // 2],
        "without its last byte": good[:-1],
        "zeros": bytes(len(good)),
        "another file": b"hello " * 100,
        "another end": good[:-300] + bytes(292) + good[-8:],
        "scribbled": good[:100] + b"x" * (len(good) - 1100) + good[-1000:],
    }


def test_a_staged_file_that_was_changed_or_cut_short_is_told_in_words(tmp_path):
    staging = Staging(str(tmp_path / "run"))
    rows = pa.record_batch({"position": pa.array(range(10_000)), "user_id": pa.array(map(str, range(10_000)))})
    with staging.writer("rows.parquet", rows.schema) as writer:
        writer.write_batch(rows)
    file = tmp_path / "run" / "rows.parquet"
    good = file.read_bytes()

    def by_duckdb():
        read = staging.dataset("rows.parquet")  # noqa: F841  # DuckDB finds it by its name
        return duckdb.sql("select count(*), max(user_id) from read").fetchall()

    for name, content in broken(good).items():
        file.write_bytes(content)
        for work in (
            lambda: list(staging.rows("rows.parquet")),
            lambda: staging.dataset("rows.parquet").to_table(),
            by_duckdb,
        ):
            told = str(as_ours(raised(work)))
            assert "changed or cut short" in told, name
            assert "clear the whole run" in told, name


def test_a_staging_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    told = str(as_ours(raised(lambda: Staging(str(tmp_path / "file" / "run")))))
    assert f"{tmp_path}/file" in told
    assert "right to write" in told
    closed = PermissionError(errno.EACCES, "Permission denied", str(tmp_path))
    assert "may not be read or written" in str(as_disk(closed))
    assert str(pickle.loads(pickle.dumps(as_disk(closed)))) == str(as_disk(closed))


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(errno.ECONNREFUSED, "refused"),
        BrokenPipeError(errno.EPIPE, "pipe"),
        TimeoutError("slow"),
        requests.ConnectionError("gone"),
        ValueError("[errno 28]"),
        pa.ArrowInvalid("[errno 28]"),
    ],
)
def test_faults_of_the_network_and_of_the_product_are_none_of_the_disk(error):
    assert as_disk(error) is None
