"""What happens to the snapshots of campaigns, which are a cache: they are lost, damaged, or older than the rest of the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import psycopg

if TYPE_CHECKING:
    from random import Random

    from tests.chaos.place import Place

_PUT_BACK: Final = """
create table if not exists audiences.old_snapshot as select * from audiences.snapshot;
create table if not exists audiences.old_part as select * from audiences.snapshot_part;
delete from audiences.snapshot where campaign_id in (select campaign_id from audiences.old_snapshot);
insert into audiences.snapshot select * from audiences.old_snapshot
where audience_id in (select id from audiences.audience) and campaign_id in (select id from audiences.campaign);
insert into audiences.snapshot_part select * from audiences.old_part
where campaign_id in (select campaign_id from audiences.snapshot) on conflict do nothing;
drop table audiences.old_snapshot, audiences.old_part
"""
_KEEP: Final = """
create table if not exists audiences.old_snapshot as select * from audiences.snapshot;
create table if not exists audiences.old_part as select * from audiences.snapshot_part
"""
FORGETTING: Final = {
    "snapshots lost": "truncate audiences.snapshot, audiences.snapshot_part",
    "snapshots damaged": "update audiences.snapshot_part set content = set_byte(content, 100, 255 - get_byte(content, 100))",
    "snapshots older than the ledger": _PUT_BACK,
}
LIKELY: Final = 0.4


def forget(place: Place, dice: Random) -> str | None:
    """Let something happen to the snapshots, or note them for later; what it was, None for nothing."""
    if dice.random() > LIKELY or not place.ledger("select 1 from audiences.snapshot"):
        return None
    kind = dice.choice([*FORGETTING, None])
    with psycopg.connect(place.dsn("ledger")) as connection:
        connection.execute((FORGETTING[kind] if kind else _KEEP).encode())
    return kind
