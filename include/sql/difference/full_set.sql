-- The audience as it is to be, for a replace: every membership that lasts or begins, numbered by the row that is sent for it;
-- users with identical identifiers share one position. `begins` false: it is on record already.
-- Dialect: DuckDB. Tables: held, begun, ended, quarantined.
with memberships as (
  select h.campaign_id, h.user_id, h.identifiers, false as begins
  from held h
  anti join (select * from ended where present) e
    on e.campaign_id = h.campaign_id and e.user_id = h.user_id and e.identifiers = h.identifiers
  where h.present
  union all
  select campaign_id, user_id, identifiers, true from begun where present and identifiers not in (select identifiers from quarantined)
),
numbered as (
  select identifiers, row_number() over (order by min(user_id), identifiers) - 1 as position
  from memberships
  group by identifiers
)
select 'replace' as action, n.position, m.campaign_id, m.user_id, m.identifiers, true as present, m.begins, false as gone
from memberships m
join numbered n using (identifiers)
