"""`audiences diff` over a real repository, warehouse and ledger: whom a change of files concerns, without naming anybody."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime

import pytest
from tests.pipeline.conftest import CARTS, command_line, project, sandbox_server, shop  # noqa: F401  # fixtures

from audiences.campaign.project import Project
from audiences.ledger import approvals
from audiences.review.git_revision import MAIN, RevisionError, commit_of, files_at

pytestmark = pytest.mark.integration
PEOPLE = range(1_000_001, 1_000_041)  # ids that would be seen in any output


def git(folder, *arguments):
    identity = ("-c", "user.name=T", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(folder, message="change"):
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", message)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def repository(project, shop):  # noqa: F811  # fixtures
    """The project under git, on a branch that has just left `main`, and forty people with carts."""
    for number in PEOPLE:
        shop.user(number, f"user{number}@example.com", tier="gold" if number % 2 else "silver")
        shop.event(number)
    git(project.path, "init", "-qb", "main")
    commit(project.path, "first")
    git(project.path, "checkout", "-qb", "branch")
    return project


def campaign(found, name="carts"):
    return next(each for each in found["campaigns"] if each["campaign"] == name)


def as_json(audiences, *arguments, code=0):
    status, out, err = audiences("diff", *arguments, "--json")
    assert status == code, out + err
    return json.loads(out)


def test_nothing_changed(audiences, repository):
    assert as_json(audiences)["campaigns"] == []
    status, out, _ = audiences("diff")
    assert status == 0
    assert "no campaign changed" in out


def test_a_narrower_rule_says_who_goes_in_words_and_figures_and_names_nobody(audiences, repository):
    repository.write("campaigns/carts.yml", CARTS.replace("Cart}}", "Cart}, with_properties: {tier: gold}}"))
    found = campaign(as_json(audiences))
    assert found["change"] == "changed"
    assert found["keys"] == ["who.with_properties"]
    people = found["people"]
    assert (people["comes"], people["goes"], people["to_control"]) == (0, 20, 0)
    assert (people["before"]["targeted"], people["after"]["targeted"]) == (40, 20)
    assert people["after"]["filtered_out"] == 20
    status, out, _ = audiences("diff")
    assert status == 0
    assert "**+0 −20 people**" in out
    assert "| targeted | 40 | 20 |" in out
    assert "+   - `tier` is `gold`" in out
    assert not any(str(number) in out for number in PEOPLE)
    assert "@" not in out


def test_who_moves_to_a_control_group_is_counted(audiences, repository):
    held = CARTS.replace("Cart}}", "Cart}, control_group: {percent: 50}}")
    repository.write("campaigns/carts.yml", held)
    people = campaign(as_json(audiences))["people"]
    assert people["goes"] == people["to_control"] == people["after"]["control_campaign"] > 0
    _, out, _ = audiences("diff")
    assert f"{people['to_control']} of them to a control group" in out


def test_added_removed_renamed_and_broken_campaigns_are_told(audiences, repository):
    repository.write("campaigns/more.yml", CARTS.replace("Carts", "More"))
    repository.write("campaigns/sketch.yml", CARTS.replace("Carts", "Sketch").replace("published", "draft"))
    found = as_json(audiences)
    assert {each["campaign"]: each["change"] for each in found["campaigns"]} == {"more": "added", "sketch": "added"}
    assert campaign(found, "more")["people"]["comes"] == 40
    (repository.path / "campaigns/carts.yml").rename(repository.path / "campaigns/baskets.yml")
    repository.write("campaigns/baskets.yml", f"{CARTS}formerly: carts\n")
    (repository.path / "campaigns/more.yml").unlink()
    (repository.path / "campaigns/sketch.yml").unlink()
    renamed = campaign(as_json(audiences), "baskets")
    assert (renamed["change"], renamed["people"]["comes"], renamed["people"]["goes"]) == ("renamed", 0, 0)
    repository.write("campaigns/baskets.yml", "name: [")
    found = as_json(audiences, code=1)
    assert {each["campaign"]: each["change"] for each in found["campaigns"]} == {
        "baskets": "broken",
        "carts": "removed",
    }
    assert campaign(found)["people"]["goes"] == 40


def test_of_a_file_that_was_wrong_before_is_counted_what_it_does_now_and_not_who_comes(audiences, repository):
    repository.write("campaigns/carts.yml", "name: [")
    commit(repository.path)
    repository.write("campaigns/carts.yml", CARTS)
    found = as_json(audiences, "HEAD")
    told = campaign(found)
    assert (told["change"], told["was_wrong"]) == ("changed", True)
    assert (told["people"]["comes"], told["people"]["before"], told["people"]["after"]["targeted"]) == (None, None, 40)
    assert len(found["problems_before"]) == 1
    assert found["problems_before"][0].startswith("campaigns/carts.yml:")
    out = audiences("diff", "HEAD")[1]
    assert "#### `carts`: changed (published); its file was wrong before" in out
    assert "The old file was wrong, so who comes and who goes is not known." in out


def test_what_reaches_a_campaign_through_shared_files_is_told(audiences, repository):
    repository.write("include/segments/vip.csv", "user_id\n1000001\n1000002\n")
    repository.write("campaigns/carts.yml", CARTS.replace("{did: {event: Added To Cart}}", "{segment: vip}"))
    commit(repository.path)
    repository.write("include/segments/vip.csv", "user_id\n1000002\n1000003\n1000004\n")
    settings = repository.text("include/settings.yml")
    repository.write("include/settings.yml", f"{settings}control_groups: {{system: {{percent: 1}}}}\n")
    found = campaign(as_json(audiences, "HEAD"))
    assert "saved segment vip (2 ids more, 1 fewer)" in found["keys"]
    assert "include/settings.yml: control_groups.system" in found["keys"]
    _, out, _ = audiences("diff", "HEAD")
    assert "1000003" not in out


def test_users_whom_a_file_names_are_counted_and_not_named(audiences, repository):
    repository.write("campaigns/carts.yml", CARTS.replace("Cart}}", 'Cart}, never_hold_out: ["777000111", "erika"]}'))
    status, out, _ = audiences("diff")
    assert status == 0
    assert "Never held out: 2 users by name." in out
    assert "777000111" not in out
    assert "erika" not in out


def test_a_version_that_has_to_be_approved_says_so_and_one_that_was_approved_before_that_nobody_is_asked(
    audiences,
    repository,
    shop,  # noqa: F811  # a fixture
):
    asking = f"{CARTS}approval: required\n"
    repository.write("campaigns/carts.yml", asking)
    commit(repository.path)
    repository.write("campaigns/carts.yml", asking.replace("Carts", "Carts two"))
    assert campaign(as_json(audiences, "HEAD"))["approval"] == {
        "asked": True,
        "words": "Somebody has to approve this version in the Airflow UI before it sends.",
    }
    spec, at = Project.load(repository.path).campaigns["carts"], datetime(2026, 11, 2, tzinfo=UTC)
    with shop.resources(spec) as resources, resources.working() as known:
        question = approvals.ask(
            resources.ledger,
            campaign=known.id,
            run=None,
            asked_in="r",
            digest=spec.digest,
            shown="x",
            body="?",
            at=at,
            until=at,
        )
        approvals.answer(resources.ledger, question, approved=True, by="anna", name="Anna", at=at)
        approvals.put_in_force(resources.ledger, question, at=at)
    found = campaign(as_json(audiences, "HEAD"))["approval"]
    assert found["asked"] is False
    assert "this very version was approved on 02 Nov 2026" in found["words"]
    out = audiences("diff", "HEAD")[1]
    assert "\n**Sends without asking anybody for an approval: `carts`.**" in out
    assert f"**{found['words']}**" in out
    assert "anna" not in out.lower()


def test_without_a_warehouse_it_says_what_the_files_say(audiences, repository, monkeypatch):
    repository.write("campaigns/carts.yml", CARTS.replace("Cart}}", "Cart}, with_properties: {tier: gold}}"))
    monkeypatch.delitem(repository.environment, "AIRFLOW_CONN_WAREHOUSE")
    monkeypatch.delenv("AIRFLOW_CONN_WAREHOUSE", raising=False)
    found = as_json(audiences)
    assert "`warehouse` does not exist" in found["uncounted"]
    assert campaign(found)["people"] is None
    assert campaign(found)["words"][0]["section"] == "Who"
    assert as_json(audiences, "--offline")["uncounted"] == "only the files were looked at"


def test_nothing_of_a_file_is_markup_in_the_report(audiences, repository):
    event = "<img src=x>``` [x](http://evil)"
    repository.write("campaigns/carts.yml", CARTS.replace("Added To Cart", json.dumps(event)))
    _, out, _ = audiences("diff", "--offline")
    fences = [line for line in out.splitlines() if line.startswith("```")]
    assert fences == ["```diff", "```"]
    outside = out.split("```diff")[0] + out.rsplit("```", 1)[1]
    assert "<img" not in outside


@pytest.mark.parametrize(
    "revision", ["--upload-pack=touch /tmp/x", "-h", "no_such", "HEAD:campaigns", "", "a\x1b[2J", "HEAD..main", "@{99}"]
)
def test_a_revision_that_is_none_is_an_error_and_never_an_option(audiences, repository, revision):
    status, out, err = audiences("diff", "--offline", "--", revision)
    assert status == 1, out
    assert "cannot be compared with" in err


def test_by_default_the_branch_is_compared_with_where_it_left_main(repository):
    folder = repository.path
    left = git(folder, "rev-parse", "main")
    repository.write("campaigns/carts.yml", CARTS.replace("Carts", "Carts two"))
    commit(folder)
    git(folder, "checkout", "-q", "main")
    repository.write("campaigns/other.yml", CARTS.replace("Carts", "Other"))
    ahead = commit(folder)
    git(folder, "checkout", "-q", "branch")
    assert commit_of(folder, None) == left
    assert commit_of(folder, "main") == ahead
    git(folder, "branch", "-m", "main", "trunk")
    assert not {"trunk"} & set(MAIN)
    assert commit_of(folder, None) == git(folder, "rev-parse", "HEAD")


def test_a_folder_that_is_no_repository_is_told(project):  # noqa: F811  # a fixture
    with pytest.raises(RevisionError, match="not a git repository"):
        commit_of(project.path, None)


def test_links_of_the_old_version_lead_nowhere_out_of_the_project_and_the_working_tree_stays(audiences, repository):
    folder = repository.path
    (folder / "campaigns/leak.yml").symlink_to("/etc/passwd")
    (folder / "include/inside.yml").symlink_to("settings.yml")
    linked = commit(folder)
    (folder / "campaigns/leak.yml").unlink()
    before = git(folder, "status", "--porcelain")
    with files_at(folder, linked) as old:
        assert (old / "campaigns/leak.yml").is_symlink()
        assert (old / "include/inside.yml").read_text() == repository.text("include/settings.yml")
    (told,) = as_json(audiences, linked, "--offline")["campaigns"]
    assert (told["campaign"], told["change"], told["was_wrong"]) == ("leak", "removed", True)
    assert git(folder, "status", "--porcelain") == before


def test_a_project_in_a_folder_of_the_repository_is_found(project):  # noqa: F811  # a fixture
    above = project.path.parent
    git(above, "init", "-qb", "main")
    (above / ".gitignore").write_text("*\n!project\n!project/**\n")
    first = commit(above)
    with files_at(project.path, first) as old:
        assert (old / "campaigns/carts.yml").read_text() == CARTS


def test_a_folder_of_the_project_that_looks_like_a_repository_is_not_taken_for_one(tmp_path):
    for folder in (tmp_path, tmp_path / "campaigns"):
        bare = () if folder == tmp_path else ("--bare",)
        subprocess.run(["git", "init", "--quiet", *bare, str(folder)], check=True)
    with pytest.raises(RevisionError, match="bare"):
        commit_of(tmp_path / "campaigns", None)
