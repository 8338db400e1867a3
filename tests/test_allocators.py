"""What large blocks took goes back to the system, whatever else was asked for since."""

from __future__ import annotations

import subprocess
import sys

import pytest

MB = 1024 * 1024
TAKE_AND_FREE = f"""
import psutil
import audiences.pipeline.staging

def resident():
    return psutil.Process().memory_info().rss // {MB}

del (largest := bytearray(b"x" * (12 * {MB})))[:]  # from here on the C library would take less for small
before, blocks, between = resident(), [], []
for _ in range(40):
    blocks.append(b"x" * (3 * {MB}))
    between.append(b"x" * 5000)
assert resident() - before > 100
blocks.clear()
print(resident() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the C library of Linux")
def test_large_blocks_go_back_to_the_system_though_small_ones_were_taken_after_them():
    done = subprocess.run(
        [sys.executable, "-c", TAKE_AND_FREE], capture_output=True, text=True, check=True
    )  # our own text
    assert int(done.stdout) < 20
