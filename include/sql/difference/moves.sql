-- Users who come, who go, and who of them are held out now.
-- Dialect: DuckDB. Tables: before_users, after_users, held_out_users (user_id).
select
  (select count(*) from after_users where user_id not in (select user_id from before_users)) as comes,
  count(*) as goes,
  count(*) filter (where user_id in (select user_id from held_out_users)) as to_control
from before_users
where user_id not in (select user_id from after_users)
