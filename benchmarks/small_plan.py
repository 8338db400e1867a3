"""The plan of a small campaign in a large audience: another campaign holds nearly all of its members."""

from __future__ import annotations

import json
from string import Template
from typing import TYPE_CHECKING, Any, Final

import psycopg
import requests

from audiences.what.rows import KEYS
from benchmarks import spent
from benchmarks.rows import Row, against
from benchmarks.world import CAMPAIGN, Place, world_with_places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from benchmarks.builds import Build

OTHER_BUILD: Final = 0.2
"""What is wanted of the seconds of the build before: the cost follows what the campaign holds, not the audience."""
MEMBERS: Final = 10_000
# The others' users are none of the warehouse's.
FILL: Final = Template("""
insert into audiences.campaign (name) values ('others');
insert into audiences.run (campaign_id, external_id, audience_id, config_digest, config, control_terms, as_of, assigned_at,
    state, started_at, ended_at, staging, size)
select c.id, 'once', a.id, 'none', '{}', 'terms', now(), now(), 'success', now(), now(), '/nowhere', 1
from audiences.campaign c cross join audiences.audience a where c.name = 'others';
insert into audiences.member (audience_id, campaign_id, user_id, identifiers, present, added_run)
select r.audience_id, r.campaign_id, u, decode('$email', 'hex') || sha256(u::bytea) || decode('$phone', 'hex')
    || sha256(('+' || u)::bytea), true, r.id
from audiences.run r join audiences.campaign c on c.id = r.campaign_id and c.name = 'others'
cross join lateral (select (1000000000 + k)::text as u from generate_series(1, $others) k) users;
vacuum analyze
""")


def measure(builds: Sequence[Build], console: Console, *, members: int, rounds: int) -> list[Row]:
    """A row for each of the plans: with 1 % changed, and with nothing changed."""
    keys = [build.key for build in builds]
    words = {"others": members - MEMBERS, "email": f"{KEYS['EMAIL']:02x}20", "phone": f"{KEYS['PHONE']:02x}20"}
    found: dict[str, dict[str, list[float]]] = {
        work: {build.name: [] for build in builds} for work in ("1 % changed", "nothing changed")
    }
    # A control group and those who opted out are no members.
    with world_with_places(keys, users=MEMBERS * 107 // 100, events=4 * MEMBERS) as (world, places):
        for build in builds:
            _run(build, _shared_audience(places[build.key]))
            console.print(f"filling an audience of {build.name} with {members:,} members of another campaign …")
            with psycopg.connect(world.postgres.uri(places[build.key].ledger), autocommit=True) as ledger:
                for statement in FILL.substitute(words).split(";\n"):
                    ledger.execute(statement.encode())
        for number in range(-1, rounds):  # the first one makes up for what came from elsewhere, and does not count
            for work, figures in found.items():
                if work == "1 % changed":
                    world.change(percent=1)
                for build in builds if number % 2 == 0 else builds[::-1]:
                    ran = _run(build, places[build.key])
                    console.print(f"plan, {work}, {build.name}: {ran['steps']}", style="dim", soft_wrap=True)
                    if number >= 0:
                        figures[build.name].append(float(ran["steps"]["plan"]))
    names = [build.name for build in builds]
    return [
        Row(
            f"plan of {MEMBERS:,} in an audience of {members:,}, {work}",
            "s",
            figures,
            against(names, figures, OTHER_BUILD),
        )
        for work, figures in found.items()
    ]


def _shared_audience(at: Place) -> Place:
    """Have the place's campaign feed an audience that is given by its id."""
    at.forget()
    created = requests.post(
        f"{at.sandbox.url}/v26.0/act_1001/customaudiences",
        json={"name": "Shared", "subtype": "CUSTOM", "customer_file_source": "USER_PROVIDED_ONLY"},
        headers={"Authorization": "Bearer sandbox-token"},
        timeout=60,
    )
    created.raise_for_status()
    given = f'{{update: {{id: "{created.json()["id"]}", action: mirror}}}}'
    at.write({"benchmark": CAMPAIGN.replace("{create: {name: Benchmark}}", given)})
    return at


def _run(build: Build, at: Place) -> dict[str, Any]:
    done = spent.by_command(build.module("ours"), build.environment(at.environment()))
    found: dict[str, Any] = json.loads(done.output.splitlines()[-1])
    return found
