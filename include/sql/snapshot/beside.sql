-- The users whom the query finds beside those of the snapshot, but for members who stay as they are and of whom there is nothing to
-- say; `what` as in pipeline/steps/known/lookup.py: 0 a member who stays, 1 known and no target, with that `outcome`, 2 to be looked at
-- anew, 3 not found any more. `known`: whether the snapshot has them. Ids are texts, whatever they are joined as.
-- Dialect: DuckDB, joins as written. Tables: found (FOUND or FOUND_NUMBERS), users (see users.sql).
select
  user_id::varchar as user_id,
  opted_out, passes, never_held_out, fingerprint, row_hash, rejected, settled, arm, known, what,
  case
    when not passes then 'filtered_out'
    when opted_out then 'opted_out'
    when row_hash is null then 'no_identifier'
    else 'control_' || arm
  end as outcome
from (
  select
    coalesce(f.user_id, s.user_id) as user_id,
    f.opted_out, f.passes, f.never_held_out, f.fingerprint,
    s.row_hash, s.rejected, s.settled, s.arm,
    s.user_id is not null as known,
    case
      when f.user_id is null then 3
      when s.fingerprint is null or s.fingerprint <> f.fingerprint then 2
      when f.passes and not f.opted_out and s.settled then 0
      when f.opted_out or not f.passes or s.row_hash is null or (s.arm is not null and not f.never_held_out) then 1
      else 2
    end::tinyint as what
  from found f
  full join users s on s.user_id = f.user_id
)
where what <> 0 or rejected is not null
