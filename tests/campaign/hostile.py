"""What may lie in a folder under the name of a campaign and is none: names, links, pipes, leftovers of editors."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NO_UTF8 = os.fsdecode(b"caf\xe9.yml")
LEFTOVERS = (".#test.yml", ".test.yml.swp", "test.yml~", "#test.yml#", "test.yml.bak", "4913", ".yml", ".hidden.yml")
"""Names that editors and people leave behind, which are passed over."""


def put_in(folder: Path) -> None:
    """One of each kind; none of them is a campaign."""
    (folder / NO_UTF8).write_text("name: [")
    (folder / "line\nbreak\x1b[2J.yml").write_text("name: [")
    (folder / f"{'ü' * 120}.yml").write_text("name: [")
    (folder / "folder.yml").mkdir()
    (folder / "nowhere.yml").symlink_to("missing")
    (folder / "loop.yml").symlink_to("loop.yml")
    (folder / "device.yml").symlink_to("/dev/zero")
    (folder / "outside.yml").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe.yml")
    with socket.socket(socket.AF_UNIX) as listening:  # by a short path: the length of a socket's is limited
        here = os.open(folder, os.O_RDONLY)
        try:
            listening.bind(f"/proc/self/fd/{here}/socket.yml")
        finally:
            os.close(here)
    (folder / LEFTOVERS[0]).symlink_to("somebody@machine.1234:5678")  # as Emacs locks a file
    for name in LEFTOVERS[1:]:
        (folder / name).write_text("name: [")
