-- Memberships that end with this run; `gone`, on one of them per user: the user leaves, rather than to stay with other
-- identifiers.
-- mirror: what the campaign holds and no longer wants, and rows whose identifiers changed. add: only the latter.
-- remove: whoever is no longer wanted, whichever campaign uploaded them. remove_matching: identifiers that are about to be
-- taken out, whoever holds them, and entries of the list of those taken out that no longer match or are renewed.
-- Of all actions: memberships whose time is up, and of those who opted out, where they would be uploaded anew, whichever campaign
-- holds them: the whole set of an audience is that of all campaigns.
-- Dialect: DuckDB. Tables: differs, begun, held, wanted, expiring, opted_out (user_id). Parameters: $campaign, $action.
with ending as (
  select campaign_id, user_id, held as identifiers, $action <> 'remove_matching' as present,
    $action <> 'remove_matching' and not stays as leaves
  from differs
  where held is not null and case $action when 'add' then stays when 'remove' then not stays else true end
  union
  select h.campaign_id, h.user_id, h.identifiers, h.present, h.present
  from held h
  join begun b on b.identifiers = h.identifiers
  where $action = 'remove_matching' and (h.present or (h.campaign_id = $campaign and h.user_id = b.user_id))
  union
  select h.campaign_id, h.user_id, h.identifiers, true, h.user_id not in (select user_id from wanted)
  from held h
  where h.present and h.campaign_id = $campaign and h.user_id in (select user_id from expiring)
  union
  select h.campaign_id, h.user_id, h.identifiers, true, true
  from held h
  where h.present and h.user_id in (select user_id from opted_out)
),
-- Few are held more than once: looking at those alone is four times as fast as a window over all.
several as (
  select user_id from ending where leaves group by user_id having count(*) > 1
),
firsts as (
  select user_id, min((identifiers, campaign_id)) as first from ending where leaves and user_id in (select user_id from several) group by user_id
)
select e.campaign_id, e.user_id, e.identifiers, e.present,
  e.leaves and (f.user_id is null or f.first = (e.identifiers, e.campaign_id)) as gone
from ending e
left join firsts f on f.user_id = e.user_id
