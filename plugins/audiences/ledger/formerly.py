"""Taking over a campaign whose file was renamed: `formerly` in the new file names the old id.

Whatever the ledger keeps of a campaign hangs on its number, which a renamed campaign keeps: taking over is another name for the
same number, in one transaction. The control group and the cap go on being drawn by the id under which the campaign began.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audiences.errors import FixConfigError
from audiences.ledger.campaigns import (
    BUSY_SECONDS,
    CampaignBusyError,
    KnownCampaign,
    RenamedCampaignError,
    locked,
    named,
    number,
    successor_of,
)
from audiences.ledger.runs import RunState
from audiences.logs import logger

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from audiences.ledger.database import Ledger

NO_WAIT = "1ms"
SILENT_MINUTES = 30  # a run without a sign of life for so long has died
_log = logger(__name__)


@dataclass(eq=False)
class CannotTakeOverError(FixConfigError):
    """`formerly` names a campaign that this one cannot take over."""

    campaign: str
    former: str
    why: str
    remedy: str

    def __str__(self) -> str:
        return (
            f"`{self.campaign}` cannot take over `{self.former}`, as its file says with `formerly`: {self.why}. "
            f"Nothing was sent. {self.remedy}"
        )


def find(ledger: Ledger, name: str, formerly: Sequence[str] = ()) -> KnownCampaign | None:
    """The campaign, as if it had been taken over where that is still to come; None when it has never run.

    Raises CannotTakeOverError and RenamedCampaignError, as a run would.
    """
    if waiting := to_take_over(ledger, name, formerly):
        return waiting
    if successor := successor_of(ledger, name):
        raise RenamedCampaignError(campaign=name, successor=successor)
    return named(ledger, name)


def to_take_over(ledger: Ledger, name: str, formerly: Sequence[str]) -> KnownCampaign | None:
    """The campaign under a former id that `name` has still to take over; None when that is done, or none is on record.

    Raises CannotTakeOverError.
    """
    if not formerly:
        return None
    found = [known for old in formerly if (known := named(ledger, old))]
    if len(found) > 1:
        names = " and ".join(f"`{each.name}`" for each in found)
        remedy = "Name the one whose members and history are to be kept."
        raise CannotTakeOverError(name, found[0].name, f"the ledger knows {names}, and only one of them can be", remedy)
    for old in formerly if not found else ():
        if (successor := successor_of(ledger, old)) and successor != name:
            remedy = f"Leave `formerly` out, or say `formerly: {successor}` if that file is gone as well."
            raise CannotTakeOverError(name, old, f"`{successor}` has taken it over already", remedy)
    if not found:
        return None
    own = named(ledger, name)
    if own and _has_state(ledger, own.id):
        raise CannotTakeOverError(
            name, found[0].name, f"`{name}` has run, and has a history of its own", _BOTH.format(found[0].name)
        )
    return found[0]


_BOTH = (
    "To go on with both, leave `formerly` out, bring the file of `{0}` back and let it say `status: stopped` and "
    "`when.on_end: empty`, so that its members leave; to go on with the history of `{0}`, give this file another name, under "
    "which nothing has run yet."
)


def take_over(ledger: Ledger, name: str, formerly: Sequence[str], *, wait: str | None = None) -> None:
    """Give the campaign of a former id this name, once; everything on record is the campaign's from then on.

    Raises CampaignBusyError while a run under the former id is under way, and CannotTakeOverError.
    """
    old = to_take_over(ledger, name, formerly)
    if old is None:
        return
    with locked(ledger, old.id, old.name, wait=wait):
        if _alive(ledger, old.id):
            what = (
                f"a run of `{old.name}`, which `{name}` takes over, is under way, or died less than {SILENT_MINUTES} "
                "minutes ago"
            )
            raise CampaignBusyError(what=what, seconds=BUSY_SECONDS, campaign=old.name)
        with ledger.sql.transaction():
            if _rename(ledger, old, name):
                _log.info("`%s` has taken over `%s`, with its members and its history", name, old.name)


@contextmanager
def working_on(ledger: Ledger, name: str, formerly: Sequence[str] = ()) -> Iterator[KnownCampaign]:
    """Take the campaign over from a former id, where that is to come, and hold it for this process.

    A second process waits a moment, then gets CampaignBusyError. Raises what `take_over` raises, and RenamedCampaignError for
    an id given up.
    """
    take_over(ledger, name, formerly)
    mine = number(ledger, name, formerly)
    with locked(ledger, mine, name):
        known = named(ledger, name)
        if known is None:  # renamed while this process waited
            raise RenamedCampaignError(campaign=name, successor=successor_of(ledger, name) or "another one")
        yield known


def to_be_taken_over(ledger: Ledger, formerly: Mapping[str, Sequence[str]]) -> list[str]:
    """Those of the campaigns, given with their former ids, for which `take_over` has to be asked, or whose id was given up."""
    olds = [old for each in formerly.values() for old in each]
    found = set(
        ledger.values(
            str,
            "select name from audiences.campaign where name = any(%(olds)s)"
            " union select name from audiences.former_name where name = any(%(names)s)",
            {"olds": olds, "names": list(formerly)},
        )
    )
    return [name for name, each in formerly.items() if name in found or found.intersection(each)]


def taken_over_since_last_run(ledger: Ledger, campaign: int) -> list[str]:
    """The ids that the campaign has given up since its last run began."""
    return ledger.values(
        str,
        "select name from audiences.former_name f where campaign_id = %(campaign)s and taken_over_at >"
        " (select coalesce(max(started_at), '-infinity') from audiences.run r where r.campaign_id = f.campaign_id) order by name",
        {"campaign": campaign},
    )


def all_unknown(ledger: Ledger, formerly: Sequence[str]) -> bool:
    """Whether there are former ids, and the ledger has never heard of any of them."""
    known = ledger.holds(
        "select exists (select from audiences.former_name where name = any(%(olds)s))"
        " or exists (select from audiences.campaign where name = any(%(olds)s))",
        {"olds": list(formerly)},
    )
    return bool(formerly) and not known


def names(ledger: Ledger) -> list[str]:
    """All campaigns on record."""
    return ledger.values(str, "select name from audiences.campaign order by name")


def has_state(ledger: Ledger, name: str) -> bool:
    """Whether the campaign has got as far as a plan, an event or an audience of its own."""
    known = named(ledger, name)
    return known is not None and _has_state(ledger, known.id)


def _has_state(ledger: Ledger, campaign: int) -> bool:
    return ledger.holds(
        """
        select exists (select from audiences.mapping where campaign_id = %(id)s)
            or (select 1 from audiences.assignment where campaign_id = %(id)s order by user_id limit 1) is not null
            or exists (select from audiences.run where campaign_id = %(id)s and audience_id is not null)
            or exists (select from audiences.audience where created_for = %(id)s)
            or exists (select from audiences.ad_set where campaign_id = %(id)s)
            or exists (select from audiences.live_event where campaign_id = %(id)s)
            or exists (select from audiences.live_batch where campaign_id = %(id)s)
        """,
        {"id": campaign},
    )


def _alive(ledger: Ledger, campaign: int) -> bool:
    """Whether a run has begun, has not ended, and has given a sign of life lately, or waits with a claim on its audience."""
    return ledger.holds(
        """
        select exists (
            select from audiences.run r where r.campaign_id = %(id)s and r.state = %(running)s and (
                exists (select from audiences.audience a where a.busy_campaign = r.campaign_id and a.busy_until > now())
                or greatest(r.started_at, (select max(greatest(c.sent_at, c.acknowledged_at))
                                           from audiences.chunk c where c.run_id = r.id))
                   > now() - %(minutes)s * interval '1 minute'
            )
        )
        """,
        {"id": campaign, "minutes": SILENT_MINUTES, "running": RunState.RUNNING},
    )


def _rename(ledger: Ledger, old: KnownCampaign, name: str) -> bool:
    """In the transaction of the caller; False when another process has done it meanwhile."""
    values: dict[str, object] = {"old": old.id, "was": old.name, "name": name}
    if not ledger.values(
        int, "select id from audiences.campaign where id = %(old)s and name = %(was)s for update", values
    ):
        return False
    empty = named(ledger, name)
    if empty is not None:  # it got no further than to a few runs that failed, which are the campaign's own
        values["new"] = empty.id
        for statement in _ABSORB:
            ledger.sql.execute(statement.encode(), values)
    ledger.sql.execute("delete from audiences.former_name where name = %(name)s", values)
    ledger.sql.execute(
        "update audiences.campaign set name = %(name)s, salt = coalesce(salt, name), missing_since = null where id = %(old)s",
        values,
    )
    ledger.sql.execute(
        "insert into audiences.former_name (name, campaign_id, taken_over_at) values (%(was)s, %(old)s, now())", values
    )
    from audiences.ledger import notices  # of a campaign that is taken over alone

    notices.rename(ledger, old.name, name)
    return True


# What a campaign without state of its own (see `_has_state`) can have on record, table by table.
_ABSORB = (
    "delete from audiences.approval a using audiences.run n, audiences.run o where a.run_id = n.id and n.campaign_id = %(new)s"
    " and o.campaign_id = %(old)s and o.external_id = n.external_id",
    "update audiences.approval set campaign_id = %(old)s where campaign_id = %(new)s",
    "delete from audiences.run n where campaign_id = %(new)s and exists"
    " (select from audiences.run o where o.campaign_id = %(old)s and o.external_id = n.external_id)",
    "update audiences.run set campaign_id = %(old)s where campaign_id = %(new)s",
    "update audiences.audience set busy_campaign = %(old)s where busy_campaign = %(new)s",
    "update audiences.goal_result set campaign_id = %(old)s where campaign_id = %(new)s",
    "update audiences.former_name set campaign_id = %(old)s where campaign_id = %(new)s",
    "delete from audiences.never_held_out where campaign_id = %(new)s",  # it says something of assignments only
    "delete from audiences.campaign_end where campaign_id = %(new)s",
    "delete from audiences.live_campaign where campaign_id = %(new)s",
    "delete from audiences.campaign where id = %(new)s",
)
