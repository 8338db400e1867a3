"""Export: sessions, bisected requests, expiry, erasure, ad sets."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = """
-- Ad sets, preflight, the end of a campaign.
create table audiences.ad_set (
    campaign_id integer not null references audiences.campaign,
    audience_id integer not null references audiences.audience,
    facebook_id text not null,
    place       text not null check (place in ('included', 'excluded')),
    made_by_us  boolean,
    run_id      bigint not null references audiences.run,
    seen_at     timestamptz not null,
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

-- Replace sessions, expiry, erasure.
create table audiences.upload_session (
    id          bigint generated always as identity primary key,
    run_id      bigint not null references audiences.run,
    audience_id integer not null references audiences.audience,
    attempt     integer not null,
    facebook_id bigint not null,
    schema      text[] not null,
    closing     text not null,
    state       text not null default 'planned' check (state in ('planned', 'open', 'ended', 'broken', 'dropped')),
    opened_at   timestamptz,
    ended_at    timestamptz,
    error       text,
    unique (run_id, attempt)
);
comment on table audiences.upload_session is 'replace sessions: the whole set of an audience, sent in several requests';
comment on column audiences.upload_session.facebook_id is 'the session id that we chose for Facebook';
comment on column audiences.upload_session.schema is 'the Facebook keys of its rows, the same in every request';
comment on column audiences.upload_session.closing is
  'staged file of the memberships that end with the session, besides those that its requests begin';
comment on column audiences.upload_session.state is
  'open: its first request has left; ended: the audience is its set; broken: what the audience holds is not known until '
  'another one has ended; dropped: it never reached Facebook';
create index upload_session_by_audience on audiences.upload_session (audience_id, state);

alter table audiences.chunk add column session bigint references audiences.upload_session;
comment on column audiences.chunk.session is 'the replace session that the request is a part of';
alter table audiences.chunk drop constraint chunk_action_check, drop constraint chunk_state_check;
alter table audiences.chunk
    add constraint chunk_action_check check (action in ('add', 'remove', 'replace')),
    add constraint chunk_state_check
        check (state in ('planned', 'sending', 'acknowledged', 'refused', 'dropped', 'lost'));
comment on column audiences.chunk.state is
  'sending: it may or may not have reached Facebook and is sent again before anything else; lost: the same, and its '
  'rows are gone, so only a full refresh makes the audience right';

create table audiences.expired (
    audience_id integer not null,
    campaign_id integer not null,
    user_id     text collate "C" not null,
    primary key (audience_id, campaign_id, user_id)
);
comment on table audiences.expired is
  'users who left because `keep_for` was up and who have qualified ever since; the campaign does not add them again';

create table audiences.erasure (
    id           bigint generated always as identity primary key,
    asked_at     timestamptz not null,
    done_at      timestamptz,
    requests     jsonb not null default '[]',
    removed      jsonb not null default '{}',
    still_to_do  text[] not null default '{}'
);
comment on table audiences.erasure is 'proof of erasures, without anything about the person';
comment on column audiences.erasure.requests is 'per ad account what Facebook acknowledged';
comment on column audiences.erasure.removed is 'rows removed from the ledger, by table';
create table audiences.erased (
    digest     bytea primary key,
    erasure_id bigint not null references audiences.erasure
);
comment on table audiences.erased is
  'salted SHA-256 of the user ids and of the strong identifiers (as uploaded) of erased people, by which every upload '
  'leaves them out';
create table audiences.erasure_salt (salt bytea not null);
insert into audiences.erasure_salt
select decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex');
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

# Throttling is per ad account, and several processes send for one.
AD_ACCOUNTS = """
create table audiences.ad_account (
    id            text primary key,
    blocked_until timestamptz not null
);
comment on column audiences.ad_account.blocked_until is 'Facebook throttled the ad account: no process calls it before';
"""

# Requests that were refused for what some of their rows hold, and those rows.
REFUSALS = """
alter table audiences.chunk add column part_of bigint references audiences.chunk;
comment on column audiences.chunk.part_of is
  'the planned request of which it has some of the rows, after that was refused for what they hold';
alter table audiences.chunk drop constraint chunk_state_check;
alter table audiences.chunk add constraint chunk_state_check check (
    state in ('planned', 'sending', 'acknowledged', 'split', 'postponed', 'refused', 'dropped', 'lost')
);
comment on column audiences.chunk.state is
  'sending: it may or may not have reached Facebook and is sent again before anything else; split: refused, and sent in '
  'halves; postponed: Facebook keeps the members for now, and the next run tries again; lost: as sending, and its rows are '
  'gone, so only a full refresh makes the audience right';
comment on column audiences.chunk.rejected is 'its rows, where they were refused for what they hold, by reason';
alter table audiences.chunk add column doubtful boolean not null default false;
comment on column audiences.chunk.doubtful is
  'refused after a try whose answer was lost: the members are on record as if it had been carried out, and it is sent again';
drop index audiences.chunk_unsettled;
create index chunk_unsettled on audiences.chunk (audience_id) where state = 'sending' or doubtful;
create index chunk_parts on audiences.chunk (run_id) where part_of is not null;

create table audiences.refused_row (
    audience_id integer not null references audiences.audience,
    identifiers bytea not null,
    reason      text not null,
    run_id      bigint not null references audiences.run,
    primary key (audience_id, identifiers)
);
comment on table audiences.refused_row is 'rows that Facebook refused to add; they are not sent again for a while';
"""

# A campaign whose identifiers were changed: members come under the new keys before they go under the old ones.
MAPPINGS = """
create table audiences.mapping (
    campaign_id integer not null references audiences.campaign,
    audience_id integer not null references audiences.audience,
    schema      text[] not null,
    moving_to   text[],
    primary key (campaign_id, audience_id)
);
comment on column audiences.mapping.schema is 'the Facebook keys under which all of the campaign''s members were uploaded';
comment on column audiences.mapping.moving_to is 'newer keys, under which some of them are by now; null when all are';
alter table audiences.chunk
    add column schema text[] not null default '{}',
    add column late boolean not null default false;
comment on column audiences.chunk.schema is 'the Facebook keys of its rows; a key that only some rows have is added';
comment on column audiences.chunk.late is 'a removal that waits for the additions, as the mapping has changed';
"""


def upgrade() -> None:
    """Change the ledger."""
    op.execute(STATEMENTS)
    op.execute(ENDED_MEMBERSHIPS)
    op.execute(MEMBERSHIPS)
    op.execute(AD_ACCOUNTS)
    op.execute(REFUSALS)
    op.execute(MAPPINGS)
