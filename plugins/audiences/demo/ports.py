"""TCP ports on this machine: the usual one when it is free, else the next that is."""

from __future__ import annotations

import socket
import sys
from dataclasses import dataclass, field

HOST = "127.0.0.1"
_TRIES = 200


@dataclass(slots=True)
class Ports:
    """Gives out ports, no two alike; `moved` says which of the usual ones were taken, as (what for, usual, given).

    They stay given while this object and its process live, whether or not somebody listens on them yet: Airflow takes half
    a minute to begin, and a second demo that begins meanwhile must not choose the same.
    """

    moved: list[tuple[str, int, int]] = field(default_factory=list)
    _given: dict[int, socket.socket | None] = field(default_factory=dict)

    def take(self, what: str, usual: int) -> int:
        """A port that nobody has, from `usual` upwards; raises OSError when none of the next ones is free."""
        for port in range(usual, usual + _TRIES):
            if port not in self._given and _is_free(port) and self._claim(port):
                if port != usual:
                    self.moved.append((what, usual, port))
                return port
        message = f"no free port from {usual} to {usual + _TRIES - 1} for {what}"
        raise OSError(message)

    def _claim(self, port: int) -> bool:
        """Mark the port as given, for all demos in the same network; elsewhere than on Linux only for this one."""
        mark = None
        if sys.platform == "linux":
            # A name in the abstract namespace is in no folder, is seen by every user, and is gone with its process.
            mark = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                mark.bind(f"\0audiences-demo-port-{port}")
            except OSError:
                mark.close()
                return False
        self._given[port] = mark
        return True

    def close(self) -> None:
        """Let others have the ports."""
        for mark in self._given.values():
            if mark is not None:
                mark.close()
        self._given.clear()


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Without this a port counts as taken for a minute after the last demo, by connections that are long closed.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
