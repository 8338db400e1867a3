"""Keeps the proof of the app secret out of the logs of the HTTP library, which writes whole addresses at the level DEBUG.

Facebook documents the proof as a parameter, so in a GET it stands in the address. The filter is on the library's own loggers,
so it holds whatever handlers there are: a terminal's, a test's, those of Airflow's task logs.
"""

from __future__ import annotations

import logging
import re
from typing import Final

_LOGGERS: Final = ("urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry", "urllib3.response", "requests")
_SECRET: Final = re.compile(r"\b(appsecret_proof|access_token|input_token)=[^&\s\"']*")


class _Quiet(logging.Filter):
    """Writes `…` for the values of parameters that are secret; every record passes."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = _without_secrets(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(map(_without_secrets, record.args))
        return True


_QUIET: Final = _Quiet()


def keep_addresses_quiet() -> None:
    """Install the filter; safe to call again."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_QUIET)  # noqa: TID251  # loggers of a library


def _without_secrets(value: object) -> object:
    """Also of an exception among the arguments, whose text would quote an address; numbers stay numbers."""
    if value is None or isinstance(value, int | float):
        return value
    text = str(value)
    quiet = _SECRET.sub(r"\1=…", text)
    return value if quiet == text else quiet
