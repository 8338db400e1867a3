-- The rows that Facebook has to hear of, each once, numbered in the order of sending: by user, because memberships that are
-- recorded in the order of the ledger's index are recorded three times as fast.
-- A row is added when nobody held it before; it is removed when nobody holds it afterwards, so that identifiers which two
-- users or two campaigns share stay while either of them is in.
-- Dialect: DuckDB. Tables: held, begun, ended.
with
holders_left as (
  select h.identifiers
  from held h
  semi join (select identifiers from ended) e on e.identifiers = h.identifiers
  anti join (select * from ended where present) o
    on o.campaign_id = h.campaign_id and o.user_id = h.user_id and o.identifiers = h.identifiers
  where h.present
  union
  select identifiers from begun where present
),
held_already as (
  select h.identifiers from held h semi join (select identifiers from begun where present) b using (identifiers) where h.present
),
added as (
  select identifiers, min(user_id) as first_user
  from begun
  where present and identifiers not in (select identifiers from held_already)
  group by identifiers
),
removed as (
  select identifiers, min(user_id) as first_user
  from (
    select identifiers, user_id from ended where present and identifiers not in (select identifiers from holders_left)
    union all
    select identifiers, user_id from begun where not present
  )
  group by identifiers
)
select 'add' as action, identifiers, row_number() over (order by first_user, identifiers) - 1 as position from added
union all
select 'remove', identifiers, row_number() over (order by first_user, identifiers) - 1 from removed
