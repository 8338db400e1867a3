"""The benchmark's world: a warehouse of 1,000,000 users and 4,000,000 events, a sandbox, a project with one campaign."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from string import Template
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from pathlib import Path

    from audiences.demo.postgres import Postgres

TABLES = Template("""
create table users (
    id bigint primary key, email text, phone text, customer_type text, opted_out boolean not null,
    version integer not null default 0
);
insert into users
select i, 'User' || i || '.Name@Example' || i % 50 || '.com', '+1415' || lpad((2000000 + i)::text, 7, '2'),
       (array['Bronze', 'Silver', 'Gold', 'Platinum'])[1 + i % 4], i % 100 = 0
from generate_series(1, $users) i;
create table events (id bigint primary key, user_id bigint not null, name text not null, occurred_at timestamptz not null);
insert into events
select i, 1 + (i::bigint * 7919) % $users, (array['App Opened', 'Added To Cart', 'Charged'])[1 + i % 3],
       now() - (i % 50) * interval '1 day' - (i % 86400) * interval '1 second'
from generate_series(1, $events) i;
create index on events (name, occurred_at, user_id);
vacuum analyze users, events
""")

CAMPAIGN = """
name: Benchmark
status: published
ad_account: main
who:
  did: {any_of: [App Opened, Added To Cart, Charged], within: last 60 days}
  with_properties: {customer_type: {in: [Silver, Gold, Platinum, Bronze]}}
  control_group: {percent: 5}
what:
  audience: {create: {name: Benchmark}}
  identifiers: [email, phone]
when: now
"""
WAREHOUSE = """
users:
  relation: users
  key: id
  email: email
  phone: phone
  opt_out: opted_out
  properties:
    customer_type: {column: customer_type, type: string}
events: {relation: events, id: id, user: user_id, name: name, occurred_at: occurred_at}
"""
SETTINGS = """
ad_accounts: {main: {id: act_1001, connection: facebook_main}}
"""
QUALIFIED = """
select u.id, u.email, u.phone, u.customer_type, u.opted_out
from users u
where u.id in (
    select user_id from events
    where name in ('App Opened', 'Added To Cart', 'Charged') and occurred_at >= current_date - 60
)
"""


@dataclass(frozen=True, slots=True)
class World:
    """Where everything is."""

    postgres: Postgres
    sandbox: str
    folder: Path

    def make(self, *, users: int, events: int) -> None:
        """Fill the warehouse and write the project."""
        self.postgres.create_database("shop")
        with psycopg.connect(self.postgres.uri("shop"), autocommit=True) as connection:
            for text in TABLES.substitute(users=users, events=events).split(";\n"):
                connection.execute(text.encode())
        for name, content in {
            "campaigns/benchmark.yml": CAMPAIGN,
            "include/warehouse.yml": WAREHOUSE,
            "include/settings.yml": SETTINGS + f"staging: {self.folder / 'staging'}\n",
        }.items():
            file = self.folder / "project" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)

    def change(self, percent: int) -> None:
        """Change that share of the users: half get another e-mail address, half opt out or back in."""
        with psycopg.connect(self.postgres.uri("shop"), autocommit=True) as connection:
            half = percent * 5  # of a thousand
            connection.execute(
                "update users set version = version + 1, email = 'moved' || version || '.' || email where id %% 1000 < %s",
                (half,),
            )
            connection.execute(
                "update users set opted_out = not opted_out where id %% 1000 >= %s and id %% 1000 < %s",
                (half, 2 * half),
            )
            connection.execute("vacuum analyze users")

    def environment(self) -> dict[str, str]:
        """What a contender's process needs to know."""

        def at(database: str) -> str:
            host, port = str(self.postgres.socket_directory), self.postgres.port
            return json.dumps(
                {"conn_type": "postgres", "host": host, "port": port, "login": "postgres", "schema": database}
            )  # fmt: skip

        facebook = {
            "app_id": "1234567890",
            "app_secret": "sandbox-secret",
            "access_token": "sandbox-token",
            "graph_url": self.sandbox,
        }
        return {
            **os.environ,
            "AIRFLOW_HOME": str(self.folder / "airflow"),
            "AIRFLOW_CONN_WAREHOUSE": at("shop"),
            "AIRFLOW_CONN_LEDGER": at("ledger"),
            "AIRFLOW_CONN_FACEBOOK_MAIN": json.dumps({"conn_type": "facebook_social", "extra": facebook}),
            "BENCH_SHOP": self.postgres.uri("shop"),
            "BENCH_SANDBOX": self.sandbox,
            "BENCH_PROJECT": str(self.folder / "project"),
        }
