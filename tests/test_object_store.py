"""Staging in an object store: over real HTTP to an S3, and in memory."""

from __future__ import annotations

import pickle

import duckdb
import pyarrow as pa
import pytest
from fsspec import filesystem

from audiences.disk import DiskError
from audiences.errors import ConnectionMissingError
from audiences.ledger.ledger_errors import as_ours
from audiences.object_store import Folder, StoreNotInstalledError
from audiences.pipeline.staging import Staging
from audiences.run_folders import clear, run_folder, run_folders
from audiences.store_faults import ObjectStoreClosedError, ObjectStoreLostError

ROWS = pa.record_batch({"user_id": ["1", "2"], "identifiers": [b"one", b"two"]})


@pytest.fixture(params=["s3", "memory"])
def root(request, tmp_path):
    """A staging root in a store that is there."""
    if request.param == "memory":
        filesystem("memory").makedirs(str(tmp_path), exist_ok=True)  # its bucket
        return f"memory://{tmp_path}/staging"
    return f"s3://{request.getfixturevalue('s3').bucket()}/audiences"


@pytest.fixture
def on_s3(s3):
    return f"s3://{s3.bucket()}/audiences"


def written(folder: str, name: str = "rows.parquet") -> Staging:
    staging = Staging(folder)
    with staging.writer(name, ROWS.schema) as writer:
        writer.write_batch(ROWS)
    return staging


def other_worker(s3, url: str) -> tuple[str, str]:
    """Bucket and prefix, for S3's own client."""
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    return bucket, prefix


def raised(work):
    with pytest.raises(Exception) as caught:  # noqa: PT011  # which one it is, is the question
        work()
    return as_ours(caught.value)


def test_a_file_takes_its_name_when_it_is_complete_and_in_place_of_an_earlier_one(root):
    staging = Staging(f"{root}/carts/one")
    for _ in range(2):
        with staging.writer("rows.parquet", ROWS.schema) as writer:
            writer.write_batch(ROWS)
            assert "rows.parquet" not in staging.folder.names() or staging.intact("rows.parquet")
        assert staging.folder.names() == ["rows.parquet"]
        assert list(staging.rows("rows.parquet")) == [ROWS]
        assert staging.dataset("rows.parquet").to_table().to_batches() == [ROWS]


def test_a_half_written_file_never_takes_the_name(root):
    staging = Staging(f"{root}/carts/one")

    def dies():
        with staging.writer("rows.parquet", ROWS.schema) as writer:
            writer.write_batch(ROWS)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        dies()
    assert not staging.exists("rows.parquet")
    assert not staging.intact("rows.parquet")
    assert list(written(f"{root}/carts/one").rows("rows.parquet")) == [ROWS]
    clear(staging.folder.url, root=root)
    assert staging.folder.names() == []


def test_a_file_that_was_cut_short_is_told_and_names_that_are_taken_are_left(root):
    staging = written(f"{root}/carts/one", "add-0.parquet")
    assert staging.unused("add.parquet") == "add-1.parquet"
    file = staging.folder.file("add-0.parquet")
    staging.folder.fs.pipe_file(file, staging.folder.fs.cat_file(file)[:-9])
    assert not staging.intact("add-0.parquet")
    with pytest.raises(DiskError, match="changed or cut short"):
        list(staging.rows("add-0.parquet"))


def test_folders_of_runs_are_listed_and_cleared_and_their_neighbours_stay(root):
    folders = {run_folder(root, "carts", external_id) for external_id in ("..", "one", "two")}
    assert run_folders(root) == []
    for folder in folders:
        written(folder)
    assert set(run_folders(root)) == set(run_folders(f"{root}/")) == folders
    gone = folders.pop()
    clear(gone, root=root)
    clear(gone, root=root)  # twice is harmless
    assert set(run_folders(root)) == folders


def test_what_another_worker_writes_and_removes_is_seen_after_a_listing(s3, on_s3):
    folder = f"{on_s3}/carts/one"
    staging, (bucket, prefix) = written(folder), other_worker(s3, folder)
    assert staging.folder.names() == ["rows.parquet"]
    content = s3.client.get_object(Bucket=bucket, Key=f"{prefix}/rows.parquet")["Body"].read()
    s3.client.put_object(Bucket=bucket, Key=f"{prefix}/theirs.parquet", Body=content)
    assert staging.exists("theirs.parquet")
    assert list(staging.rows("theirs.parquet")) == [ROWS]
    assert staging.folder.names() == ["rows.parquet", "theirs.parquet"]
    s3.client.delete_object(Bucket=bucket, Key=f"{prefix}/rows.parquet")
    assert not staging.exists("rows.parquet")
    assert staging.folder.names() == ["theirs.parquet"]
    s3.client.put_object(Bucket=bucket, Key=f"{prefix.rpartition('/')[0]}/two/rows.parquet", Body=content)
    assert set(run_folders(on_s3)) == {folder, f"{on_s3}/carts/two"}


def everything(root: str) -> dict[str, object]:
    """Whatever is asked of a folder's store, by name."""
    staging = Staging(f"{root}/carts/one")

    def through_duckdb(read):
        read = pa.RecordBatchReader.from_batches(ROWS.schema, read) if not hasattr(read, "to_table") else read
        return duckdb.sql("select count(*), max(user_id) from read").fetchall()

    return {
        "exists": lambda: staging.exists("rows.parquet"),
        "intact": lambda: staging.intact("rows.parquet"),
        "unused": lambda: staging.unused("rows.parquet"),
        "rows": lambda: list(staging.rows("rows.parquet")),
        "data set": lambda: staging.dataset("rows.parquet").to_table(),
        "rows in DuckDB": lambda: through_duckdb(staging.rows("rows.parquet")),
        "data set in DuckDB": lambda: through_duckdb(staging.dataset("rows.parquet")),
        "writer": lambda: written(f"{root}/carts/two"),
        "listing": lambda: run_folders(root),
        "clear": lambda: clear(staging.folder.url, root=root),
    }


