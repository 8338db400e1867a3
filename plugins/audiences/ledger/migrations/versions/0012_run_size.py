"""How large an audience was after each run, and indexes by which pages and commands find runs."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"

STATEMENTS = """
alter table audiences.run add column size bigint, add column rekeyed bigint not null default 0;
comment on column audiences.run.size is
  'different rows that the audience held by our doing when the run was closed; null: it did not get as far, or is older';
comment on column audiences.run.rekeyed is 'of those who are counted as kept, how many have other identifiers than before';

update audiences.run set rekeyed = (planned ->> 'rekeyed')::bigint
where state = 'success' and planned ->> 'rekeyed' <> '0';

-- Where an audience stands today is known for the last run of a campaign; of earlier ones it is not.
update audiences.run r set size = held.rows
from (
    select last.id, (
        select count(distinct m.identifiers) from audiences.member m
        where m.audience_id = last.audience_id and m.removed_run is null and m.present
    ) as rows
    from (
        select distinct on (campaign_id) id, audience_id from audiences.run
        where audience_id is not null and ended_at is not null order by campaign_id, id desc
    ) last
) held
where r.id = held.id;

create index run_of_campaign on audiences.run (campaign_id, id);
create index run_sized on audiences.run (campaign_id, ended_at) include (size, audience_id) where size is not null;
create index chunk_lost on audiences.chunk (audience_id) where state = 'lost';
create index live_batch_of_run on audiences.live_batch (run_id) where run_id is not null;
"""


def upgrade() -> None:
    """Change the ledger."""
    op.execute(STATEMENTS)
