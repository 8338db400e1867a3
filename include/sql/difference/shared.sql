-- Identifiers that several of the memberships to be added have in common: how many, and the first of their users.
-- Grouping millions of long identifiers takes its time, and hardly any are shared: those whose hash comes once cannot be.
-- Dialect: DuckDB. Table: begun.
select identifiers, min(user_id) as first_user, count(*) as users
from begun
where present
  and hash(identifiers) in (select hash(identifiers) from begun where present group by 1 having count(*) > 1)
group by identifiers
having count(*) > 1
