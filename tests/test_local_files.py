"""The disk as fsspec would have it: the same answers, and the same errors."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem

from audiences.local_files import LOCAL_FILES, absolute


def entries(files, path):
    return sorted((each["name"], each["type"]) for each in files.ls(str(path), detail=True))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "inside").mkdir()
    (tmp_path / "rows.parquet").write_bytes(b"rows")
    (tmp_path / "link").symlink_to(tmp_path / "inside")
    (tmp_path / "astray").symlink_to(tmp_path / "nowhere")
    return tmp_path


def test_what_lies_in_a_folder_is_what_fsspec_finds(folder):
    theirs = LocalFileSystem()
    found = [(name, "directory" if kind == "directory" else "file") for name, kind in entries(theirs, folder)]
    assert entries(LOCAL_FILES, folder) == found
    for name in ("inside", "rows.parquet", "link"):
        assert LOCAL_FILES.info(str(folder / name))["type"] == theirs.info(str(folder / name))["type"]
    assert entries(LOCAL_FILES, folder / "rows.parquet") == entries(theirs, folder / "rows.parquet")


@pytest.mark.parametrize("name", ["nowhere", "astray"])
def test_what_is_not_there_is_not_found(folder, name):
    for ask in (LOCAL_FILES.info, lambda path: LOCAL_FILES.ls(path, detail=True)):
        with pytest.raises(FileNotFoundError):
            ask(str(folder / name))
    with pytest.raises(FileNotFoundError):
        LOCAL_FILES.rm(str(folder / "nowhere"), recursive=True)


def test_a_folder_goes_with_all_that_is_in_it_and_a_link_alone(folder):
    (folder / "inside" / "rows.parquet").write_bytes(b"rows")
    LOCAL_FILES.rm(str(folder / "link"), recursive=True)
    assert (folder / "inside" / "rows.parquet").exists()
    LOCAL_FILES.rm(str(folder / "inside"), recursive=True)
    assert not (folder / "inside").exists()


def test_a_path_is_from_the_root_on(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    assert [absolute(path) for path in ("/a/b/", "a/./b", ".", "~/a", "/a/../b")] == [
        "/a/b",
        f"{Path.cwd()}/a/b",
        str(Path.cwd()),
        "/home/me/a",
        "/a/../b",
    ]


def test_a_folder_on_the_disk_is_reached_without_fsspec():
    code = "import sys; from audiences.object_store import Folder; Folder.of('/tmp').names(); sys.exit('fsspec' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
