-- Users and what they did, by arm, by the terms under which they were assigned, and by whether their window has ended.
-- Everyone assigned is in it, whatever came of the upload; the columns are those of goal/counting.py: Count.
-- Dialect: DuckDB. Tables: assigned, run (run_id, starts, ends, terms), converted. Parameter: $at.
select
  a.arm,
  r.terms,
  r.ends <= $at as ended,
  count(*) as users,
  count(c.user_id) as converters,
  coalesce(sum(c.conversions), 0)::bigint as conversions,
  coalesce(sum(c.amounts), 0)::bigint as amounts,
  coalesce(sum(c.revenue), 0)::decimal(38, 6) as revenue,
  coalesce(fsum(c.revenue::double * c.revenue::double), 0) as revenue_squared
from assigned a
  join run r on r.run_id = a.run_id
  left join converted c on c.user_id = a.user_id
group by all
order by all
