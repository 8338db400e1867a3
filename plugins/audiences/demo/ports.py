"""TCP ports on this machine: the usual one when it is free, else the next that is."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field

HOST = "127.0.0.1"
_TRIES = 200


@dataclass(slots=True)
class Ports:
    """Gives out ports, no two alike; `moved` says which of the usual ones were taken, as (what for, usual, given)."""

    moved: list[tuple[str, int, int]] = field(default_factory=list)
    _given: set[int] = field(default_factory=set)

    def take(self, what: str, usual: int) -> int:
        """A port that nobody listens on, from `usual` upwards; raises OSError when none of the next ones is free."""
        for port in range(usual, usual + _TRIES):
            if port not in self._given and _is_free(port):
                self._given.add(port)
                if port != usual:
                    self.moved.append((what, usual, port))
                return port
        message = f"no free port from {usual} to {usual + _TRIES - 1} for {what}"
        raise OSError(message)


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Without this a port counts as taken for a minute after the last demo, by connections that are long closed.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
