-- Every membership that begins or ends, with the request it depends on: `add`, `remove`, or `none` where nothing is to be
-- sent for it. `first_user` is the first of the users who share the row of the request, `shares` whether there may be several;
-- requests are in this order, because memberships that are recorded in the order of the ledger's index are recorded three times
-- as fast.
-- Dialect: DuckDB. Tables: begun, ended, shared, kept, quarantined.
with
removed as (
  select identifiers, min(user_id) as first_user
  from (
    select identifiers, user_id from ended
    where present and identifiers not in (select identifiers from kept where action = 'remove')
    union all
    select identifiers, user_id from begun where not present
  )
  group by identifiers
)
select
  if(b.identifiers in (select identifiers from kept where action = 'add'), 'none', 'add') as action,
  coalesce(s.first_user, b.user_id) as first_user, s.first_user is not null as shares,
  b.campaign_id, b.user_id, b.identifiers, b.present, true as begins, false as gone
from begun b
left join shared s on s.identifiers = b.identifiers
where b.present and b.identifiers not in (select identifiers from quarantined)
union all
select
  if(r.identifiers is null, 'none', 'remove'), r.first_user, true,
  m.campaign_id, m.user_id, m.identifiers, m.present, m.begins, m.gone
from (
  select campaign_id, user_id, identifiers, present, true as begins, false as gone from begun where not present
  union all
  select campaign_id, user_id, identifiers, present, false, gone from ended
) m
left join removed r on r.identifiers = m.identifiers
