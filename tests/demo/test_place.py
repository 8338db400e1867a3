from __future__ import annotations

import pytest

from audiences.demo.place import DemoRunningError, Place


def test_folder_is_for_one_demo_at_a_time(tmp_path):
    place = Place(project=tmp_path, folder=tmp_path / ".demo")
    with place.occupied():
        with pytest.raises(DemoRunningError, match="Ctrl-C"), place.occupied():
            pass
        # The refused one must not have wiped out who is there.
        with pytest.raises(DemoRunningError, match=r"process \d+"), place.occupied():
            pass
    with place.occupied():
        pass
