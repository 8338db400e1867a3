-- Who is assigned to which group by this run, but for those who are added: their rows are written in order, and they with them.
-- Targets are those whose membership begins, of which each user has one at most.
-- To sort millions is all that fits into the memory limit; to look for duplicates at the same time does not.
-- Dialect: DuckDB. Tables: begun, kept, quarantined, held_out (user_id, arm). Parameters: $added: whether anybody is added.
select user_id, 'target' as arm
from begun
where not $added
  or not present
  or identifiers in (select identifiers from kept where action = 'add')
  or identifiers in (select identifiers from quarantined)
union all
select user_id, arm from held_out
order by user_id
