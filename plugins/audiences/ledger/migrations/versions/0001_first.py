"""The ledger: campaigns, audiences, runs, assignments, members with history, chunks."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None

# Millions of rows go into `assignment` and `member`: no foreign keys there, which are checked row by row, and user ids
# compared by byte.
TABLES = """
create table audiences.campaign (
    id   integer generated always as identity primary key,
    name text not null unique
);

create table audiences.audience (
    id               integer generated always as identity primary key,
    ad_account       text not null,
    facebook_id      text not null unique,
    name             text not null,
    created_for      integer references audiences.campaign,
    schema           text[] not null default '{}',
    size_lower       bigint,
    size_upper       bigint,
    operation_status text,
    delivery_status  text,
    checked_at       timestamptz,
    busy_campaign    integer references audiences.campaign,
    busy_until       timestamptz
);
comment on column audiences.audience.created_for is
  'the campaign whose file asked to create it; null for an audience given by id';
comment on column audiences.audience.busy_until is 'another campaign leaves the audience alone until then';

create table audiences.run (
    id            bigint generated always as identity primary key,
    campaign_id   integer not null references audiences.campaign,
    external_id   text not null,
    audience_id   integer references audiences.audience,
    config_digest text not null,
    config        jsonb not null,
    control_terms text not null,
    as_of         timestamptz not null,
    state         text not null check (state in ('running', 'success', 'failed', 'stopped', 'abandoned')),
    started_at    timestamptz not null,
    ended_at      timestamptz,
    staging       text not null,
    planned       jsonb not null default '{}',
    outcomes      jsonb not null default '{}',
    rejected      jsonb not null default '{}',
    requests      integer not null default 0,
    timings       jsonb not null default '{}',
    error         text,
    stopped       boolean not null default false,
    unique (campaign_id, external_id)
);
comment on column audiences.run.control_terms is 'salts and percentages by which this run assigned users';
create index run_by_audience on audiences.run (audience_id, state);

create table audiences.assignment (
    campaign_id integer not null,
    user_id     text collate "C" not null,
    arm         text not null check (arm in ('target', 'system', 'custom', 'campaign')),
    run_id      bigint not null,
    primary key (campaign_id, user_id)
);
comment on table audiences.assignment is 'target or the control group that holds the user out; the first one stands';

create table audiences.member (
    audience_id integer not null,
    campaign_id integer not null,
    user_id     text collate "C" not null,
    identifiers bytea not null,
    present     boolean not null,
    added_run   bigint not null,
    removed_run bigint
);
comment on column audiences.member.identifiers is
  'the row as uploaded: per identifier its number, its length, its bytes (a SHA-256 has 32)';
comment on column audiences.member.present is
  'true: the campaign keeps the user in the audience; false: it had the user taken out (remove_matching)';
create unique index member_now on audiences.member (audience_id, campaign_id, user_id, present)
  where removed_run is null;

create table audiences.chunk (
    id              bigint generated always as identity primary key,
    run_id          bigint not null references audiences.run,
    audience_id     integer not null references audiences.audience,
    action          text not null check (action in ('add', 'remove')),
    number          integer not null,
    file            text not null,
    first_row       bigint not null,
    rows            integer not null,
    state           text not null default 'planned'
                    check (state in ('planned', 'sending', 'acknowledged', 'refused', 'dropped')),
    tries           integer not null default 0,
    received        integer,
    invalid         integer,
    begun           integer not null default 0,
    gone            integer not null default 0,
    rejected        jsonb not null default '{}',
    error           text,
    sent_at         timestamptz,
    acknowledged_at timestamptz,
    unique (run_id, number)
);
comment on column audiences.chunk.state is
  'sending: it may or may not have reached Facebook and is sent again before anything else';
comment on column audiences.chunk.begun is 'users whose membership began with this request';
comment on column audiences.chunk.gone is 'users who left the audience with it, not counting changed identifiers';
comment on column audiences.chunk.file is 'staged change file; the request takes `rows` positions from `first_row` on';
create index chunk_unsettled on audiences.chunk (audience_id) where state = 'sending';
"""


def upgrade() -> None:
    """Create everything."""
    op.execute(TABLES)
