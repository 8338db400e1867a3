-- Candidates under what they are held with, of which only a hash is known.
-- Dialect: DuckDB. Tables: kept_users (user_id, row_hash), held. Parameters: $campaign.
select k.user_id, any_value(h.identifiers) as identifiers, cast(null as blob) as rank
from kept_users k
join held h on h.user_id = k.user_id and hash(h.identifiers) = k.row_hash
where h.campaign_id = $campaign and h.present
group by k.user_id
