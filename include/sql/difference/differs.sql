-- Where what is wanted and what this campaign holds are not the same: one row per user and membership.
-- `wanted` null: no longer wanted. `held` null: new. Both: the identifiers changed.
-- Dialect: DuckDB. Tables: wanted (user_id, identifiers), held (campaign_id, user_id, identifiers, present).
-- Parameters: $campaign, $action. `remove` looks at what any campaign holds; `remove_matching` at the campaign's own list of
-- those it had taken out (present = false).
select
  coalesce(w.user_id, h.user_id) as user_id,
  w.identifiers as wanted,
  h.identifiers as held,
  h.campaign_id
from wanted w
full join (
  select campaign_id, user_id, identifiers
  from held
  where present = ($action <> 'remove_matching') and (campaign_id = $campaign or $action = 'remove')
) h on h.user_id = w.user_id
where w.identifiers is distinct from h.identifiers
