"""Live campaigns: how far each has read the warehouse, the events it saw, and the batches they are exported in."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = """
create table audiences.live_campaign (
    campaign_id    integer primary key references audiences.campaign,
    since          timestamptz not null,
    read_to        timestamptz not null,
    settled_to     timestamptz not null,
    mark_at        timestamptz not null,
    mark_xid       bigint not null,
    looked_back_at timestamptz not null,
    error          text,
    error_at       timestamptz
);
comment on table audiences.live_campaign is 'live campaigns in force, and how far each has read the warehouse, by its clock';
comment on column audiences.live_campaign.since is 'events that arrived before are none of its business';
comment on column audiences.live_campaign.settled_to is 'no transaction that wrote anything before then is still open';
comment on column audiences.live_campaign.mark_xid is
  'the first transaction number not yet given out at `mark_at`; once all before it have ended, all is settled up to there';
comment on column audiences.live_campaign.looked_back_at is 'when events that became visible late were last looked for';
comment on column audiences.live_campaign.error is 'why its last look failed; null when it did not';

create table audiences.live_batch (
    id          bigint generated always as identity primary key,
    campaign_id integer not null references audiences.campaign,
    formed_at   timestamptz not null,
    events      integer not null,
    users       integer not null,
    first_event timestamptz not null,
    last_event  timestamptz not null,
    last_due    timestamptz not null,
    state       text not null default 'open' check (state in ('open', 'exported', 'dropped')),
    tries       integer not null default 0,
    offer_at    timestamptz not null,
    run_id      bigint references audiences.run,
    error       text,
    exported_at timestamptz
);
comment on column audiences.live_batch.offer_at is 'when a run of it is to be triggered, again if it was before';
comment on column audiences.live_batch.tries is 'how many runs of it were triggered';
comment on column audiences.live_batch.run_id is 'the run that exported it';
create unique index live_batch_open on audiences.live_batch (campaign_id) where state = 'open';

create table audiences.live_event (
    campaign_id integer not null,
    event_id    text collate "C" not null,
    user_id     text collate "C" not null,
    occurred_at timestamptz not null,
    arrived_at  timestamptz not null,
    seen_at     timestamptz not null,
    due_at      timestamptz not null,
    state       text not null check (state in (
        'waiting', 'batched', 'exported', 'not_qualified', 'excluded', 'limited', 'late', 'dropped')),
    batch_id    bigint,
    qualified   boolean not null default false,
    primary key (campaign_id, event_id)
);
comment on column audiences.live_event.state is
  'excluded: by `unless`; late: seen later than `max_age`; dropped: due while the campaign was not to send';
comment on column audiences.live_event.qualified is 'whether the last run of its batch found the user still to qualify';
create index live_event_waiting on audiences.live_event (campaign_id, due_at) where state = 'waiting';
create index live_event_of_user on audiences.live_event (campaign_id, user_id);
create index live_event_of_batch on audiences.live_event (batch_id) where batch_id is not null;
create index live_event_unbatched on audiences.live_event (campaign_id)
  where batch_id is null and state in ('excluded', 'limited', 'late', 'dropped');
"""


def upgrade() -> None:
    """Change the ledger."""
    op.execute(STATEMENTS)
