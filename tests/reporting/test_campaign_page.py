"""One campaign in full: in words, as a file, against what ran, with its goal's history and its links."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from audiences.campaign.project import Project
from audiences.pipeline.upkeep.measure import measure
from audiences.reporting.campaign_page import campaign_page

pytestmark = pytest.mark.integration
SPRING = """
name: Spring
status: published
who: {{segment: [fresh, vip, team], control_group: {{percent: {percent}}}}}
what: {{audience: {{create: {{name: Spring}}}}, ad_sets: ["23861234567890123"]}}
when: {{repeat: {{every: 1 day, at: "09:00"}}, timezone: Asia/Kolkata}}
goal: {{event: Charged, within: 5 days}}
"""


def page(desk, campaign="spring", now=None):
    return campaign_page(
        desk.files(), desk.ledger, campaign, now=now or desk.shop.now, look_up=desk.shop.connections.__getitem__
    )


@pytest.fixture
def spring(desk):
    desk.folder.write("include/segments/fresh.yml", "all: [{did: {event: Added To Cart}}]\n")
    desk.folder.write("include/segments/vip.sql", "select id as user_id from users\n")
    desk.folder.write("include/segments/team.csv", "user_id\n1\n2\n3\n4\n")
    desk.write("spring", SPRING.format(percent=10))
    return desk


def test_the_campaign_is_said_in_words_with_its_segments_spelled_out(spring):
    found = page(spring)
    assert [section.title for section in found.sections] == ["Who", "What", "When", "Goal"]
    said = "\n".join(line.text for section in found.sections for line in section.lines)
    assert "10 % of them are held out as this campaign's control group" in said
    assert "Every day at 09:00 (`Asia/Kolkata`)." in said
    by_name = {segment.name: segment for segment in found.segments}
    assert [line.text for line in by_name["fresh"].lines] == ["did `Added To Cart` at any time"]
    assert by_name["vip"].sql.startswith("select id as user_id")
    assert by_name["team"].users == 4


def test_the_file_is_there_as_it_was_committed(spring):
    found = page(spring)
    assert found.file.name == "campaigns/spring.yml"
    assert found.file.text == SPRING.format(percent=10)
    assert (found.file.problems, found.file.difference) == ((), None)


def test_the_file_is_compared_with_the_version_that_ran_last(spring):
    summary = spring.run("spring")
    assert page(spring).file.difference is None
    spring.write("spring", SPRING.format(percent=20))
    difference = page(spring).file.difference
    assert difference.run == summary.run
    assert [line for line in difference.lines if line[0] in "+-" and "percent" in line] == [
        "-    percent: 10", "+    percent: 20",
    ]  # fmt: skip
    changed = [line for line in difference.lines if line[0] in "+-"]
    assert len(changed) == 4, "two lines say what is compared"


def test_a_change_of_what_the_file_refers_to_is_a_difference_without_lines(spring):
    spring.run("spring")
    spring.folder.write("include/segments/team.csv", "user_id\n1\n")
    difference = page(spring).file.difference
    assert (difference.lines, difference.run) == ((), 1)


def test_a_broken_file_is_shown_with_its_problems(spring):
    spring.run("spring")
    spring.write("spring", "name: [")
    found = page(spring)
    assert (found.file.text, found.sections, found.links) == ("name: [", (), None)
    assert (found.file.problems[0].file, found.file.problems[0].line) == ("campaigns/spring.yml", 2)
    spring.write("spring", "")
    assert page(spring).file.text == ""


def test_a_campaign_without_a_file_has_its_record_and_none_that_there_is_not(spring):
    spring.run("spring")
    (spring.folder.path / "campaigns/spring.yml").unlink()
    found = page(spring)
    assert (found.campaign.status, found.file, found.next_sends) == ("no file", None, ())
    assert page(spring, "nobody") is None


def test_the_next_times_are_those_at_which_it_sends(spring):
    found = page(spring)
    assert found.next_sends[0] == found.campaign.next_send == datetime(2026, 11, 24, 3, 30, tzinfo=UTC)
    assert len(found.next_sends) == 10
    spring.write("spring", SPRING.format(percent=10).replace("published", "draft"))
    assert page(spring).next_sends == ()


def test_the_links_lead_to_the_pages_of_the_sandbox(spring):
    summary = spring.run("spring")
    links = page(spring).links
    assert links.sandbox
    assert links.audience == f"{spring.shop.sandbox.url}/audiences/{summary.audience.id}"
    assert set(links.ad_sets) == {"23861234567890123"}


def test_every_result_of_the_goal_is_told_in_words_where_no_number_is_honest(spring):
    spring.run("spring")
    spec = Project.load_campaign(spring.folder.path, "spring")
    for days in (1, 2):
        with spring.shop.resources(spec) as resources:
            report = measure(resources, spring.shop.now + timedelta(days=days))
    found = page(spring)
    assert [result.as_of for result in found.goals] == [
        spring.shop.now + timedelta(days=2), spring.shop.now + timedelta(days=1),
    ]  # fmt: skip
    assert found.goals[0].words == report.in_words()
    assert found.goals[0].report == report
    assert all(result.same_goal for result in found.goals)
    spring.write("spring", SPRING.format(percent=10).replace("5 days", "6 days"))
    assert not any(result.same_goal for result in page(spring).goals)
    spring.shop.sql("update audiences.goal_result set report = '{}'", on="ledger")
    assert page(spring).goals[0].report is None
