-- The users whom the campaign goes on to hold although they are not wanted, or under something else than what they are wanted with.
-- Dialect: DuckDB. Tables: held_as_given, ended, wanted. Parameters: $campaign.
select distinct h.user_id
from held_as_given h
anti join (select * from ended where present) e
  on e.campaign_id = h.campaign_id and e.user_id = h.user_id and e.identifiers = h.identifiers
anti join wanted w on w.user_id = h.user_id and w.identifiers = h.identifiers
where h.present and h.campaign_id = $campaign
