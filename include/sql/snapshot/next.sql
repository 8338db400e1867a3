-- What the next run is to know of the users who were looked at; columns as in pipeline/steps/known/lookup.py: SNAPSHOT. Whoever is
-- wanted is held from now on, under just that, unless Facebook is not to be sent the row.
-- Dialect: DuckDB. Tables: looked_at (read once), wanted, quarantined, otherwise, in_control, of_erased.
select
  u.user_id, u.fingerprint,
  coalesce(hash(u.identifiers), u.row_hash) as row_hash,
  u.rejected,
  w.user_id is not null and o.user_id is null as settled,
  u.held_out or c.user_id is not null as held_out
from looked_at u
left join (select user_id from wanted where identifiers not in (select identifiers from quarantined)) w on w.user_id = u.user_id
left join otherwise o on o.user_id = u.user_id
left join (select distinct user_id from in_control) c on c.user_id = u.user_id
anti join of_erased e on e.user_id = u.user_id
union all
select user_id, null, null, null, null, null from otherwise
