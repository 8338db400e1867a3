-- In what a snapshot is to differ from its first file: as before, but for users who are not as they were and those who are remembered
-- now. Who is not remembered any more has no fingerprint.
-- Dialect: DuckDB. Tables: changes, remembered (SNAPSHOT), not_kept (NOT_KEPT).
select *
from changes
anti join (
  select user_id from not_kept where settled is not null
  union
  select user_id from remembered
) using (user_id)
where settled is not null
union all
select * from remembered
union all
select user_id, null, null, null, false, null
from not_kept
anti join remembered using (user_id)
where settled is not null
