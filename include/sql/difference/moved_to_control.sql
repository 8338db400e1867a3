-- Users who leave and whom a control group holds out now.
-- Dialect: DuckDB. Tables: ended, held_out (user_id, arm).
select count(distinct user_id) from ended where gone and user_id in (select user_id from held_out)
