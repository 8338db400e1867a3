-- Memberships that begin with this run. `remove` begins none; `remove_matching` begins them in the list of those taken out,
-- and anew for identifiers that another campaign has put back since, or, with $anew, that anybody may have.
-- Dialect: DuckDB. Tables: differs, wanted, held. Parameters: $campaign, $action, $anew.
select $campaign as campaign_id, user_id, wanted as identifiers, $action <> 'remove_matching' as present
from differs
where wanted is not null and $action <> 'remove'
union all
select $campaign, w.user_id, w.identifiers, false
from wanted w
where $action = 'remove_matching'
  and ($anew or w.identifiers in (select identifiers from held where present and $action = 'remove_matching'))
  and w.user_id not in (select user_id from differs where wanted is not null)
