-- The memberships that change when a replace has ended, besides those that begin with its rows: all that end, and the
-- entries of a list of those taken out (remove_matching).
-- Dialect: DuckDB. Tables: begun, ended.
select 'none' as action, cast(null as bigint) as position, campaign_id, user_id, identifiers, present, false as begins, gone
from ended
union all
select 'none', null, campaign_id, user_id, identifiers, present, true, false
from begun
where not present
