"""Campaign files beside each other: former ids, and audiences that several of them change."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest
from tests.campaign.conftest import CAMPAIGN

from audiences.campaign.files import accounted_for, former_ids
from audiences.campaign.project import Project
from audiences.errors import ConfigError

if TYPE_CHECKING:
    from tests.campaign.conftest import Folder

ACTIONS = ("add", "remove", "mirror", "remove_matching")


def renamed(formerly: str, name: str = "Test") -> str:
    return CAMPAIGN.replace("name: Test", f"name: {name}").replace(
        "name: Test\n", f"name: {name}\nformerly: {formerly}\n", 1
    )


def on_audience(action: str, *, audience: str = "1", status: str = "published", live: bool = False) -> str:
    when = "when: {on: {event: Charged}}\nqualification: live" if live else "when: now"
    return (
        f"name: Test\nstatus: {status}\nwho: {{did: {{event: Charged}}}}\n"
        f"what: {{audience: {{update: {{id: '{audience}', action: {action}}}}}, keep_for: 3 days}}\n{when}\n"
    )


def test_a_former_id_may_stay_in_the_file_for_good(folder: Folder) -> None:
    folder.campaign(renamed("carts"), "abandoned_carts.yml")
    assert folder.spec("abandoned_carts").campaign.formerly == ("carts",)


def test_several_former_ids_are_a_list_the_last_one_first(folder: Folder) -> None:
    folder.campaign(renamed("[b, a]"), "c.yml")
    assert folder.spec("c").campaign.formerly == ("b", "a")


@pytest.mark.parametrize(
    ("formerly", "said"),
    [
        ("a.b", "`a.b` cannot be a campaign's id, its file's name without `.yml`"),
        ("carts.yml", "cannot be a campaign's id"),
        ("'../carts'", "cannot be a campaign's id"),
        ("''", "must not be blank"),
        ("7", "must be text"),
        ("new", "`new` is the campaign's own id"),
        ("other", "campaigns/other.yml is still there; the campaign `other` can be taken over when its file is gone"),
        ("[old, old]", "names `old` more than once"),
    ],
)
def test_what_cannot_be_a_former_id_is_refused(folder: Folder, formerly: str, said: str) -> None:
    folder.campaign(CAMPAIGN.replace("{name: Test}", "{name: Other}"), "other.yml")
    folder.campaign(renamed(formerly), "new.yml")
    assert [problem for problem in folder.problems() if said in problem and "campaigns/new.yml:2" in problem]
    with pytest.raises(ConfigError):
        Project.load_campaign(folder.root, "new")
    assert list(folder.load().campaigns) == ["other"]


def test_a_mistyped_key_comes_with_the_right_one(folder: Folder) -> None:
    folder.campaign(renamed("carts").replace("formerly", "formely"), "new.yml")
    assert folder.problems() == ["campaigns/new.yml:2:1: formely: unknown key `formely`; did you mean `formerly`?"]


def test_two_files_that_claim_one_former_id_are_both_refused(folder: Folder) -> None:
    folder.campaign(renamed("carts"), "a.yml")
    folder.campaign(renamed("[b_old, carts]").replace("{name: Test}", "{name: B}"), "b.yml")
    assert folder.problems() == [
        "campaigns/a.yml:2:11: formerly: campaigns/b.yml was `carts` formerly as well; one campaign only can be",
        "campaigns/b.yml:2:19: formerly[1]: campaigns/a.yml was `carts` formerly as well; one campaign only can be",
    ]


def test_former_ids_are_accounted_for_even_in_files_with_mistakes(folder: Folder) -> None:
    folder.campaign(renamed("carts"), "new.yml")
    folder.campaign("formerly: [spring, 'not an id']\nstatus: nonsense\n", "wrong.yml")
    folder.campaign("formerly: [", "torn.yml")
    assert former_ids(folder.root) == {"carts", "spring"}
    assert accounted_for(folder.root) == {"carts", "spring", "new", "wrong", "torn"}


@pytest.mark.parametrize(("first", "second"), list(product(ACTIONS, ACTIONS)))
def test_who_takes_out_again_and_again_whom_another_adds_is_refused(folder: Folder, first: str, second: str) -> None:
    folder.campaign(on_audience(first), "a.yml")
    folder.campaign(on_audience(second), "b.yml")
    fighting = {("remove_matching", "add"), ("remove_matching", "mirror"), ("remove", "mirror")}
    wrong = {"a": (first, second) in fighting, "b": (second, first) in fighting}
    project = folder.load()
    assert {name for name, refused in wrong.items() if refused} == {"a", "b"} - set(project.campaigns)
    for problem in project.problems:
        assert problem.code == "undoes-another"
        assert "campaigns/a.yml" in problem.message
        assert "campaigns/b.yml" in problem.message
        assert "audience 1" in problem.message
    assert bool(project.warnings) != any(wrong.values())


def test_the_two_files_that_fight_are_named_with_the_way_out(folder: Folder) -> None:
    folder.campaign(on_audience("add"), "a.yml")
    folder.campaign(on_audience("remove_matching"), "b.yml")
    assert folder.problems() == [
        "campaigns/b.yml:4:32: what.audience.update.id: campaigns/b.yml (`remove_matching`) takes out of audience 1 whom "
        "campaigns/a.yml (`add`) adds again at its next run; leave these users out in `who` of campaigns/a.yml "
        "(`exclude_segment`, `not`), and drop campaigns/b.yml"
    ]


def test_add_and_remove_are_told_when_they_agree(folder: Folder) -> None:
    folder.campaign(on_audience("add"), "a.yml")
    folder.campaign(on_audience("remove"), "b.yml")
    assert [str(warning) for warning in folder.load().warnings if warning.code == "shared-audience"] == [
        "campaigns/b.yml:4:32: what.audience.update.id: campaigns/b.yml (`remove`) and campaigns/a.yml (`add`) both change "
        "audience 1; who qualifies for campaigns/a.yml and not for campaigns/b.yml goes in and out: let `who` of "
        "campaigns/b.yml find everybody whom campaigns/a.yml adds, and hold nobody out there"
    ]


@pytest.mark.parametrize(
    ("adder", "taker", "said"),
    [
        # Each event of a live campaign counts once, so that nothing goes on and on.
        (on_audience("add", live=True), on_audience("remove_matching"), "updates the audience"),
        (on_audience("add", live=True), on_audience("remove_matching", live=True), "updates the audience"),
        (on_audience("add", live=True), on_audience("remove"), "updates the audience"),
        # Buyers leave within seconds, and stay out if the rules of the other leave them out too.
        (on_audience("mirror"), on_audience("remove_matching", live=True), "unless its `who` leaves them out"),
        (on_audience("mirror", status="stopped"), on_audience("remove_matching"), "updates the audience"),
        (on_audience("mirror"), on_audience("remove_matching", status="stopped"), "updates the audience"),
        (on_audience("mirror"), on_audience("remove_matching", audience="2"), ""),
    ],
)
def test_pairs_that_do_not_fight_are_left_alone(folder: Folder, adder: str, taker: str, said: str) -> None:
    folder.campaign(adder, "a.yml")
    folder.campaign(taker, "b.yml")
    project = folder.load()
    assert set(project.campaigns) == {"a", "b"}
    shared = [str(warning) for warning in project.warnings if warning.code == "shared-audience"]
    assert [said in warning for warning in shared] == [True] * bool(said)


def test_of_a_published_campaign_and_a_draft_the_draft_is_refused(folder: Folder) -> None:
    folder.campaign(on_audience("mirror", status="draft"), "a.yml")
    folder.campaign(on_audience("remove_matching"), "b.yml")
    assert list(folder.load().campaigns) == ["b"]
