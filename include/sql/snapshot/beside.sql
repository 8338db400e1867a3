-- The users whom the query finds beside those of the snapshot; `what` as in pipeline/steps/known/lookup.py: 0 a member who stays as they
-- are, 1 known and no target, 2 to be looked at anew, 3 not found any more.
-- Dialect: DuckDB. Tables: found (FOUND), snapshot (SNAPSHOT).
select
  coalesce(f.user_id, s.user_id) as user_id,
  f.opted_out, f.passes, f.never_held_out, f.fingerprint,
  s.row_hash, s.rejected, s.settled, s.held_out,
  case
    when f.user_id is null then 3
    when s.fingerprint is null or s.fingerprint <> f.fingerprint then 2
    when f.passes and not f.opted_out and s.settled then 0
    when f.opted_out or not f.passes or s.row_hash is null or (s.held_out and not f.never_held_out) then 1
    else 2
  end::tinyint as what
from found f
full join (from snapshot where settled is not null) s on s.user_id = f.user_id
