-- The users who did what the goal names inside their window, each once however often they did it. The window begins after
-- the run's as-of time, up to which the run itself looked at events, and includes its last moment.
-- An amount that is no number, or beyond 10^18, counts as missing. Sums are decimal, so that their order does not matter.
-- Dialect: DuckDB. Tables: incoming (the events: user_id, occurred_at, amount), assigned (user_id, arm, run_id), run (run_id, starts, ends).
select
  a.user_id,
  count(*) as conversions,
  count(try_cast(e.amount as decimal(24, 6))) as amounts,
  coalesce(sum(try_cast(e.amount as decimal(24, 6))), 0) as revenue
from incoming e
  join assigned a on a.user_id = e.user_id
  join run r on r.run_id = a.run_id
where e.occurred_at > r.starts and e.occurred_at <= r.ends
group by a.user_id
