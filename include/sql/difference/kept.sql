-- Identifiers of which Facebook need not hear, although a membership begins or ends: somebody else held them already, or
-- holds them still. So those that two users or two campaigns share stay while either of them is in.
-- Dialect: DuckDB. Tables: held, begun, ended.
select 'add' as action, h.identifiers
from held h
semi join (select identifiers from begun where present) b on b.identifiers = h.identifiers
where h.present
union
select 'remove', h.identifiers
from held h
semi join (select identifiers from ended) e on e.identifiers = h.identifiers
anti join (select * from ended where present) o
  on o.campaign_id = h.campaign_id and o.user_id = h.user_id and o.identifiers = h.identifiers
where h.present
union
select 'remove', b.identifiers
from begun b
semi join (select identifiers from ended) e on e.identifiers = b.identifiers
where b.present
