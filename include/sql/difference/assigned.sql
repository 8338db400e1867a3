-- Who is assigned to which group by this run: targets are those whose membership begins.
-- Dialect: DuckDB. Tables: begun, held_out (user_id, arm).
select user_id, 'target' as arm from (select distinct user_id from begun)
union all
select user_id, arm from held_out
order by user_id
