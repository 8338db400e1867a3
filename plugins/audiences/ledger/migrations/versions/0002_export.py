"""Export: sessions, bisected requests, expiry, erasure, ad sets."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = """
select 1;

-- Ad sets, preflight, the end of a campaign.
create table audiences.ad_set (
    campaign_id integer not null references audiences.campaign,
    audience_id integer not null references audiences.audience,
    facebook_id text not null,
    place       text not null check (place in ('included', 'excluded')),
    made_by_us  boolean,
    run_id      bigint not null references audiences.run,
    error       text,
    primary key (campaign_id, audience_id, facebook_id)
);
comment on table audiences.ad_set is 'ad sets in whose targeting a campaign wants its audience';
comment on column audiences.ad_set.made_by_us is
  'only such links are taken back; false: a person had linked it before; null: about to be written';
comment on column audiences.ad_set.run_id is 'the last run that saw to it';
comment on column audiences.ad_set.error is 'why it is not as the campaign wants it; null when it is';

alter table audiences.run add column warnings text[] not null default '{}';

create table audiences.preflight (
    ad_account text not null,
    connection text not null,
    passed_at  timestamptz not null,
    warnings   text[] not null,
    primary key (ad_account, connection)
);
comment on table audiences.preflight is 'the last time that everything was right at Facebook';

create table audiences.campaign_end (
    campaign_id integer primary key references audiences.campaign,
    reason      text not null,
    on_end      text not null check (on_end in ('keep', 'unlink', 'empty')),
    tries       integer not null,
    error       text,
    ended_at    timestamptz not null
);
comment on table audiences.campaign_end is 'campaigns that are over; a run takes its campaign out again';
comment on column audiences.campaign_end.error is 'why `on_end` is not carried out yet; null when it is';

alter table audiences.campaign add column missing_since timestamptz;
comment on column audiences.campaign.missing_since is 'since when the project has no file of it';
"""

# Whoever asks about one person looks for memberships that have ended. Members come in by the million and none of them
# has ended, so an index of the ended ones costs the bulk insert nothing.
ENDED_MEMBERSHIPS = """
create index member_ended on audiences.member (user_id, audience_id) where removed_run is not null;
"""

# Not unique: a user is held with two rows while the new one is in and the old one could not be removed, or waits for that.
MEMBERSHIPS = """
drop index audiences.member_now;
create index member_now on audiences.member (audience_id, campaign_id, user_id, present) where removed_run is null;
"""


def upgrade() -> None:
    """Change the ledger."""
    op.execute(STATEMENTS)
    op.execute(ENDED_MEMBERSHIPS)
    op.execute(MEMBERSHIPS)
