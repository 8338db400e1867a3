"""The folder of a run: its name can be trusted whatever the run's id, and nothing outside the root is ever removed."""

from __future__ import annotations

import shutil

import pyarrow as pa
import pytest
from upath import UPath

from audiences.disk import DiskError
from audiences.ledger.ledger_errors import as_ours
from audiences.pipeline.staging import Footers, Staging
from audiences.run_folders import OutsideStagingError, clear, run_folder

IDS = [
    "..",
    ".",
    "",
    "/",
    "../..",
    "../../etc",
    "a/b",
    "a:b",
    "a_b",
    "a b",
    "\x00",
    "~",
    "\udcff",
    "ü",
    "u",
    "x" * 250,
    "x" * 251,
]


def test_any_run_id_makes_a_folder_of_its_own_below_its_campaign(tmp_path):
    folders = [run_folder(str(tmp_path), "carts", external_id) for external_id in IDS]
    assert len(set(folders)) == len(IDS)
    for folder in folders:
        assert UPath(folder).resolve().parent == tmp_path / "carts"
        Staging(folder)  # makes it
    assert len(list((tmp_path / "carts").iterdir())) == len(IDS)


def test_a_scheduled_run_can_be_told_by_the_name_of_its_folder(tmp_path):
    folder = run_folder(str(tmp_path), "carts", "scheduled__2026-11-23T09:00:00+00:00")
    assert UPath(folder).name.startswith("scheduled__2026_11_23T09_00_00_00_00-")
    assert folder == run_folder(str(tmp_path), "carts", "scheduled__2026-11-23T09:00:00+00:00")


def test_a_byte_that_changed_in_a_staged_identifier_is_told_and_never_read(tmp_path):
    staging = Staging(str(tmp_path))
    rows = pa.record_batch({"user_id": ["1", "2"], "identifiers": [b"first identifier", b"second identifier"]})
    with staging.writer("rows.parquet", rows.schema) as writer:
        writer.write_batch(rows)
    assert pa.Table.from_batches(staging.rows("rows.parquet")).to_batches() == [rows]
    file = tmp_path / "rows.parquet"
    file.write_bytes(file.read_bytes().replace(b"second identifier", b"secone identifier"))
    assert not staging.intact("rows.parquet")
    with pytest.raises(DiskError, match="was changed or cut short after it was written"):
        list(staging.rows("rows.parquet"))
    with pytest.raises(OSError, match="CRC") as raised:
        staging.dataset("rows.parquet").to_table()
    assert "was changed or cut short after it was written" in str(as_ours(raised.value))


def test_a_request_reads_its_own_rows_only_wherever_row_groups_end(tmp_path):
    staging, footers = Staging(str(tmp_path)), Footers()
    # Two users who share a row have one position, so that requests and row groups drift apart.
    positions = [0, 1, 1, 2, 3, 4, 4, 5, 6, 7]
    rows = pa.record_batch({"position": pa.array(positions, pa.int64()), "user_id": [str(n) for n in range(10)]})
    with staging.writer("add.parquet", rows.schema) as writer:
        writer.write_batch(rows, row_group_size=3)
    for first, after in [(0, 3), (3, 6), (6, 9), (1, 2), (0, 9), (8, 9)]:
        found = staging.between("add.parquet", first, after, footers=footers).column("position").to_pylist()
        assert found == [position for position in positions if first <= position < after], (first, after)
    (tmp_path / "add.parquet").write_bytes(b"")
    with pytest.raises(DiskError, match="was changed or cut short after it was written"):
        staging.between("add.parquet", 0, 3, footers=Footers())


@pytest.mark.parametrize(
    "folder", ["", "/", "/.", "/..", "/carts/..", "/carts/../..", "2/carts", "/../other", "/link", "/link/x"]
)
@pytest.mark.parametrize("scheme", ["", "file://", "memory://"])
def test_only_what_lies_below_the_root_is_cleared(tmp_path, scheme, folder):
    root, other = tmp_path / "root", tmp_path / "other"
    for path in (root / "carts", other / "x", tmp_path / "root2" / "carts"):
        path.mkdir(parents=True)
        (path / "rows.parquet").touch()
    if scheme != "memory://":
        (root / "link").symlink_to(other)
    elif "link" in folder:
        pytest.skip("an object store has no links")
    if scheme == "file://" and "link" in folder:
        pytest.skip("covered as a plain path")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(OutsideStagingError, match="nothing in it was removed"):
        clear(f"{scheme}{root}{folder}", root=f"{scheme}{root}")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("scheme", ["", "file://", "memory://"])
def test_a_run_folder_is_cleared_and_its_neighbour_stays(tmp_path, scheme):
    root = f"{scheme}{tmp_path}/root"
    mine, neighbour = run_folder(root, "carts", ".."), run_folder(root, "carts", ".")
    for folder in (mine, neighbour):
        UPath(folder).mkdir(parents=True, exist_ok=True)
        (UPath(folder) / "rows.parquet").write_bytes(b"rows")
    clear(mine, root=root)
    assert not UPath(mine).exists()
    assert (UPath(neighbour) / "rows.parquet").exists()


def test_staging_that_is_gone_between_two_steps_is_told_in_words_and_the_next_run_is_right(shop, monkeypatch):
    from audiences.pipeline import run

    for number in (1, 2, 3):
        shop.user(number, f"user{number}@example.com")
        shop.event(number)
    select = run.select

    def lost(resources, run, shard):
        found = select(resources, run, shard)
        shutil.rmtree(run.staging)
        return found

    monkeypatch.setattr(run, "select", lost)
    summary = shop.run(shop.campaign())
    assert summary.state == "failed"
    assert "is not there" in summary.error
    assert "`staging`" in summary.error
    monkeypatch.setattr(run, "select", select)
    again = shop.run(shop.campaign())
    assert (again.state, again.audience.members) == ("success", 3)


def test_staged_files_that_are_cut_short_between_two_steps_are_told_in_words_and_the_next_run_is_right(
    shop, monkeypatch
):
    from audiences.pipeline import run

    for number in (1, 2, 3):
        shop.user(number, f"user{number}@example.com")
        shop.event(number)
    for step in ("extract", "select", "plan"):
        real = getattr(run, step)

        def cut(resources, run, *rest, real=real, **named):
            found = real(resources, run, *rest, **named)
            for file in UPath(run.staging).iterdir():
                file.write_bytes(file.read_bytes()[:-1])
            return found

        monkeypatch.setattr(run, step, cut)
        summary = shop.run(shop.campaign())
        monkeypatch.setattr(run, step, real)
        assert summary.state == "failed", step
        assert "changed or cut short" in summary.error, step
    again = shop.run(shop.campaign())
    assert (again.state, again.audience.members) == ("success", 3)


def test_staging_that_cannot_be_written_is_told_in_words(shop, tmp_path):
    shop.user(1, "user1@example.com")
    shop.event(1)
    (tmp_path / "file").touch()
    spec = shop.campaign().model_copy(update={"staging": str(tmp_path / "file")})
    try:
        told = shop.run(spec).error
    except OSError as error:  # closing the run meets the same; the command line and the task tell it
        told = str(as_ours(error))
    assert "right to write" in told