def test_a_store_that_is_away_is_a_passing_fault_of_its_own_and_nothing_is_taken_for_gone(s3, on_s3):
    written(f"{on_s3}/carts/one")
    faults = {
        "refused connections": None,
        "overload": ("503 Service Unavailable", "ServiceUnavailable"),
        "a fault of the store": ("500 Internal Server Error", "InternalError"),
    }
    for name, answer in faults.items():
        if answer is None:
            s3.stop()
        s3.refuses = lambda _, answer=answer: answer
        for asked, work in everything(on_s3).items():
            error = raised(work)
            assert isinstance(error, ObjectStoreLostError), (name, asked, error)
            assert "nothing is lost" in str(error)
            assert str(pickle.loads(pickle.dumps(error))) == str(error)
        s3.refuses = lambda _: None
        if answer is None:
            s3.start()
        assert Staging(f"{on_s3}/carts/one").intact("rows.parquet")


def test_a_store_that_lets_nobody_in_is_told_with_what_to_do(s3, on_s3):
    written(f"{on_s3}/carts/one")
    for answer in (("403 Forbidden", "AccessDenied"), ("403 Forbidden", "InvalidAccessKeyId")):
        s3.refuses = lambda _, answer=answer: answer
        for asked, work in everything(on_s3).items():
            error = raised(work)
            assert isinstance(error, ObjectStoreClosedError), (answer, asked, error)
            assert "rights" in str(error)


def test_a_bucket_that_is_not_there_is_no_missing_file(s3):
    staging = Staging("s3://no-such-bucket/audiences/carts/one")
    for work in (
        lambda: staging.exists("rows.parquet"),
        staging.folder.names,
        lambda: written("s3://no-such-bucket/audiences/carts/one"),
        lambda: run_folders("s3://no-such-bucket/audiences"),
    ):
        assert isinstance(raised(work), ObjectStoreClosedError)


def test_a_store_that_finds_no_place_to_write_to_may_lack_the_bucket(root):
    for url, told in (("memory://no-such-bucket/one", ObjectStoreClosedError), (root, FileNotFoundError)):
        with pytest.raises(told), Folder.of(url).there():
            raise FileNotFoundError


def test_a_file_that_is_gone_from_a_store_is_told_as_on_a_disk(root):
    staging = written(f"{root}/carts/one")
    for work in (
        lambda: list(staging.rows("other.parquet")),
        lambda: staging.dataset("other.parquet").to_table(),
    ):
        told = str(raised(work))
        assert "is not there" in told
        assert "other.parquet" in told


def test_a_file_is_replaced_while_it_is_read_is_a_passing_fault(s3, on_s3):
    folder = f"{on_s3}/carts/one"
    staging, (bucket, prefix) = written(folder), other_worker(s3, folder)
    with staging.folder.fs.open(staging.folder.file("rows.parquet"), block_size=5) as stream:
        stream.read(1)
        s3.client.put_object(Bucket=bucket, Key=f"{prefix}/rows.parquet", Body=b"another one")
        error = raised(lambda: (stream.seek(400), stream.read(5)))
    assert isinstance(error, ObjectStoreLostError), error


def test_credentials_come_from_an_airflow_connection(s3, monkeypatch):
    bucket = s3.bucket()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AIRFLOW_CONN_STAGING_STORE", s3.connection(config_kwargs={"retries": {"max_attempts": 1}}))
    root = f"s3://staging_store@{bucket}/audiences"
    folder = run_folder(root, "carts", "one")
    staging = written(folder)
    assert run_folders(root) == [folder]
    assert s3.client.list_objects_v2(Bucket=bucket)["Contents"][0]["Key"].startswith("audiences/carts/one-")
    s3.client.put_object(Bucket=bucket, Key=f"audiences/carts/{folder.rpartition('/')[2]}/theirs", Body=b"x")
    assert staging.exists("theirs")
    clear(staging.folder.url, root=root)
    assert run_folders(root) == []
    with pytest.raises(ConnectionMissingError, match="other_store"):
        Staging(f"s3://other_store@{bucket}/audiences/carts/one")


def test_encryption_is_asked_for_in_the_environment(s3, monkeypatch):
    from fsspec import config

    bucket = s3.bucket()
    wanted = {"s3_additional_kwargs": {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/staging"}}
    monkeypatch.setitem(config.conf, "s3", wanted)  # as FSSPEC_S3 says it when a process starts
    written(f"s3://{bucket}/audiences/carts/one")
    found = s3.client.head_object(Bucket=bucket, Key="audiences/carts/one/rows.parquet")
    assert found["ServerSideEncryption"] == "aws:kms"


def test_a_store_whose_package_is_missing_is_told_with_its_name():
    for url, needed in (
        ("gs://marketing/audiences", "the extra `gcs`"),
        ("abfs://staging@account.dfs.core.windows.net/audiences", "the extra `azure`"),
        ("gs://store@marketing/audiences", "apache-airflow-providers-google"),
        ("nonsense://marketing", "a package for `nonsense://`"),
    ):
        error = raised(lambda url=url: Staging(url))
        assert isinstance(error, StoreNotInstalledError | ConnectionMissingError), error
        if isinstance(error, StoreNotInstalledError):
            assert needed in str(error)
