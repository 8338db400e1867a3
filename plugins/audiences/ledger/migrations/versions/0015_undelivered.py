"""Notices that could not be delivered are kept until they are, and are told apart by what their subject is."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"

STATEMENTS = """
alter table audiences.notice
    add column kind text,
    add column link text,
    add column undelivered jsonb not null default '{}',
    alter column claimed_at drop not null;
-- Of a task of the project's own DAGs `what` names the task and the day; of a campaign's failure it is empty.
update audiences.notice set kind = case
    when condition in ('token', 'api_version') then 'ad_account'
    when condition = 'failed' and what <> '' then 'dag'
    else 'campaign'
end;
alter table audiences.notice
    alter column kind set not null,
    add constraint notice_kind check (kind in ('campaign', 'ad_account', 'dag'));
drop index audiences.notice_once;
create unique index notice_once on audiences.notice (kind, subject, condition, what) where over_at is null;
comment on column audiences.notice.kind is 'what the subject is: campaign, ad_account, or dag for one of the project''s own DAGs';
comment on column audiences.notice.subject is 'the id of the campaign, of the ad account or of the DAG';
comment on column audiences.notice.link is 'where it leads to in the Airflow UI';
comment on column audiences.notice.claimed_at is
  'when a process took it to deliver it; after five minutes another one may; null: in nobody''s hands';
comment on column audiences.notice.sent_at is 'when the first receiver took it';
comment on column audiences.notice.undelivered is
  'the ways by which it could not be delivered at the last try, each with the reason; it is tried again by these';
"""


def upgrade() -> None:
    """Change the ledger."""
    op.execute(STATEMENTS)
