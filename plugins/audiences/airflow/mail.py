"""Airflow's mail notifier with an end: tried once, and hung up on when it is given up."""

from __future__ import annotations

import contextlib
import smtplib
import socket
from functools import cached_property
from math import ceil
from typing import Any

from airflow.providers.smtp.hooks.smtp import SmtpHook
from airflow.providers.smtp.notifications.smtp import SmtpNotifier


class PromptHook(SmtpHook):
    """A talk with a mail server. Where it fails it is not begun again: the ledger keeps the notice for a later try.

    :param seconds: how long the server may say nothing, however long the connection's own `timeout` is.
    """

    given_up = False

    def __init__(self, *, seconds: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seconds = seconds

    @property
    def timeout(self) -> int:
        """That of the connection, up to a limit: a server may say nothing for so long."""
        return min(super().timeout, ceil(self.seconds))

    @property
    def smtp_retry_limit(self) -> int:
        """Tried once."""
        return 0

    def _build_client(self) -> smtplib.SMTP_SSL | smtplib.SMTP:
        self.client = super()._build_client()
        if self.given_up:
            self.client.close()
            message = "given up while the connection was being made"
            raise smtplib.SMTPServerDisconnected(message)
        return self.client

    def hang_up(self) -> None:
        """End the talk at once, from another thread; what the server has not taken by now it never gets."""
        self.given_up = True
        client: smtplib.SMTP | None = getattr(self, "client", None)
        connected = client.sock if client else None
        if connected is not None:
            with contextlib.suppress(OSError):  # it may have ended just now
                connected.shutdown(socket.SHUT_RDWR)


class PromptMail(SmtpNotifier):
    """A mail that is sent soon or not at all.

    :param seconds: how long it may take.
    """

    def __init__(self, *, seconds: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seconds = seconds

    @cached_property
    def hook(self) -> PromptHook:
        """The talk with the server."""
        return PromptHook(seconds=self.seconds, smtp_conn_id=self.smtp_conn_id, auth_type=self.auth_type)

    def hang_up(self) -> None:
        """Give it up."""
        self.hook.hang_up()
