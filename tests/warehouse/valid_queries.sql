# One query a line, each read by PostgreSQL 18, that returns one column `user_id`.
select id as user_id from users where @ (id-5) < 3
select id as user_id from users order by id using >
select id as user_id from users where pg_typeof(id)::text = 'bigint'
select gefühl(id) as user_id from users
select id as user_id from users where email = ';'
select id as user_id from users where id > 10_000
select id as user_id from users where id = 0o7 or id = 0x0A or id = 0b11
select id as user_id from users where email is nfc normalized
select id as user_id from users where ip << inet '10.0.0.0/8'
select id as user_id from users where at at local > timestamp '2026-01-01'
select j.user_id from events join one using (user_id) as j
select user_id from json_table('[{"u":1}]', '$[*]' columns (user_id bigint path '$.u')) as t
select user_id from events group by grouping sets ((user_id), (user_id, name))
select user_id from events group by rollup (user_id)
select user_id from events group by cube (user_id, name)
select user_id from (select user_id, sum(amount) over (partition by user_id order by at rows between unbounded preceding and current row exclude current row) s from events) x where s > 1
select user_id from (select user_id, sum(amount) over w from events window w as (partition by user_id order by at groups between 1 preceding and 1 following exclude ties)) x
select user_id from events group by user_id having percentile_cont(0.5) within group (order by amount) > 1
select user_id from events tablesample system (10) repeatable (7)
select user_id from events tablesample bernoulli (10)
select u.id as user_id from users u, lateral (select 1 from events e where e.user_id = u.id limit 1) x
select u.id as user_id from users u cross join unnest(u.tags) with ordinality as t (tag, n) where n = 1
select id as user_id from users where email = $$it's$$ or email = $q$a $$ b$q$
select id as user_id from users where email = U&'d\0061t\+000061'
select id as user_id from users where email = U&'d!0061t' uescape '!'
select id as U&"user!005fid" uescape '!' from users
select id as U&"user\005fid" from users
select id as user_id from users where email = E'a\'b;\\'
select id as user_id from users where id === 5
select id as user_id from users where id operator(pg_catalog.+) 1 = 5
select id as user_id from users where email collate "C" < 'b'
select id as user_id from users where tags[1:2] = array['a','b'] or tags[:1] is null
select id as user_id from users where (id, email) < (5, 'x') and row(id, email) is distinct from row(5, 'y')
with recursive t(user_id, n) as (select 1::bigint, 1 union all select user_id + 1, n + 1 from t where n < 3) search depth first by user_id set o select user_id from t
with recursive t(user_id, n) as (select 1::bigint, 1 union all select user_id + 1, n + 1 from t where n < 3) cycle user_id set c using p select user_id from t
with recursive t(user_id, n) as (select 1::bigint, 1 union all select user_id + 1, n + 1 from t where n < 3) cycle user_id set c to 'Y' default 'N' using p select user_id from t
select 5 as user_id
select 5 user_id
(select 5 as user_id)
((select 5 as user_id) union (select 6))
table one
select * from one
select one.* from one
select user_id from (values (1), (2)) as v (user_id)
select id as user_id from users order by id fetch first 5 rows with ties
select id as user_id from users offset 5 rows fetch next row only
select id as user_id from users limit all offset 2
select id as user_id from users limit (select 5)
select id as user_id from users where substring(email from 1 for 3) = 'abc'
select id as user_id from users where substring(email similar 'a#"b#"c' escape '#') = 'b'
select id as user_id from users where overlay(email placing 'x' from 1 for 2) = 'x'
select id as user_id from users where json_object('a': 1, 'b' value 2)::text <> ''
select user_id from events group by user_id having json_objectagg(name : 1)::text <> ''
select id as user_id from users where data @? '$.a[*] ? (@ > 2)' and data @@ '$.b == 1'
select id as user_id from users where data ? 'a' or data ?| array['b'] or data ?& array['c'] or data #>> '{a,b}' = 'x'
select id as user_id from users where data['a']['b'] = '1'
select id as user_id from users where data is json object with unique keys
select id as user_id from users where json_exists(data, '$.a') or json_value(data, '$.b' returning int default 0 on empty error on error) = 1
select id as user_id from users where at > now() - make_interval(days => 3)
select id as user_id from users where at > now() - make_interval(days := 3)
select id as user_id from users where at > now() - interval '5 days ago'
select id as user_id from users where at > now() - interval '1' day
select id as user_id from users where at > now() - interval(3) '1 day'
select id as user_id from users where (d, d + 1) overlaps (date '2026-01-01', date '2026-02-01')
select id as user_id from users where extract(epoch from at) > 1e3 and date_part('year', at) = 2026
select id as user_id from users where at at time zone 'utc' > '2026-01-01'
select distinct on (id) id as user_id from users order by id, at desc nulls last
select user_id from events where amount > any (array[1,2]) or amount = all (select 3)
select user_id from events group by user_id having count(*) filter (where name = 'x') > 2
select user_id from events group by distinct user_id, name
select user_id from events group by all user_id, name
select a.user_id from events a natural join one b
select coalesce(a.user_id, b.user_id) as user_id from events a full outer join one b on a.user_id = b.user_id
select user_id from events except all select user_id from one intersect select 3
select id as user_id from users where case when id > 3 then true else false end
select case id when 1 then 2 else 3 end as user_id from users
select cast(id as text) as user_id from users
select id::text as user_id from users where '1'::int = 1
select id as user_id from users where email like 'a!%' escape '!' or email ilike any (array['x']) or email similar to 'a|b' or email not between symmetric 'b' and 'a'
select id as user_id from users where id is not null and id notnull or id isnull or (id > 1) is unknown
select "größe" as user_id from users
select größe as user_id from users
select id as "user_id" from users
select id as USER_ID from users
select USER_ID from events
select id as user_id from only users
select id as user_id from users * where true
select e.user_id from events as e (user_id, n)
select user_id from rows from (generate_series(1,3), generate_series(1,2)) as t (user_id, b)
select user_id from json_to_recordset('[{"user_id":1}]') as x (user_id int, "update" text, delete text)
select user_id from json_to_record('{"user_id":1}') as (user_id int, update text)
with a as not materialized (select user_id from events) select user_id from a
with a as materialized (select user_id from events), b (user_id) as (select 1) select user_id from a union select user_id from b
with a as (select user_id, 1 as x from events) select user_id from a where exists (with b as (select 1) select from b)
select user_id from (select count(*) as into, 1 as user_id from one) t where t.into = 1
select user_id from events where name = B'01'::text or name = X'1F'::text or name = N'x'
select user_id from events where |/ 4 = 2 and ~ 1 = -2 and ||/ 27 = 3
select user_id from events where amount between 1 and 2 -- it's; a "comment" /* here
select user_id from events /* a /* nested; ' */ comment */ where true
select user_id from events where name ~* '^a' and name !~ 'b' and name ^@ 'x'
select user_id from events where at > current_timestamp(0) and current_user <> 'x'
select max(user_id) as user_id from events
select user_id from events order by user_id desc nulls first limit 10
select events.user_id from events, one where array[1,2,3] && array[2] and array[[1],[2]] is not null
select user_id from events where position('a' in name) > 0 and trim(both 'x' from name) = '' and trim(leading from name) = ''
select user_id from events where treat(name as text) = ''
select user_id from events where xmlparse(document '<a/>') is document
select user_id from events where name::varchar(20) = '' and amount::numeric(10, 2) = 0
select user_id from events where name = any ('{a,b}') and amount = some (array[1])
select user_id from events where exists (select from one o where o.user_id = events.user_id)
select (select user_id from one limit 1) as user_id
select user_id from events where name = quote_literal(E'\u00e4\x41\101')
select app.plus_one(id) as user_id from users
select users.id as user_id from public.users
select u.user_id from (events join one using (user_id)) u
select user_id from events e join lateral (select 1 as one) q on true
select user_id from ((select user_id from events) union all (select user_id from one)) qualify
select qualify.user_id from events qualify where qualify.user_id = 1
select qualify.user_id from events qualify join one on qualify.user_id = 1
select user_id from events where name = 'x' limit 5 offset 10
select user_id from events order by (select 1 limit 1), 1
select user_id from events where user_id in (select 1 limit 1) and (1, 2) in (select 1, 2 limit 1)
select user_id from events where user_id %2 = 0
select user_id from (select 4 as user_id, 3 as s) q where user_id %s = 1
select user_id from events where name = ';'
select user_id from events window w as (order by at)
select user_id from (select user_id, ntile(4) over (order by at) as user_n from events) t
select user_id from events where name is not nfkc normalized
select user_id from events where (at, at) overlaps (at, interval '1 day')
select user_id from generate_series(1, 5) user_id
select generate_series(1, 5) user_id
select return.user_id from events return
select user_id from events where json_array(1, 2)::text is not null and json_scalar(1)::text = '1' and json('{}')::text = '{}' and json_serialize('{}') = '{}'
select user_id from events where json_query(data, '$.a' with wrapper) is null
select user_id from (select user_id, any_value(name) over () a from events) t
select user_id from events where 1 = 1 and uuid_extract_version(uuidv7()) = 7 or random() < 0.5
