"""A question to which nobody answered in time is told from one that is void for another reason."""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"

STATEMENTS = """
alter table audiences.approval drop constraint approval_state_check;
alter table audiences.approval add constraint approval_state_check
    check (state in ('asked', 'approved', 'in_force', 'rejected', 'unanswered', 'lapsed'));
update audiences.approval set state = 'unanswered'
    where state = 'lapsed' and starts_with(lapsed_for, 'nobody answered before ');
comment on column audiences.approval.state is
  'approved: somebody said yes. in_force: the step that sends has verified that; the version needs no other answer. '
  'unanswered: nobody answered before the deadline. lapsed: void for another reason, which lapsed_for has';
comment on column audiences.approval.lapsed_for is 'why nothing comes of the question, unless it was rejected';
"""


def upgrade() -> None:
    """Change the ledger."""
    op.execute(STATEMENTS)
