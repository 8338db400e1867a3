-- Every membership that begins or ends, with the request row it depends on; position null: nothing to send for it, because
-- somebody else holds the same identifiers. Users with identical identifiers share one position.
-- Dialect: DuckDB. Tables: begun, ended, sent.
select
  coalesce(s.action, 'none') as action, s.position,
  c.campaign_id, c.user_id, c.identifiers, c.present, c.begins, c.gone
from (
  select campaign_id, user_id, identifiers, present, true as begins, false as gone from begun
  union all
  select campaign_id, user_id, identifiers, present, false, gone from ended
) c
left join sent s
  on s.identifiers = c.identifiers and s.action = case when c.begins and c.present then 'add' else 'remove' end
