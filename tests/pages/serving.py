"""Airflow's API server with users of every role, for tests: `python -m tests.pages.serving PORT simple|fab`.

The home and the connections come from the environment. Each user's password is the user's name.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from tests.garbage import hold_collection, keep_what_is_there

ROLES = ("viewer", "user", "op", "admin")
READER = "reader"
"""A user of the FAB auth manager who may read one DAG, `READABLE`, and no other."""
CHANGER = "changer"
"""One who may change that DAG as well."""
READABLE = "readable"

MANAGERS = {
    "simple": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
    "fab": "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager",
}


def prepare(kind: str) -> None:
    """What must be set before Airflow is imported."""
    home = Path(os.environ["AIRFLOW_HOME"])
    passwords = home / "passwords.json"
    passwords.write_text(json.dumps({name: name for name in ROLES}))
    options = {
        "CORE__AUTH_MANAGER": MANAGERS[kind],
        "CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{name}:{name}" for name in ROLES),
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        "API_AUTH__JWT_SECRET": "0" * 64,
        "API__SECRET_KEY": "1" * 64,
    }
    os.environ.update({f"AIRFLOW__{name}": value for name, value in options.items()})


def add_pool() -> None:
    """As a deployment does it."""
    from airflow.models.pool import Pool

    Pool.create_or_update_pool("facebook", slots=4, description="Calls to Facebook at a time", include_deferred=False)


def add_users() -> None:
    """Users of the FAB auth manager: one of each usual role, and those who may read or change a single DAG."""
    from airflow.providers.fab.www.app import create_app

    app = create_app(enable_plugins=False)
    with app.app_context():
        security = app.appbuilder.sm
        security.sync_roles()
        rights = {READER: ("can_read",), CHANGER: ("can_read", "can_edit")}
        own = {name: security.add_role(name) for name in rights}
        for name, actions in rights.items():
            for action, resource in (("can_read", "Website"), *((action, f"DAG:{READABLE}") for action in actions)):
                security.add_permission_to_role(own[name], security.create_permission(action, resource))
        for name in (*ROLES, *own):
            given = own.get(name) or security.find_role(name.capitalize())
            security.add_user(name, name, name, f"{name}@example.com", given, password=name)


def read_dags() -> None:
    """What the DAG processor does, once."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db

    DagBundlesManager().sync_bundles_to_db()  # type: ignore[no-untyped-call]  # Airflow gives it no types
    folder = os.environ["AIRFLOW__CORE__DAGS_FOLDER"]
    sync_bag_to_db(DagBag(folder, bundle_path=Path(folder), bundle_name="dags-folder"), "dags-folder", None)


def serve(port: int) -> None:
    """Answer until the process is ended."""
    import uvicorn
    from airflow.api_fastapi.app import create_app

    app = create_app()
    keep_what_is_there()
    (Path(os.environ["AIRFLOW_HOME"]) / "routes.json").write_text(json.dumps(routes()))
    uvicorn.run(app, port=port, log_level="warning")


def routes() -> list[tuple[str, str]]:
    """Every route of the pages: its method and its path."""
    from fastapi.routing import APIRoute

    from audiences.pages.app import application

    every = [route for route in application().routes if isinstance(route, APIRoute)]
    return [(method, route.path) for route in every for method in sorted(route.methods)]


def main() -> None:
    port, kind = int(sys.argv[1]), sys.argv[2]
    hold_collection()
    prepare(kind)
    from airflow.utils.db import initdb

    initdb()
    add_pool()
    if kind == "fab":
        add_users()
    if "WITH_DAGS" in os.environ:
        read_dags()
    serve(port)


if __name__ == "__main__":
    main()
