-- As differs.sql, where nobody is held: then all that is wanted is new, and no table of it need be made.
-- Dialect: DuckDB. Table: wanted.
select user_id, identifiers as wanted, cast(null as blob) as held, cast(null as integer) as campaign_id, false as stays
from wanted
