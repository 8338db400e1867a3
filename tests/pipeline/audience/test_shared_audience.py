"""Other campaigns of an audience: members of one without a file, and two that undo each other."""

from __future__ import annotations

import json

import pytest

from audiences.pipeline.preview import preview
from audiences.pipeline.results import RunRequest
from audiences.pipeline.run import run_campaign

pytestmark = pytest.mark.integration


@pytest.fixture
def ten(shop):
    """Ten users with a cart, of whom five have bought."""
    for number in range(1, 11):
        shop.user(number, f"user{number}@example.com")
        shop.event(number)
        if number > 5:
            shop.event(number, "Charged")
    return shop


def campaign(shop, name, audience=None, action="mirror", event="Added To Cart", **more):
    given = {"update": {"id": audience, "action": action}} if audience else {"create": {"name": name, "action": action}}
    return shop.campaign(
        name, who={"did": {"event": event}}, what={"audience": given, "guards": {"max_removal": 100}}, **more
    )


def warned(shop, spec, *on_file, full_refresh=False):
    """What a preview and then a run say, which is the same."""
    with shop.resources(spec, read_only=True) as resources:
        resources.on_file = frozenset({spec.id, *on_file})
        foreseen = preview(resources, shop.noon).warnings
    shop.runs += 1
    with shop.resources(spec) as resources:
        resources.on_file = frozenset({spec.id, *on_file})
        request = RunRequest(external_id=f"run{shop.runs}", at=shop.noon, full_refresh=full_refresh)
        summary = run_campaign(resources, request, sleep=shop.wait)
    assert summary.state == "success", summary.error
    return foreseen, summary.warnings


def test_every_run_tells_of_members_whose_campaign_has_no_file(ten):
    audience = ten.run(campaign(ten, "old")).audience.id
    spec = campaign(ten, "new", audience, event="Charged")
    foreseen, first = warned(ten, spec)
    said = f"campaign `old` has no file any more and holds 10 members in audience {audience}, whom no run takes out. "
    assert foreseen == (
        f"{said}If `new` is that campaign under a new name, say `formerly: old` in its file; else bring its file back and let it "
        "say `status: stopped` and `when.on_end: empty`, so that they leave",
    )
    assert first == foreseen
    foreseen, second = warned(ten, spec)
    assert second == foreseen
    # It has a history of its own by now, and cannot take over that of another any more.
    assert second == (
        f"{said}Bring its file back and let it say `status: stopped` and `when.on_end: empty`, so that they leave",
    )
    assert warned(ten, spec, "old") == ((), ())


def test_members_who_have_left_are_not_told_of(ten):
    old = campaign(ten, "old")
    audience = ten.run(old).audience.id
    ten.sql("delete from events where name = 'Added To Cart'")
    ten.run(old, allow=frozenset({"allow_empty", "max_removal"}))
    assert warned(ten, campaign(ten, "new", audience, event="Charged")) == ((), ())


def test_nothing_is_said_of_files_where_the_project_is_not_known(ten):
    audience = ten.run(campaign(ten, "old")).audience.id
    assert ten.run(campaign(ten, "new", audience, event="Charged")).warnings == ()


@pytest.mark.parametrize(
    ("action", "said"),
    [
        (
            "remove_matching",
            "campaign `buyers` (`remove_matching`) takes out of audience {} whom campaign `carts` (`mirror`) adds",
        ),
        ("remove", "campaign `buyers` (`remove`) takes out of audience {} whom campaign `carts` (`mirror`) adds again"),
        ("add", None),
        ("mirror", None),
    ],
)
def test_an_audience_that_one_creates_and_another_names_by_id_is_looked_at_when_they_run(ten, action, said):
    carts = campaign(ten, "carts")
    audience = ten.run(carts).audience.id
    buyers = campaign(ten, "buyers", audience, action, event="Charged")
    for spec, other in ((buyers, "carts"), (carts, "buyers")):
        foreseen, warnings = warned(ten, spec, other)
        assert foreseen == warnings
        assert [said.format(audience) in warning for warning in warnings] == [True] if said else warnings == ()


def test_a_campaign_that_is_over_undoes_nothing(ten):
    carts = campaign(ten, "carts")
    audience = ten.run(carts).audience.id
    buyers = campaign(ten, "buyers", audience, "remove_matching", event="Charged")
    ten.run(buyers)
    ten.sql(
        "insert into audiences.campaign_end select id, 'it is stopped', 'keep', 1, null, now() from audiences.campaign"
        " where name = 'buyers'",
        on="ledger",
    )
    assert warned(ten, carts, "buyers") == ((), ())
    assert warned(ten, carts) == ((), ())


def test_the_command_line_knows_the_files(project, shop, audiences):
    for number in range(1, 11):
        shop.user(number, f"user{number}@example.com")
        shop.event(number)

    def command(*arguments):
        _, said, complained = audiences(*arguments, "--json")
        assert said, complained
        return json.loads(said.splitlines()[-1])

    audience = command("run", "carts")["audience"]["id"]
    text = project.text("campaigns/carts.yml").replace(
        "create: {name: Carts}", f"update: {{id: '{audience}', action: mirror}}"
    )
    (project.path / "campaigns/carts.yml").unlink()
    project.write("campaigns/left.yml", text)
    assert "campaign `carts` has no file any more and holds 10 members" in command("preview", "left")["warnings"][0]
    project.write("campaigns/left.yml", text + "formerly: carts\n")
    assert command("preview", "left")["warnings"][0].startswith("a run would take over campaign `carts` first")
    done = command("run", "left")
    assert (done["outcomes"]["kept"], done["requests"]) == (10, 0)
    assert done["warnings"][0].startswith("took over campaign `carts`")
