"""One person over all campaigns, by id, e-mail address and phone number; what was asked is in no answer."""

from __future__ import annotations

import pytest
from tests.pipeline.test_erase import erased

from audiences.pipeline.person.called import AddressAsIdError, as_the_key_says
from audiences.pipeline.person.holders import UnreadableAddressError
from audiences.reporting.person_lookup import find_person, why
from audiences.reporting.read_only import ReadOnlyResources

pytestmark = pytest.mark.integration
SPRING = """
name: Spring
status: published
who: {did: {event: Added To Cart}, control_group: {percent: 99}}
what: {audience: {create: {name: Spring}}, guards: {max_removal: 100}}
when: now
"""


@pytest.fixture
def ran(desk):
    """`carts` has everybody; `spring` holds nearly everybody out."""
    desk.write("spring", SPRING)
    desk.shop.user(5, "User.Five@Example.com", "+14155550005")
    desk.shop.event(5)
    desk.run("carts")
    desk.run("spring")
    return desk


def find(desk, asked_by, value, **more):
    files = desk.files()
    catalog = next(iter(files.specs.values())).catalog
    with ReadOnlyResources(files, look_up=desk.shop.connections.__getitem__) as resources:
        return find_person(files, resources, catalog, asked_by, value, now=desk.shop.now, **more)


def test_a_user_is_found_by_id_with_memberships_and_arms(ran):
    (person,) = find(ran, "user", "005").people
    assert (person.user, person.known, person.erasure) == ("5", True, None)
    memberships = {each.campaign: each for each in person.memberships}
    assert (memberships["carts"].name, memberships["carts"].since_run, memberships["carts"].until_run) == (
        "Carts",
        1,
        None,
    )
    arms = {each.campaign: each.arm for each in person.arms}
    assert arms["carts"] == "target"
    assert ("spring" in memberships) == (arms["spring"] == "target")


@pytest.mark.parametrize(
    ("asked_by", "value", "read_as"),
    [
        ("email", " user.five@EXAMPLE.com", "email"),
        ("phone", "+1 (415) 555-0005", "phone"),
        ("user", "5", "user"),
        ("user", "user.five@example.com", "email"),
        ("user", "+1 415 555 0005", "phone"),
    ],
)
def test_an_address_is_read_as_an_upload_reads_it_and_is_not_in_the_answer(ran, asked_by, value, read_as):
    found = find(ran, asked_by, value)
    assert found.asked_by == read_as
    assert [person.user for person in found.people] == ["5"]
    text = found.model_dump_json()
    assert "@" not in text
    assert "555" not in text


def test_what_can_be_nobodys_address_is_refused_without_being_quoted(ran):
    with pytest.raises(UnreadableAddressError) as refused:
        find(ran, "email", "nobody-at-all")
    assert "nobody-at-all" not in str(refused.value)


def test_somebody_nobody_knows_is_not_known(ran):
    assert find(ran, "user", "77").people == find(ran, "user", "14155550005").people == ()
    assert find(ran, "email", "nobody@example.com").people == ()


def test_a_membership_that_has_ended_is_there_with_the_run_that_ended_it(ran):
    ran.shop.sql("delete from events where user_id = 5")
    summary = ran.run("carts")
    (person,) = find(ran, "user", "5").people
    carts = next(each for each in person.memberships if each.campaign == "carts")
    assert (carts.since_run, carts.until_run) == (1, summary.run)
    assert carts.until is not None


def test_campaigns_that_one_may_not_see_are_left_out(ran):
    (person,) = find(ran, "user", "5", may_see=lambda name: name == "spring").people
    assert {each.campaign for each in (*person.memberships, *person.arms)} == {"spring"}


def test_what_is_on_record_under_a_former_id_is_told_of_the_campaign_of_today(ran):
    (ran.folder.path / "campaigns/carts.yml").rename(ran.folder.path / "campaigns/trolleys.yml")
    ran.write("trolleys", f"{ran.folder.text('campaigns/trolleys.yml')}formerly: carts\n")
    (person,) = find(ran, "user", "5", may_see=lambda name: name == "trolleys").people
    assert [each.campaign for each in (*person.memberships, *person.arms)] == ["trolleys", "trolleys"]


def test_why_somebody_is_in_or_out_is_what_explain_says(ran):
    files, look_up = ran.files(), ran.shop.connections.__getitem__
    found = why(files, "carts", "5", now=ran.shop.now, look_up=look_up)
    assert (found.outcome, found.campaign) == ("targeted", "carts")
    assert why(files, "nobody", "5", now=ran.shop.now, look_up=look_up) is None
    with pytest.raises(AddressAsIdError, match="is an e-mail address") as refused:
        why(files, "carts", "user.five@example.com", now=ran.shop.now, look_up=look_up)
    assert "user.five" not in str(refused.value)


def test_somebody_who_was_erased_is_known_as_erased_and_by_nothing_else(ran):
    erased(ran.shop, "5")
    found = find(ran, "user", "5")
    assert found.erased
    assert (found.people[0].memberships, found.people[0].arms) == ((), ())
    assert found.people[0].erasure.done_at is not None


def test_what_is_left_to_do_of_an_erasure_is_not_told_to_who_may_not_erase(ran):
    erased(ran.shop, "5")
    found = find(ran, "user", "5")
    whole = found.people[0].erasure
    left = whole.model_copy(update={"still_to_do": ("campaigns/spring.yml names the person",)})
    told = found.model_copy(update={"people": (found.people[0].model_copy(update={"erasure": left}),)}).without_tasks()
    assert told.people[0].erasure.erasure == whole.erasure
    assert "spring" not in told.model_dump_json()


def test_an_id_that_the_key_cannot_have_is_nobody_elses(ran):
    files = ran.files()
    catalog = next(iter(files.specs.values())).catalog
    look_up = ran.shop.connections.__getitem__
    with ReadOnlyResources(files, look_up=look_up) as resources, resources.warehouse() as warehouse:
        assert as_the_key_says(warehouse, catalog, "5\0") == "5\0"
