"""Whether the `approvers` of a campaign file can answer, as far as Airflow's configuration tells.

Airflow takes any id for an approver, and keeps its users where a task has no access. What the configuration of the task has is
enough to see the usual mistakes; an answer is refused or not by Airflow alone (contract: `tests/airflow/test_approvers.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from audiences.campaign.wording import shown

if TYPE_CHECKING:
    from audiences.campaign.approval import Approval

_SIMPLE: Final = ".SimpleAuthManager"
_FAB: Final = ".FabAuthManager"


def doubts_about_approvers(approval: Approval | None) -> list[str]:
    """Sentences on approvers who cannot answer, by the configuration of this process; none where it does not tell."""
    from airflow.sdk.configuration import conf

    approvers = approval.approvers if approval else ()
    manager = str(conf.get("core", "auth_manager", fallback=""))
    if not approvers:
        return []
    if manager.endswith(_SIMPLE):
        if conf.getboolean("core", "simple_auth_manager_all_admins", fallback=False):
            return [
                "everybody is one admin here (`simple_auth_manager_all_admins`), so none of the `approvers` can answer"
            ]
        listed = str(conf.get("core", "simple_auth_manager_users", fallback="admin:admin"))
        known = {user.strip().partition(":")[0] for user in listed.split(",")}
        strange = [each for each in approvers if each not in known]
        why = "no user in Airflow's `[core] simple_auth_manager_users`"
    elif manager.endswith(_FAB):
        strange = [each for each in approvers if not each.isdecimal()]
        why = "no id of a user: with the FAB auth manager that is the user's number, as the address of the user's page has it"
    else:
        return []
    return [f"{shown(each)} among the `approvers` is {why}, so nobody can answer as that" for each in strange]
