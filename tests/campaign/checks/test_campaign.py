from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.campaign.conftest import Folder

LIVE = """\
name: Live
qualification: live
what:
  audience: {create: {name: Live}}
  keep_for: 30 days
when:
  on: {event: Added To Cart, where: {amount: {at_least: 20}}}
  unless: {event: Charged, within: 30 minutes}
  limit: {every: 7 days}
"""


def what(folder: Folder, text: str) -> None:
    folder.campaign(f"name: Test\nwho: {{did: {{event: Charged}}}}\nwhat: {text}\nwhen: now\n")


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("{audience: {create: {name: Test}}, identifiers: [email, city]}", []),
        ("{audience: {create: {name: Test}}, identifiers: [email, zip]}", ["unmapped-identifier"]),
        ("{audience: {create: {name: Test}}, refresh: replace}", []),
        ("{audience: {update: {id: '1', action: add}}, refresh: replace}", ["not-allowed"]),
        ("{audience: {create: {name: Test}}, schedule: campaign}", ["missing-key"]),
        ("{audience: {create: {name: Test}}, schedule: campaign, ad_sets: ['1']}", []),
        ("{audience: {update: {id: 23851234567890123, action: remove_matching}}}", []),
        ("{audience: {create: {name: Test, description: " + "x" * 201 + "}}}", ["wrong-length"]),
    ],
)
def test_what_fits_the_catalog_and_itself(folder: Folder, text: str, codes: list[str]) -> None:
    what(folder, text)
    assert folder.codes() == codes


@pytest.mark.parametrize(
    ("group", "codes"),
    [
        ("10", []),
        ("0.5", []),
        ("{percent: 97.9}", []),
        ("{percent: 98}", ["nobody-left"]),
        ("{percent: 98, system: false}", []),
        ("{percent: 95, custom: holiday}", ["nobody-left"]),
        ("{percent: 94.9, custom: holiday}", []),
        ("{custom: holidays}", ["unknown-control-group"]),
        ("100", ["out-of-range"]),
    ],
)
def test_control_groups_leave_somebody(folder: Folder, group: str, codes: list[str]) -> None:
    folder.who(f"did: {{event: Charged}}\ncontrol_group: {group}")
    assert folder.codes() == codes


def test_the_ad_account_is_known(folder: Folder) -> None:
    folder.campaign(
        "name: T\nad_account: mian\nwho: {did: {event: Charged}}\nwhat: {audience: {create: {name: T}}}\nwhen: now\n"
    )
    assert folder.problems() == ["campaigns/test.yml:2:13: ad_account: unknown ad account `mian`; did you mean `main`?"]


def test_a_live_campaign_is_checked_like_any_other(folder: Folder) -> None:
    folder.campaign(LIVE)
    assert folder.codes() == []
    folder.campaign(LIVE.replace("Charged", "Payed").replace("amount", "price"))
    assert folder.codes() == ["unknown-property", "unknown-event"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (
            LIVE.replace("qualification: live\n", "").replace("name: Live\n", "name: Live\nwho: {segment: x}\n", 1),
            "wrong-value",
        ),
        ("name: L\nqualification: live\nwhat: {audience: {create: {name: L}}}\nwhen: now\n", "wrong-value"),
    ],
)
def test_live_and_its_events_belong_together(folder: Folder, text: str, code: str) -> None:
    folder.campaign(text)
    assert code in folder.codes()


@pytest.mark.parametrize(
    ("name", "warned"),
    [
        ("Abandoned_Cart_30_Days", False),
        ("Diabetes_Newsletter", True),
        ("high income", True),
        ("LOAN-SEEKERS", True),
        ("Richmond", False),
        ("Enriched", False),
    ],
)
def test_a_name_that_hints_at_health_or_money_draws_a_warning(folder: Folder, name: str, warned: bool) -> None:
    what(folder, f"{{audience: {{create: {{name: {name}}}}}}}")
    project = folder.load()
    assert project.problems == ()
    assert [warning.code for warning in project.warnings] == (["flagged-name"] if warned else [])


