-- Memberships that end with this run; `gone`: the user leaves, rather than to come back with other identifiers.
-- mirror: what the campaign holds and no longer wants, and rows whose identifiers changed. add: only the latter.
-- remove: whoever is no longer wanted, whichever campaign uploaded them. remove_matching: identifiers that are about to be
-- taken out, whoever holds them, and entries of the list of those taken out that no longer match or are renewed.
-- Dialect: DuckDB. Tables: differs, begun, held. Parameters: $campaign, $action.
select campaign_id, user_id, held as identifiers, $action <> 'remove_matching' as present, wanted is null as gone
from differs
where held is not null
  and case $action when 'add' then wanted is not null when 'remove' then wanted is null else true end
union
select h.campaign_id, h.user_id, h.identifiers, h.present, h.present as gone
from held h
join begun b on b.identifiers = h.identifiers
where $action = 'remove_matching' and (h.present or (h.campaign_id = $campaign and h.user_id = b.user_id))
