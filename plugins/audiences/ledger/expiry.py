"""Expiry by `keep_for`: members who were added long enough ago, and users who have left for that and still qualify."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    import pyarrow as pa

    from audiences.ledger.database import Ledger


def expiring(ledger: Ledger, *, audience: int, campaign: int, since: datetime) -> pa.Table:
    """Members (`user_id`) by the campaign's doing whom a run added that decided at `since` or earlier."""
    from audiences.user_ids import USERS

    return ledger.read(
        "select distinct user_id from audiences.member"  # noqa: S608  # numbers only
        f" where audience_id = {int(audience)} and campaign_id = {int(campaign)} and removed_run is null and present"
        f" and added_run in (select id from audiences.run where campaign_id = {int(campaign)}"
        f" and assigned_at <= to_timestamp({since.timestamp():.6f}))",
        USERS,
    )


def expired(ledger: Ledger, *, audience: int, campaign: int) -> pa.Table:
    """Users (`user_id`) who have left because their time was up and have qualified in every run since."""
    from audiences.user_ids import USERS

    return ledger.read(
        "select user_id from audiences.expired"  # noqa: S608  # numbers only
        f" where audience_id = {int(audience)} and campaign_id = {int(campaign)}",
        USERS,
    )


def record(ledger: Ledger, *, audience: int, campaign: int, users: pa.Table) -> None:
    """Put these users (`user_id`) on record as expired, in place of those who were."""
    forgotten = "delete from audiences.expired where audience_id = %s and campaign_id = %s"
    if not users.num_rows:
        ledger.sql.execute(forgotten, (audience, campaign))
        return
    import pyarrow as pa

    from audiences.ledger import binary_copy

    now = {"audience_id": pa.scalar(audience, pa.int32()), "campaign_id": pa.scalar(campaign, pa.int32())}
    for name, value in now.items():
        users = users.append_column(name, pa.repeat(value, users.num_rows))
    with ledger.asynchronous_commit():
        ledger.sql.execute(forgotten, (audience, campaign))
        binary_copy.append(ledger.sql, "audiences.expired", users)


def carry_over(ledger: Ledger, audience: int, *, by: int) -> None:
    """Let those who expired in an audience stay out of the one that takes its place."""
    ledger.sql.execute("update audiences.expired set audience_id = %s where audience_id = %s", (by, audience))
