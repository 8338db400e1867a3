"""The loggers of the package: whatever a record is made of, it is one harmless line.

A name in a campaign file, a user's id or a text of Facebook may hold a line break, behind which anything could stand that looks
like a line of the log's own. `logging.getLogger` is banned elsewhere (pyproject.toml), so that nobody need think of it.
"""

from __future__ import annotations

import logging

from audiences.redact import harmless_line


class OneLine(logging.Filter):
    """Makes the message of every record one harmless line; for a logger or a handler. A traceback stays as it is."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record through."""
        record.msg, record.args = harmless_line(record.getMessage()), ()
        return True


ONE_LINE = OneLine()


def logger(name: str) -> logging.Logger:
    """The logger of that name."""
    found = logging.getLogger(name)  # noqa: TID251  # the one place
    found.addFilter(ONE_LINE)
    return found
