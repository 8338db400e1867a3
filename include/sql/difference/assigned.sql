-- Who is assigned to which group by this run: targets are those whose membership begins, of which each user has one at most.
-- To sort millions is all that fits into the memory limit; to look for duplicates at the same time does not.
-- Dialect: DuckDB. Tables: begun, held_out (user_id, arm).
select user_id, 'target' as arm from begun
union all
select user_id, arm from held_out
order by user_id
