-- The users whom a snapshot is about, each once.
-- Dialect: DuckDB. Tables: base, changes (SNAPSHOT; see pipeline/staging.py).
select * from changes where fingerprint is not null
union all
select * from base anti join (select user_id from changes where settled is not null) using (user_id)
