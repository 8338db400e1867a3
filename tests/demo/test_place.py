from __future__ import annotations

import pytest

from audiences.demo.place import DemoFolders, DemoRunningError


def test_folder_is_for_one_demo_at_a_time(tmp_path):
    place = DemoFolders(project=tmp_path, folder=tmp_path / ".demo")
    with place.occupied():
        with pytest.raises(DemoRunningError, match="Ctrl-C"), place.occupied():
            pass
        # The refused one must not have wiped out who is there.
        with pytest.raises(DemoRunningError, match=r"process \d+"), place.occupied():
            pass
    with place.occupied():
        pass


def test_folders_are_nobody_elses_business_older_ones_too(tmp_path):
    place = DemoFolders(project=tmp_path, folder=tmp_path / ".demo")
    place.logs.mkdir(parents=True, mode=0o755)
    with place.occupied():
        for folder in (place.folder, place.airflow, place.logs, place.staging):
            assert oct(folder.stat().st_mode & 0o777) == "0o700", folder
