-- The targets that are left under the cap: members before newcomers, then by the campaign's own rank of users.
-- Dialect: DuckDB. Tables: eligible (user_id, identifiers, rank), held, exempt (user_id: already counted against the cap).
-- Parameters: $campaign, $limit.
with ranked as (
  select c.user_id, c.identifiers, c.rank,
    exists (select 1 from exempt e where e.user_id = c.user_id) as exempt,
    exists (select 1 from held h where h.campaign_id = $campaign and h.user_id = c.user_id) as member
  from eligible c
)
select user_id, identifiers
from ranked
qualify exempt or row_number() over (order by exempt, member desc, rank, user_id) <= $limit
