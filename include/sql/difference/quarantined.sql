-- Identifiers that are not sent although memberships with them are to begin: Facebook refused them before, and nobody has them
-- in by now.
-- Dialect: DuckDB. Tables: begun, refused (identifiers), kept.
select distinct b.identifiers
from begun b
semi join (select identifiers from refused) r on r.identifiers = b.identifiers
where b.present and b.identifiers not in (select identifiers from kept where action = 'add')
