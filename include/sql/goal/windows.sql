-- When users were assigned, when their windows begin and end, and how many were targeted by name and not by chance.
-- Dialect: DuckDB. Tables: everyone (user_id, arm, run_id), spared (user_id), assigned (everyone but the spared),
-- run (run_id, assigned_at, starts, ends).
select
  min(r.assigned_at) as first_assigned,
  max(r.assigned_at) as last_assigned,
  min(r.starts) as first_start,
  min(r.ends) as first_end,
  max(r.ends) as last_end,
  (select count(*) from everyone where user_id in (select user_id from spared)) as spared
from run r
where r.run_id in (select run_id from assigned)