def test_a_live_campaign_that_keeps_members_for_ever_draws_a_warning(folder: Folder) -> None:
    folder.campaign(LIVE.replace("  keep_for: 30 days\n", ""))
    assert [warning.code for warning in folder.load().warnings] == ["keeps-for-ever"]


def test_goal_events_and_revenue_are_checked(folder: Folder) -> None:
    goal = "goal: {event: Charged, within: 5 days, revenue: %s, where: {%s: x}}\n"
    base = "name: T\nwho: {did: {event: Charged}}\nwhat: {audience: {create: {name: T}}}\nwhen: now\n"
    folder.campaign(base + goal % ("amount", "category"))
    assert folder.codes() == []
    folder.campaign(base + goal % ("category", "categories"))
    assert folder.codes() == ["wrong-value-type", "unknown-property"]


@pytest.mark.parametrize(
    ("audience", "codes"),
    [
        ("{create: {name: Live}}", []),
        ("{create: {name: Live, action: add}}", []),
        ("{create: {name: Live, action: mirror}}", ["not-allowed"]),
        ("{update: {id: '1', action: remove}}", ["not-allowed"]),
        ("{update: {id: '1', action: remove_matching}}", []),
    ],
)
def test_a_live_campaign_takes_out_nobody_whom_no_event_was_about(
    folder: Folder, audience: str, codes: list[str]
) -> None:
    folder.campaign(LIVE.replace("{create: {name: Live}}", audience))
    assert folder.codes() == codes


def test_a_live_campaign_adds_unless_it_says_otherwise_and_never_replaces(folder: Folder) -> None:
    folder.campaign(LIVE)
    assert folder.spec().campaign.what.audience.action == "add"
    folder.campaign(LIVE.replace("keep_for: 30 days", "refresh: replace"))
    assert folder.codes() == ["not-allowed"]


def test_windows_for_ad_sets_are_on_the_full_hour(folder: Folder) -> None:
    text = (
        'name: T\nwho: {did: {event: Charged}}\nwhen: {now: true, windows: [{from: "09:00", to: "17:30"}]}\n'
        'what: {audience: {create: {name: T}}, ad_sets: ["1"], schedule: campaign}\n'
    )
    folder.campaign(text)
    (problem,) = folder.problems()
    assert "when.windows[0].to: `17:30` is not on the full hour" in problem
    folder.campaign(text.replace("17:30", "17:00"))
    assert folder.problems() == []


@pytest.mark.parametrize(
    ("approval", "problems"),
    [
        ("required", []),
        ("none", []),
        ("{deadline: 8 hours, approvers: [anna, ben]}", []),
        ("{approvers: anna}", []),
        ("maybe", ["`maybe` is neither `required` nor `none` nor a mapping such as `{deadline: 8 hours}`"]),
        ("[required]", ["neither `required` nor `none`"]),
        ("{deadline: 30 days}", ["`30 days` is no deadline; write 1 minute to 7 days"]),
        ("{deadline: 0 hours}", ["`0 hours` is no deadline"]),
        ("{approvers: [anna, anna]}", ["names `anna` more than once"]),
        ("{approvers: [3]}", ["text"]),
        ('{approvers: [""]}', ["must not be blank"]),
        ('{approvers: ["a\\nb"]}', ["cannot be the id of an Airflow user"]),
        ('{approvers: ["a\\x1b[2J"]}', ["cannot be the id of an Airflow user"]),
        ("{approver: anna}", ["did you mean `approvers`"]),
    ],
)
def test_what_an_approval_may_say(folder: Folder, approval: str, problems: list[str]) -> None:
    folder.campaign(
        f"name: Test\nstatus: published\napproval: {approval}\nwho: {{did: {{event: Charged}}}}\n"
        "what: {audience: {create: {name: Test}}}\nwhen: now\n"
    )
    found = folder.problems()
    assert len(found) == len(problems), found
    for problem, part in zip(found, problems, strict=True):
        assert "approval" in problem
        assert part in problem
