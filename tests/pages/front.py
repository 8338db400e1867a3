"""The demo's shop with a week of runs behind it, under Airflow's API server: what the browser looks at.

There is no scheduler, so that nothing happens behind a test's back: the pipeline itself made the runs, as on the command line.
"""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from tests.pages.server import Server, serving

from audiences.campaign.project import Project
from audiences.demo import airflow, launched
from audiences.demo.existing import fill_existing_audiences
from audiences.demo.folders import DemoFolders
from audiences.demo.processes import Children
from audiences.demo.shop import load_shop
from audiences.demo.start import Demo
from audiences.errors import AudiencesError
from audiences.ledger import notices
from audiences.ledger.database import Ledger
from audiences.ledger.migrate import migrate
from audiences.notices.what_holds import failure
from audiences.pipeline.live.run_batch import run_due
from audiences.pipeline.resources import CampaignResources
from audiences.pipeline.results import RunRequest
from audiences.pipeline.run import run_campaign
from audiences.pipeline.upkeep.measure import measure
from audiences.sandbox.client import AdminClient
from audiences.sandbox.server import running_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audiences.campaign.spec import CampaignSpec
    from audiences.demo.postgres import Postgres

ROOT = Path(__file__).parents[2]
USERS, EVENTS = 40_000, 400_000  # Fewer would leave too few for an honest figure of the goal.
DAYS_AGO = (6, 5, 3, 2, 1)
"""When the campaign with a goal ran; the first time is its launch."""
LIVE, LIVE_SINCE = "cart_left", timedelta(minutes=30)
"""The live campaign, and for how long it has been watched."""
FAILED = "lapsed_high_value"
"""Facebook refuses one of its requests, so that there is an error to be read."""


@dataclass(frozen=True, slots=True)
class Front:
    """Where the browser goes, and the demo behind it."""

    server: Server
    demo: Demo


@contextlib.contextmanager
def open_front(folder: Path, server: Postgres) -> Iterator[Front]:
    """Everything up over that Postgres, and down again at the end."""
    place = DemoFolders(project=ROOT, folder=folder)
    place.staging.mkdir(parents=True)
    with running_sandbox() as sandbox:
        for name in ("shop", "ledger"):
            server.create_database(name)
        children = Children(record=place.record, logs=place.logs)
        demo = Demo(place, server, sandbox.url, AdminClient(sandbox.url), airflow.AirflowApi(""), children)
        with ThreadPoolExecutor(max_workers=1) as beside:
            filled = beside.submit(_fill, demo)
            with serving("simple", place.airflow, _variables(demo)) as answering:
                filled.result()
                yield Front(answering, demo)


def _variables(demo: Demo) -> dict[str, str]:
    databases = {name: airflow.postgres_connection(demo.connection(name)) for name in ("warehouse", "ledger")}
    facebook = airflow.facebook_connection(demo.connection("facebook_main"))
    connections = {**databases, "facebook_main": facebook}
    return {
        **{f"AIRFLOW_CONN_{name.upper()}": value for name, value in connections.items()},
        "AUDIENCES_PROJECT": str(demo.folders.project),
        "WITH_DAGS": "yes",
    }


def _fill(demo: Demo) -> None:
    """The shop, and what its campaigns have done so far."""
    now = datetime.now(UTC)
    project = Project.load(demo.folders.project)
    spec = project.campaigns[launched.CAMPAIGN]
    reached = launched.reached(spec, USERS)
    load_shop(demo.server.uri("shop"), as_of=now, users=USERS, events=EVENTS, reached=reached)
    migrate(demo.connection("ledger"))
    fill_existing_audiences(demo, project.campaigns.values(), at=now)
    before = spec.model_copy(update={"campaign": spec.campaign.model_copy(update={"description": "Reminds of carts."})})
    for days in DAYS_AGO:
        _run(demo, before, now - timedelta(days=days))
    _as_of_then(demo)
    with CampaignResources(spec, look_up=demo.connection) as resources:
        measure(resources, now)
    _run(demo, project.campaigns["remove_buyers"], now)
    for at in (now - LIVE_SINCE, now):  # the first look says from when on events count
        _run(demo, project.campaigns[LIVE], at)
    demo.sandbox.add_fault("tos_not_accepted", path="/*/users", times=None)
    with contextlib.suppress(AudiencesError):
        _run(demo, project.campaigns[FAILED], now)
    demo.sandbox.clear_faults()
    with Ledger(demo.connection("ledger")) as ledger:
        _raise_notice(ledger, now)


def _raise_notice(ledger: Ledger, at: datetime) -> None:
    """Of the campaign that failed, while the mail server was down."""
    reason = "the Custom Audience terms of the ad account have not been accepted"
    number = notices.put(ledger, failure(subject=FAILED, name="Lapsed high value", reason=reason), at=at)
    undelivered = {"email": "by mail, connection `smtp_default`: SMTPConnectError; the log of the task says more"}
    notices.put_back(ledger, number or 0, delivered=False, undelivered=undelivered, at=at)


def _run(demo: Demo, spec: CampaignSpec, at: datetime) -> None:
    there = spec.model_copy(update={"staging": str(demo.folders.staging)})
    request = RunRequest(external_id=f"cli__{at.isoformat()}", at=at, allow=launched.GUARDS)
    with CampaignResources(there, look_up=demo.connection, now=lambda: at) as resources:
        if spec.campaign.qualification == "live":
            run_due(resources, request)
        else:
            run_campaign(resources, request)


def _as_of_then(demo: Demo) -> None:
    """Runs that were made as of an earlier day go on record as of that day: the ledger's own clock is that of its server."""
    with psycopg.connect(demo.server.uri("ledger")) as ledger:
        ledger.execute("update audiences.run set started_at = as_of, ended_at = as_of + (ended_at - started_at)")
