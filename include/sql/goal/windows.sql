-- When users were assigned, when their windows begin and end, how many were targeted by name and not by chance, and how
-- many came after their window had begun, and after it had ended (neither happens unless windows begin with the launch).
-- Dialect: DuckDB. Tables: everyone (user_id, arm, run_id), spared (user_id), assigned (everyone but the spared),
-- run (run_id, assigned_at, starts, ends).
select
  min(r.assigned_at) as first_assigned,
  max(r.assigned_at) as last_assigned,
  min(r.starts) as first_start,
  min(r.ends) as first_end,
  max(r.ends) as last_end,
  (select count(*) from everyone where user_id in (select user_id from spared)) as spared,
  count(*) filter (r.assigned_at > r.starts) as begun,
  count(*) filter (r.assigned_at >= r.ends) as missed
from assigned a
  join run r on r.run_id = a.run_id
