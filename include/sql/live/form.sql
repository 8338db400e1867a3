-- Turns waiting events that are due into batches, one per campaign, and says which users have entered often enough.
-- Dialect: Postgres (the ledger). Parameters: the states of ledger/live_events.py by their names; %(at)s the time of the look; arrays of equal length with the campaigns that may
-- form a batch: %(campaigns)s their numbers, %(times)s how often a user may enter (null: any number of times),
-- %(since)s no entry later than this may be on record (null: no matter). An entry is an event that was batched; one whose
-- user did not qualify any more does not count.
-- Columns: campaign_id, state, events, users, batch_id (null when every event was over the limit).
with terms as (
  select * from unnest(%(campaigns)s::int[], %(times)s::int[], %(since)s::timestamptz[]) as t (campaign_id, times, since)
),
due as (
  select
    e.campaign_id, e.event_id, e.user_id, e.occurred_at, e.due_at, t.times, t.since,
    row_number() over (partition by e.campaign_id, e.user_id order by e.occurred_at, e.event_id) as nth
  from audiences.live_event e
  join terms t using (campaign_id)
  where e.state = %(waiting)s and e.due_at <= %(at)s
),
entered as (
  select d.campaign_id, d.user_id, count(*) as times, max(b.formed_at) as last
  from (select distinct campaign_id, user_id from due where times is not null or since is not null) d
  join audiences.live_event e
    on e.campaign_id = d.campaign_id and e.user_id = d.user_id and e.state in (%(batched)s, %(exported)s)
  join audiences.live_batch b on b.id = e.batch_id
  group by d.campaign_id, d.user_id
),
judged as (
  select
    d.*,
    case
      when d.nth + coalesce(e.times, 0) > d.times then %(limited)s
      when d.since is not null and (d.nth > 1 or e.last > d.since) then %(limited)s
      else %(batched)s
    end as verdict
  from due d
  left join entered e using (campaign_id, user_id)
),
formed as (
  insert into audiences.live_batch (campaign_id, formed_at, events, users, first_event, last_event, last_due, offer_at)
  select campaign_id, %(at)s, count(*), count(distinct user_id), min(occurred_at), max(occurred_at), max(due_at), %(at)s
  from judged
  where verdict = %(batched)s
  group by campaign_id
  returning id, campaign_id
),
settled as (
  update audiences.live_event e
  set state = j.verdict, batch_id = f.id
  from judged j
  left join formed f using (campaign_id)
  where e.campaign_id = j.campaign_id and e.event_id = j.event_id
  returning e.campaign_id, e.user_id, e.state, e.batch_id
)
select campaign_id, state, count(*)::int as events, count(distinct user_id)::int as users, max(batch_id) as batch_id
from settled
group by campaign_id, state
