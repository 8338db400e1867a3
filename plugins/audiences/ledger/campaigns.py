"""Campaigns on record by name, each with the number on which everything else in the ledger hangs."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from audiences.errors import FixConfigError, WaitError
from audiences.ledger.own_session import unlocked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from audiences.ledger.database import Ledger

_LOCK = 0x_A0D1  # the class of our advisory locks; the campaign's number is the second key
LOCK_WAIT = "10s"  # long enough for Postgres to notice that a killed process is gone
BUSY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class KnownCampaign:
    """A campaign on record: `id` is the ledger's number, `salt` what its control group and its cap are drawn by."""

    id: int
    name: str
    salt: str


@dataclass(eq=False)
class CampaignBusyError(WaitError):
    """Another process is working on the same campaign."""

    campaign: str = ""

    def __str__(self) -> str:
        # A command does not wait for as long as a task does.
        return f"{self.what}; nothing was done here. Try again once that has ended"


@dataclass(eq=False)
class RenamedCampaignError(FixConfigError):
    """A campaign is to run under an id that it, or another one, gave up when its file was renamed."""

    campaign: str
    successor: str

    def __str__(self) -> str:
        return (
            f"the campaign `{self.campaign}` was renamed: `{self.successor}` has taken over its members and its history. If this "
            f"file is that campaign again, say `formerly: {self.successor}` in it; a new campaign needs another file name"
        )


def number(ledger: Ledger, name: str, formerly: Sequence[str] = ()) -> int:
    """The campaign's number in the ledger, given out at its first run. Raises RenamedCampaignError for an id given up.

    One that begins here and was called otherwise in another ledger goes on being drawn by its first id.
    """
    if successor := successor_of(ledger, name):
        raise RenamedCampaignError(campaign=name, successor=successor)
    ledger.sql.execute(
        "insert into audiences.campaign (name, salt) values (%s, %s) on conflict do nothing",
        (name, formerly[-1] if formerly else None),
    )
    return ledger.number("select id from audiences.campaign where name = %(name)s", {"name": name})


def ensure(ledger: Ledger, names: Sequence[str]) -> None:
    """Put the campaigns on record that are not."""
    ledger.sql.execute(
        "insert into audiences.campaign (name) select * from unnest(%s::text[]) on conflict do nothing", (list(names),)
    )


def named(ledger: Ledger, name: str) -> KnownCampaign | None:
    """The campaign on record under exactly this name."""
    return ledger.row(
        KnownCampaign,
        "select id, name, coalesce(salt, name) as salt from audiences.campaign where name = %(name)s",
        {"name": name},
    )


def names(ledger: Ledger) -> dict[int, str]:
    """The names of all campaigns on record, by the ledger's numbers."""

    def pair(id: int, name: str) -> tuple[int, str]:  # the column's name
        return id, name

    return dict(ledger.rows(pair, "select id, name from audiences.campaign order by id"))


def successor_of(ledger: Ledger, name: str) -> str | None:
    """The campaign whose former name this is; None without one, or when another campaign has the name now."""
    return ledger.value(
        str,
        "select c.name from audiences.former_name f join audiences.campaign c on c.id = f.campaign_id where f.name = %(name)s",
        {"name": name},
    )


@contextmanager
def locked(
    ledger: Ledger, campaign: int, name: str, *, wait: str | None = None, shared: bool = False
) -> Iterator[None]:
    """Hold the campaign for this process; raises CampaignBusyError when another one does not let go within `wait` (LOCK_WAIT).

    The lock belongs to the database session, so a killed process leaves nothing behind. It may be taken several times.
    `shared`: together with others who hold it so, as the tasks of one run do; whoever wants it alone waits for all of them.
    """
    kind = "_shared" if shared else ""
    ledger.sql.execute(f"set lock_timeout = '{wait or LOCK_WAIT}'".encode())
    try:
        ledger.sql.execute(f"select pg_advisory_lock{kind}(%s, %s)".encode(), (_LOCK, campaign))
    except psycopg.errors.LockNotAvailable as error:
        what = f"campaign `{name}` is being run by another process"
        raise CampaignBusyError(what=what, seconds=BUSY_SECONDS, campaign=name) from error
    finally:
        ledger.sql.execute("reset lock_timeout")
    try:
        yield
    finally:
        unlocked(ledger.sql, _LOCK, campaign, shared=shared)
