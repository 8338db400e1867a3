"""Who was made a target by name, by the text of the users' key, however a file spelled it."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"

STATEMENTS = """
create table audiences.never_held_out (
    campaign_id integer not null references audiences.campaign,
    user_id text not null,
    primary key (campaign_id, user_id)
);
comment on table audiences.never_held_out is
  'users whom a run found under `never_hold_out`, so that their assignment is none of the formula''s';

insert into audiences.never_held_out (campaign_id, user_id)
select distinct campaign_id, jsonb_array_elements_text(config #> '{who,never_hold_out}') from audiences.run
where jsonb_typeof(config #> '{who,never_hold_out}') = 'array';
"""


def upgrade() -> None:
    """Change the ledger."""
    op.execute(STATEMENTS)
