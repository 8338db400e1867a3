-- The members who stay as they are and may have one of the rows `given` (`identifiers`), by its hash, as far as a snapshot has them.
-- Of the many in its first file only those few become texts.
-- Dialect: DuckDB, joins as written. Tables: given, base_rows (NUMBERED), changes (SNAPSHOT), not_kept (NOT_KEPT).
with hashes as materialized (select hash(identifiers) as row_hash from given)
select user_id
from (
  select user_id
  from (
    select coalesce(user_id, number::varchar) as user_id from base_rows semi join hashes using (row_hash) where settled
  )
  anti join (select user_id from changes where settled is not null) using (user_id)
  union all
  select user_id from changes semi join hashes using (row_hash) where settled and fingerprint is not null
)
anti join not_kept using (user_id)
