"""Which ids of approvers can answer, by Airflow's two auth managers: what its users are called, and what a question warns of."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.e2e
LOOK = """
import json, os
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.providers.fab.auth_manager.models import User
from airflow.sdk.configuration import conf
from audiences.airflow.approvers import doubts_about_approvers
from audiences.campaign.approval import Approval

managers = {
    "simple": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
    "fab": "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager",
    "other": "example.auth.Manager",
}

def doubts(manager, approvers, **more):
    settings = {"AUTH_MANAGER": managers[manager], **more}
    os.environ.update({f"AIRFLOW__CORE__{key}": value for key, value in settings.items()})
    return doubts_about_approvers(Approval(approvers=tuple(approvers)))

found = {
    "default": str(conf.get("core", "auth_manager")) == managers["simple"],
    "ids": [
        SimpleAuthManagerUser(username="anna", role="op").get_id(),
        User(id=4, username="anna").get_id(),
        User(id=4, username="anna").get_name(),
    ],
    "nobody": doubts("simple", []),
    "simple": doubts("simple", ["anna", "ben"], SIMPLE_AUTH_MANAGER_USERS="anna:admin,carl:op"),
    "fab": doubts("fab", ["4", "anna"]),
    "other": doubts("other", ["anna"]),
    "one": doubts("simple", ["anna"], SIMPLE_AUTH_MANAGER_ALL_ADMINS="true"),
}
print("RESULT" + json.dumps(found))
"""


def test_an_approver_who_cannot_answer_is_named_as_far_as_the_configuration_tells(airflow):
    said = airflow.code(LOOK)
    assert "RESULT" in said, said
    found = json.loads(said.split("RESULT", 1)[1].splitlines()[0])
    assert found["default"]
    # What Airflow compares with the ids in `approvers`, and how it names who answered.
    assert [str(each) for each in found["ids"]] == ["anna", "4", "anna"]
    assert (found["nobody"], found["other"]) == ([], [])
    assert found["simple"] == [
        "`ben` among the `approvers` is no user in Airflow's `[core] simple_auth_manager_users`, so nobody can answer as that"
    ]
    (fab,) = found["fab"]
    assert fab.startswith(
        "`anna` among the `approvers` is no id of a user: with the FAB auth manager that is the user's number"
    )
    assert found["one"] == [
        "everybody is one admin here (`simple_auth_manager_all_admins`), so none of the `approvers` can answer"
    ]
