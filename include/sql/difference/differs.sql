-- Where what is wanted and what this campaign holds are not the same: one row per user and identifiers.
-- `held` null: wanted and not held. `wanted` null: held and not wanted; `stays` then tells whether the user is wanted with
-- other identifiers. A user can be held with several: the new ones are in, and the removal of the old ones was refused.
-- Dialect: DuckDB. Tables: wanted (user_id, identifiers), held (campaign_id, user_id, identifiers, present),
-- expiring (user_id: the campaign's memberships of these are over).
-- Parameters: $campaign, $action. `remove` looks at what any campaign holds; `remove_matching` at the campaign's own list of
-- those it had taken out (present = false).
with
unmatched as materialized (
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
      and not (present and campaign_id = $campaign and user_id in (select user_id from expiring))
  ) h on h.user_id = w.user_id and h.identifiers = w.identifiers
  where w.identifiers is null or h.identifiers is null
),
-- Of the many who are wanted, only the few who are held with something else are looked at.
staying as (
  select distinct w.user_id
  from wanted w
  semi join (select user_id from unmatched where held is not null) u on u.user_id = w.user_id
)
select u.user_id, u.wanted, u.held, u.campaign_id, u.held is not null and s.user_id is not null as stays
from unmatched u
left join staying s on s.user_id = u.user_id
