"""What the login of the warehouse connection may do beyond reading: each such right is one that a saved query could use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from audiences.campaign.wording import shown
from audiences.checklist import Check, State
from audiences.warehouse.catalog.reflect import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audiences.warehouse.catalog.reflect import Glance

_TOLD: Final = 3
_RIGHTS: Final = """
with own as (
    select oid, nspname, quote_ident(nspname) as name from pg_namespace
    where nspname !~ '^pg_' and nspname <> 'information_schema'
)
select current_user::text as login,
    (select rolsuper from pg_roles where rolname = current_user) as superuser,
    array(
        select rolname::text from pg_roles
        where rolname ~ '^pg_(read_server_files|write_server_files|execute_server_program)$'
            and pg_has_role(current_user, oid, 'member') order by 1
    ) as roles,
    array(
        select 'database ' || quote_ident(current_database()) where has_database_privilege(current_database(), 'create')
        union all (select 'schema ' || name from own where has_schema_privilege(oid, 'create') order by 1)
    ) as creates,
    array(
        select own.name || '.' || quote_ident(c.relname) from pg_class c join own on own.oid = c.relnamespace
        where c.relkind in ('r', 'p', 'v', 'f') and has_table_privilege(c.oid, 'insert, update, delete, truncate')
        order by 1
    ) as writes,
    array(
        select p.oid::regprocedure::text from pg_proc p join own on own.oid = p.pronamespace
        where p.provolatile = 'v' and p.prokind = 'f' and has_function_privilege(p.oid, 'execute')
            and has_schema_privilege(own.oid, 'usage')
            and p.prorettype not in (select oid from pg_type where typtype = 'p' and typname ~ '(handler|trigger|internal)$')
        order by 1
    ) as calls
"""


def check_login(glance: Glance) -> Iterator[Check]:
    """A line for each kind of right that the login must not have, or one that it has none of them."""
    answer = glance.ask(_RIGHTS)
    if isinstance(answer, Refusal):
        yield Check("login", State.WARN, f"its rights are not known: {answer.words}", known=False)
        return
    (row,) = answer
    name = f"login {row.login}"
    if row.superuser:
        remedy = "Use a login that may do nothing but read: CREATE ROLE … LOGIN; GRANT SELECT ON … TO …"
        yield Check(name, State.WARN, "is a superuser: a saved query may read files, run programs and more", remedy)
        return
    lines = [
        _line(name, "is a member of", row.roles, "REVOKE it: a saved query could use the server's files or programs."),
        _line(name, "may CREATE in", row.creates, "REVOKE CREATE; reading needs none."),
        _line(name, "may write to", row.writes, "REVOKE INSERT, UPDATE, DELETE, TRUNCATE; reading needs SELECT alone."),
        _line(
            name,
            "may call functions that may act,",
            row.calls,
            "REVOKE EXECUTE, also FROM PUBLIC, or declare those STABLE that only read: in views no check sees them.",
        ),
    ]
    found = [line for line in lines if line]
    yield from found or [Check(name, State.OK, "may read, and nothing else that was looked for")]


def _line(name: str, may: str, which: list[str], remedy: str) -> Check | None:
    if not which:
        return None
    more = f" and {len(which) - _TOLD:,} more" if len(which) > _TOLD else ""
    return Check(name, State.WARN, f"{may} {', '.join(map(shown, which[:_TOLD]))}{more}", remedy)
