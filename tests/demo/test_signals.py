from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import signal
from audiences.demo.signals import raise_on_signals
raise_on_signals()
try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    print("interrupted")
"""


def test_a_demo_that_a_script_started_in_the_background_can_be_interrupted_too():
    ignoring = ["bash", "-c", "trap '' INT; exec \"$@\"", "-", sys.executable, "-c", PROGRAM]
    assert subprocess.check_output(ignoring, text=True) == "interrupted\n"
