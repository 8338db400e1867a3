-- The figures of a difference, in the order of what/changes.py: Counts.
-- Dialect: DuckDB. Tables: candidates, wanted, differs, begun, ended, held, expiring, shared, kept, quarantined, changes,
-- elsewhere (memberships, rows: of the whole audience, where not all of it is in `held`; else empty), held_as_given (without
-- those who were added since they share a row).
-- Parameters: $campaign, $action.
with figures as (
  select
    (select count(*) from candidates) as candidates,
    (select count(*) from wanted) as targeted,
    (select count(*) from begun) as begun,
    (
      select count(distinct b.user_id)
      from begun b
      join differs d on d.user_id = b.user_id and d.held is not null and d.stays
      where b.present and b.identifiers not in (select identifiers from quarantined)
    ) as rekeyed,
    (select count(distinct user_id) from differs where held is not null and not stays and $action in ('mirror', 'remove'))
      as left_over,
    (select count(*) from ended where gone and campaign_id = $campaign and user_id in (select user_id from expiring))
      as expired,
    (select count(*) from ended where gone) as gone,
    (select count(distinct user_id) from held_as_given where present and (campaign_id = $campaign or $action = 'remove')) as held,
    (
      select count(*) from begun
      where present and identifiers not in (select identifiers from kept where action = 'add')
        and identifiers not in (select identifiers from quarantined)
    ) - (
      select coalesce(sum(users - 1), 0)::bigint from shared
      where identifiers not in (select identifiers from kept where action = 'add')
        and identifiers not in (select identifiers from quarantined)
    ) as add_rows,
    (select count(distinct identifiers) from changes where action = 'remove') as remove_rows,
    (select count(*) from begun where present and identifiers in (select identifiers from quarantined)) as quarantined,
    coalesce((select memberships from elsewhere), (select count(*) from held where present))
      + (select count(*) from changes where present and begins)
      - (select count(*) from changes where present and not begins) as memberships_after,
    -- As in `shared`: only those whose hash comes more than once can be held by several.
    coalesce((select rows from elsewhere), (select count(*) from held where present) - (
      select coalesce(sum(memberships - 1), 0)::bigint from (
        select count(*) as memberships
        from held
        where present and hash(identifiers) in (select hash(identifiers) from held where present group by 1 having count(*) > 1)
        group by identifiers
      )
    )) as rows_before,
    (select count(distinct identifiers) from changes where action = 'remove' and present and not begins) as rows_leaving
)
select * exclude (rows_before, rows_leaving), rows_before + add_rows - rows_leaving as rows_after
from figures
