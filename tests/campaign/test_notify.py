"""`notify` and `deadline`: in the settings for all campaigns, in a campaign for what it says itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audiences.campaign.notify import CONDITIONS

if TYPE_CHECKING:
    from tests.campaign.conftest import Folder

CAMPAIGN = "name: Test\nwho: {did: {event: Charged}}\nwhat: {audience: {create: {name: Test}}}\nwhen: now\n"
SETTINGS = "ad_accounts: {main: {id: act_1, connection: facebook_main}}\n"


def test_a_campaign_overrides_what_it_says_and_no_more(folder: Folder):
    folder.write(
        "include/settings.yml", SETTINGS + "notify: {email: ops@example.com, failed_above: 9}\ndeadline: 2 hours\n"
    )
    folder.campaign(CAMPAIGN)
    spec = folder.spec()
    assert (spec.notify.email, spec.notify.failed_above, str(spec.deadline)) == (("ops@example.com",), 9, "2 hours")
    assert spec.notify.about == CONDITIONS
    folder.campaign(
        f"{CAMPAIGN}notify: {{email: [a@example.com, b@example.com], about: failed}}\ndeadline: 10 minutes\n"
    )
    found = folder.spec()
    assert (found.notify.email, found.notify.about) == (("a@example.com", "b@example.com"), ("failed",))
    assert (found.notify.failed_above, str(found.deadline)) == (9, "10 minutes")
    # Who is told changes nothing of what is sent.
    assert found.digest == spec.digest


def test_nobody_is_told_unless_somebody_is_named(folder: Folder):
    folder.campaign(CAMPAIGN)
    assert not folder.spec().notify.somebody
    folder.campaign(f"{CAMPAIGN}notify: {{webhook: ops, about: []}}\n")
    assert not folder.spec().notify.somebody
    folder.campaign(f"{CAMPAIGN}notify: {{webhook: ops}}\n")
    assert folder.spec().notify.somebody


@pytest.mark.parametrize(
    ("notify", "key", "said"),
    [
        ("{email: nobody}", "notify.email", "is not an e-mail address"),
        ("{email: 'CRM <crm@example.com>'}", "notify.email", "is not an e-mail address"),
        ("{email: [a@example.com, 'b@example.com, c@example.com']}", "notify.email[1]", "is not an e-mail address"),
        ('{email: "a@example.com\\nBcc: b@example.com"}', "notify.email", "is not an e-mail address"),
        ("{webhook: 'https://hooks.example.com/secret'}", "notify.webhook", "name of an Airflow connection"),
        ("{about: [faild]}", "notify.about[0]", "did you mean `failed`"),
        ('{email: "a@b\\x7f"}', "notify.email", "is not an e-mail address"),
        ('{email: "a@b\\u202e.com"}', "notify.email", "is not an e-mail address"),
        ("{email: jürgen@example.com}", "notify.email", "is not an e-mail address"),
        ("{email: a@example..com}", "notify.email", "is not an e-mail address"),
        ("{email: .a@example.com}", "notify.email", "is not an e-mail address"),
        (
            "{email: [a@example.com, b@example.com, A@Example.com]}",
            "notify.email",
            "names `a@example.com` more than once",
        ),
        ("{about: [failed, token, failed]}", "notify.about", "names `failed` more than once"),
        ("{about: recovered}", "notify.about", "name one of `failed`, `stopped`"),
        ("{about: [recovered, token]}", "notify.about", "`recovered` is told of what was told before"),
        ("{size_changed_by: 0}", "notify.size_changed_by", "must be at least 1"),
        ("{failed_above: 100}", "notify.failed_above", "must be at most 99"),
        ("{invalid_above: 100}", "notify.invalid_above", "must be at most 99"),
        ("{mail: a@example.com}", "notify.mail", "unknown key"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_its_place(folder: Folder, notify, key, said):
    folder.campaign(f"{CAMPAIGN}notify: {notify}\n")
    (problem,) = folder.load().problems
    assert problem.key == key
    assert said in problem.message


@pytest.mark.parametrize("deadline", ["0 hours", "0 minutes", "31 days", "1 year"])
@pytest.mark.parametrize("where", ["campaigns/test.yml", "include/settings.yml"])
def test_a_deadline_that_every_run_misses_or_none_is_refused(folder: Folder, deadline, where):
    folder.write("include/settings.yml", SETTINGS)
    folder.campaign(CAMPAIGN, "test.yml")
    folder.write(where, (CAMPAIGN if where.startswith("campaigns") else SETTINGS) + f"deadline: {deadline}\n")
    (problem,) = folder.load().problems
    assert problem.key == "deadline"
    assert f"`{deadline}` is no deadline of a run; write 1 minute to 30 days" in problem.message


@pytest.mark.parametrize(
    "notify",
    [
        "{email: a.b+c@sub-domain.example.com}",
        "{email: root@localhost}",
        "{size_changed_by: 1000}",
        "{about: [recovered, failed]}",
    ],
)
def test_what_may_be_meant_is_taken(folder: Folder, notify):
    folder.campaign(f"{CAMPAIGN}notify: {notify}\ndeadline: 1 minute\n")
    assert folder.load().problems == ()
