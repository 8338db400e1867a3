"""Preflights that passed, so that not every run asks Facebook again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from audiences.ledger.database import Ledger


@dataclass(frozen=True, slots=True)
class Passed:
    """When everything was last found right for an ad account by a connection, and what was warned of then."""

    ad_account: str
    connection: str
    passed_at: datetime
    warnings: tuple[str, ...]


def every(ledger: Ledger) -> list[Passed]:
    """The last preflight that passed, of each ad account and connection."""
    return ledger.rows(
        Passed,
        "select ad_account, connection, passed_at, warnings from audiences.preflight order by ad_account, connection",
    )


def passed_since(ledger: Ledger, *, ad_account: str, connection: str, since: datetime) -> tuple[str, ...] | None:
    """The warnings of the last preflight that passed, None when there was none after `since`."""
    return ledger.row(
        _warnings,
        "select warnings from audiences.preflight"
        " where ad_account = %(ad_account)s and connection = %(connection)s and passed_at > %(since)s",
        {"ad_account": ad_account, "connection": connection, "since": since},
    )


def _warnings(warnings: tuple[str, ...]) -> tuple[str, ...]:
    return warnings


def passed(ledger: Ledger, *, ad_account: str, connection: str, at: datetime, warnings: Sequence[str]) -> None:
    """Put on record that nothing was found that would make a run fail."""
    ledger.sql.execute(
        "insert into audiences.preflight (ad_account, connection, passed_at, warnings) values (%s, %s, %s, %s)"
        " on conflict (ad_account, connection) do update"
        " set passed_at = excluded.passed_at, warnings = excluded.warnings",
        (ad_account, connection, at, list(warnings)),
    )
