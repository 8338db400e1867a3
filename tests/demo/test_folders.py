from __future__ import annotations

import pytest

from audiences.demo.folders import DemoFolders, DemoRunningError


def test_folder_is_for_one_demo_at_a_time(tmp_path):
    folders = DemoFolders(project=tmp_path, folder=tmp_path / ".demo")
    with folders.occupied():
        with pytest.raises(DemoRunningError, match="Ctrl-C"), folders.occupied():
            pass
        # The refused one must not have wiped out who is there.
        with pytest.raises(DemoRunningError, match=r"process \d+"), folders.occupied():
            pass
    with folders.occupied():
        pass


def test_folders_are_nobody_elses_business_older_ones_too(tmp_path):
    folders = DemoFolders(project=tmp_path, folder=tmp_path / ".demo")
    folders.logs.mkdir(parents=True, mode=0o755)
    with folders.occupied():
        for folder in (folders.folder, folders.airflow, folders.logs, folders.staging):
            assert oct(folder.stat().st_mode & 0o777) == "0o700", folder
