-- The candidates who may be wanted: those whose time under `keep_for` is up are left out until they stop qualifying.
-- Dialect: DuckDB. Tables: candidates, expiring (user_id: their time is up in this run), expired (user_id: in an earlier one).
select *
from candidates
where user_id not in (select user_id from expiring) and user_id not in (select user_id from expired)
