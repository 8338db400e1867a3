"""The benchmarks' world: a warehouse that all contenders read, and for each of them a project, a ledger and a sandbox."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

import psycopg

from audiences.demo.postgres import running_postgres
from audiences.sandbox import running_sandbox_process

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from audiences.demo.postgres import Postgres
    from audiences.sandbox.server import SandboxProcess

TABLES = Template("""
create table users (
    id bigint primary key, email text, phone text, customer_type text, opted_out boolean not null,
    version integer not null default 0
);
insert into users
select i, 'User' || i || '.Name@Example' || i % 50 || '.com', '+1' || 415 + i / 7000000 || 2000000 + i % 7000000,
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
    """The warehouse that all contenders read, and the folder in which each has its place."""

    postgres: Postgres
    folder: Path

    def make(self, *, users: int, events: int) -> None:
        """Fill the warehouse."""
        self.postgres.create_database("shop")
        with psycopg.connect(self.postgres.uri("shop"), autocommit=True) as connection:
            for text in TABLES.substitute(users=users, events=events).split(";\n"):
                connection.execute(text.encode())

    def change(self, percent: float) -> None:
        """Change that share of the users: half get another e-mail address, half opt out or back in."""
        with psycopg.connect(self.postgres.uri("shop"), autocommit=True) as connection:
            half = round(percent * 5)  # of a thousand
            connection.execute(
                "update users set version = version + 1, email = 'moved' || version || '.' || email where id %% 1000 < %s",
                (half,),
            )
            connection.execute(
                "update users set opted_out = not opted_out where id %% 1000 >= %s and id %% 1000 < %s",
                (half, 2 * half),
            )
            connection.execute("vacuum analyze users")


@dataclass(frozen=True, slots=True)
class Place:
    """Where one contender works: a project with its staging, a ledger and a sandbox, apart from those of all others."""

    world: World
    name: str
    sandbox: SandboxProcess

    @property
    def project(self) -> Path:
        """The folder with `campaigns/` and `include/`."""
        return self.world.folder / self.name / "project"

    @property
    def ledger(self) -> str:
        """The name of the database."""
        return f"ledger_{self.name}"

    def write(self, campaigns: Mapping[str, str], more: Mapping[str, str] | None = None) -> None:
        """Write the project: campaigns by their ids, and `more` files by their paths."""
        staging = f"staging: {self.world.folder / self.name / 'staging'}\n"
        for name, content in {
            **{f"campaigns/{campaign}.yml": text for campaign, text in campaigns.items()},
            "include/warehouse.yml": WAREHOUSE,
            "include/settings.yml": SETTINGS + staging,
            **(more or {}),
        }.items():
            file = self.project / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)

    def forget(self, *, latency_ms: float = 0) -> None:
        """Give the place an empty ledger, an empty sandbox that waits so long before each answer, and no staged files."""
        self.sandbox.admin.reset()
        self.sandbox.admin.settings(latency_ms=latency_ms)
        self.world.postgres.create_database(self.ledger)
        shutil.rmtree(self.world.folder / self.name / "staging", ignore_errors=True)

    def settle(self) -> None:
        """See to the ledger's tables as Postgres itself does within a minute; the next run comes later than that."""
        with psycopg.connect(self.world.postgres.uri(self.ledger), autocommit=True) as connection:
            connection.execute("vacuum analyze")

    def environment(self) -> dict[str, str]:
        """What a contender's process needs to know."""

        def at(database: str) -> str:
            host, port = str(self.world.postgres.socket_directory), self.world.postgres.port
            return json.dumps(
                {"conn_type": "postgres", "host": host, "port": port, "login": "postgres", "schema": database}
            )  # fmt: skip

        facebook = {
            "app_id": "1234567890",
            "app_secret": "sandbox-secret",
            "access_token": "sandbox-token",
            "graph_url": self.sandbox.url,
        }
        return {
            **os.environ,
            "AIRFLOW_HOME": str(self.world.folder / "airflow"),
            "AIRFLOW_CONN_WAREHOUSE": at("shop"),
            "AIRFLOW_CONN_LEDGER": at(self.ledger),
            "AIRFLOW_CONN_FACEBOOK_MAIN": json.dumps({"conn_type": "facebook_social", "extra": facebook}),
            "AUDIENCES_PROJECT": str(self.project),
            "BENCH_SHOP": self.world.postgres.uri("shop"),
            "BENCH_SANDBOX": self.sandbox.url,
            "BENCH_PROJECT": str(self.project),
        }


@contextmanager
def place(world: World, name: str) -> Iterator[Place]:
    """A place of that name, its sandbox running."""
    with running_sandbox_process() as sandbox:
        yield Place(world, name, sandbox)


@contextmanager
def world_with_places(names: Sequence[str], *, users: int, events: int) -> Iterator[tuple[World, dict[str, Place]]]:
    """A warehouse of that size and a place for each name; all of it goes away."""
    with (
        tempfile.TemporaryDirectory(prefix="audiences-bench-") as folder,
        running_postgres(Path(folder) / "pg", kept=False) as postgres,
        ExitStack() as opened,
    ):
        world = World(postgres, Path(folder))
        world.make(users=users, events=events)
        yield world, {name: opened.enter_context(place(world, name)) for name in names}
