"""What the machines work on: a warehouse, one campaign of several shards, one that reacts to events, and who should be where."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from tests.chaos import oracle
from tests.chaos.oracle import Rules
from tests.pipeline.conftest import TABLES, row_of

if TYPE_CHECKING:
    from tests.chaos.oracle import Row
    from tests.distributed.cluster import Cluster

MANY, LIVE = "many", "live"
USERS: Final = 120_000
_RULES: Final = Rules(
    MANY,
    lambda user, at: user.did("Added To Cart", days=30, at=at),
    keys=("EMAIL",),
    held_out=(("control_campaign", MANY, 10),),
)
_CATALOG: Final = """
users: {relation: users, key: id, email: email, phone: phone, opt_out: opted_out}
events: {relation: events, id: id, user: user_id, name: name, occurred_at: occurred_at}
default_country: US
timezone: UTC
"""
_MANY: Final = """
name: Many
status: published
tasks: by_step
who: {{did: {{event: Added To Cart, within: last 30 days}}, control_group: {{percent: 10, system: false}}}}
what: {{audience: {{create: {{name: Many}}}}, identifiers: [email], guards: {{max_removal: 90}}}}
when: {{timezone: UTC, repeat: {{every: 1 day, at: "{at:%H:%M}"}}}} # at a time that does not come meanwhile
"""
_LIVE: Final = """
name: Live
status: published
qualification: live
who: {control_group: {system: false}}
what: {audience: {create: {name: Live}}, identifiers: [email], keep_for: 1 day}
when: {on: {event: Wishlisted}, max_age: 1 day}
"""


def files() -> dict[str, str]:
    """The project."""
    return {
        f"campaigns/{MANY}.yml": _MANY.format(at=datetime.now(UTC) + timedelta(hours=12)),
        f"campaigns/{LIVE}.yml": _LIVE,
        "include/warehouse.yml": _CATALOG,
        "include/settings.yml": "ad_accounts: {main: {id: act_1001, connection: facebook_main}}\n",
    }


@dataclass
class World:
    """The warehouse, whose users come and go."""

    cluster: Cluster
    wished: set[int] = field(default_factory=set)
    _next: int = USERS + 1

    def fill(self) -> None:
        """Everybody has filled a cart."""
        self._sql(TABLES + "create index on events (user_id); create index on events (occurred_at);")
        self._come(1, USERS)

    def live_on(self, users: int) -> None:
        """As many come as go."""
        self._sql(
            "delete from events where name = 'Added To Cart' and user_id in (select user_id from events"
            f" where name = 'Added To Cart' order by user_id limit {users})"
        )
        self._come(self._next, self._next + users - 1)

    def wish(self, users: int) -> None:
        """So many new users wish for something, now."""
        first, last = self._next, self._next + users - 1
        self.wished.update(range(first, last + 1))
        self._users(first, last)
        self._sql(
            "insert into events (user_id, name, occurred_at)"
            f" select i, 'Wishlisted', now() from generate_series({first}, {last}) i"
        )

    def wanted(self, campaign: str) -> set[Row]:
        """The members that the rules want in its audience now."""
        if campaign == LIVE:
            return {row_of(f"user{user}@example.com", None) for user in self.wished}
        users = oracle.look(self.cluster.postgres.uri("warehouse"))
        return set(oracle.judge(_RULES, users, datetime.now(UTC), set()).wanted.values())

    def _come(self, first: int, last: int) -> None:
        self._users(first, last)
        self._sql(
            "insert into events (user_id, name, occurred_at)"
            f" select i, 'Added To Cart', now() - interval '1 day' from generate_series({first}, {last}) i"
        )

    def _users(self, first: int, last: int) -> None:
        self._sql(
            "insert into users (id, email)"
            f" select i, 'user' || i || '@example.com' from generate_series({first}, {last}) i"
        )
        self._next = last + 1

    def _sql(self, statement: str) -> None:
        self.cluster.rows("warehouse", statement)
