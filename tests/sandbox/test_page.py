"""The pages: they show what is there, and nothing in it can become HTML."""

from __future__ import annotations

import re

import pytest
import requests

from audiences.sandbox.page import chart, number, short, tone

pytestmark = pytest.mark.integration


def page(sandbox, path="/"):
    return requests.get(sandbox.url + path, timeout=20)


def test_the_overview_shows_audiences_requests_and_faults(graph, admin, sandbox, rows):
    audience = graph.create("Abandoned carts")
    graph.upload(audience, rows(1_234))
    admin.add_fault("throttle", path="/*/users")
    text = page(sandbox).text
    for shown in (
        "Abandoned carts",
        audience,
        "1\u202f234",
        "/users",
        "throttle",
        "no raw data seen",
        "Retargeting, daily budget",
    ):
        assert shown in text


def test_an_audiences_page_shows_who_came_and_went_with_shortened_hashes(graph, sandbox, rows):
    audience = graph.create("Carts")
    graph.upload(audience, rows(3), session={"session_id": 4242, "batch_seq": 1})
    graph.upload(audience, rows(1), method="DELETE")
    text = page(sandbox, f"/audiences/{audience}").text
    for shown in ("+3", "−1", "4242", "EMAIL", short(rows(1)[0][0]), "request"):
        assert shown in text


def test_two_moments_of_an_audience_are_compared_member_by_member(graph, sandbox, rows):
    audience, (one, two, three) = graph.create("Carts"), rows(3)
    graph.upload(audience, [one, two])
    graph.upload(audience, [two], method="DELETE")
    graph.upload(audience, [three])
    whole = page(sandbox, f"/audiences/{audience}/diff").text
    later = page(sandbox, f"/audiences/{audience}/diff?after=1").text
    middle = page(sandbox, f"/audiences/{audience}/diff?after=1&until=2").text
    shown = [[short(row[0]) in text for row in (one, two, three)] for text in (whole, later, middle)]
    assert shown == [[True, False, True], [False, True, True], [False, True, False]]
    assert page(sandbox, f"/audiences/{audience}/diff?after=x&until=99").text.count("from before") == 2
    assert page(sandbox, "/audiences/1/diff").status_code == 404


def test_the_last_comparison_with_an_expected_list_is_shown(graph, admin, sandbox, rows):
    audience, (one, two, three) = graph.create("Carts"), rows(3)
    graph.upload(audience, [one, two])
    assert "expected" not in page(sandbox, f"/audiences/{audience}").text
    admin.diff(audience, [{"EMAIL": row[0], "PHONE": row[1]} for row in (two, three)])
    text = page(sandbox, f"/audiences/{audience}").text
    assert "1 missing" in text
    assert "1 unexpected" in text
    assert short(three[0]) in text
    admin.diff(audience, [{"EMAIL": row[0], "PHONE": row[1]} for row in (one, two)])
    assert "exactly those are in" in page(sandbox, f"/audiences/{audience}").text


def test_raw_data_raises_an_alarm_without_being_shown(graph, sandbox):
    graph.upload(graph.create(), [["mary@example.com", "+4915112345678"]])
    text = page(sandbox).text
    assert "raw data was sent" in text
    assert "mary@" not in text
    assert "4915112345678" not in text


@pytest.mark.parametrize("where", ["/", "/audiences/{id}", "/audiences/<script>"])
def test_names_are_escaped(graph, sandbox, where):
    audience = graph.create('<script>alert("x")</script>', description="<img src=x onerror=alert(1)>")
    graph.get("/<script>")
    text = page(sandbox, where.format(id=audience)).text
    assert "<script>alert" not in text
    assert "<img" not in text
    assert text.count("<script") == 1


def test_pages_work_under_a_strict_content_policy(graph, sandbox, rows):
    audience = graph.create()
    graph.upload(audience, rows(2))
    for path in ("/", f"/audiences/{audience}", f"/audiences/{audience}/diff?after=0"):
        answer = page(sandbox, path)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert not re.search(r"\sstyle=|\son\w+=|https?://(?!127\.0\.0\.1)|<style", answer.text)
        for asset in re.findall(r'(?:href|src)="(/__page/[^"]+)"', answer.text):
            assert page(sandbox, asset).ok


def test_an_unknown_audience_is_a_404(sandbox):
    assert page(sandbox, "/audiences/1").status_code == 404


def test_pages_are_no_graph_calls(sandbox, admin):
    page(sandbox)
    page(sandbox, "/favicon.ico")
    assert page(sandbox, "/__page/../server.py").status_code in (400, 404)
    assert page(sandbox, "/__page/layout.html").status_code == 404
    assert admin.state(members=False)["counters"]["by_call"].get("GET ?", 0) <= 1


def test_a_size_becomes_a_stepped_line():
    drawn = chart([(0, 50), (50, 100), (75, 0)], now=100)
    assert drawn["line"] == "M0,50.0 H500.0 V0.0 H750.0 V100.0 H1000"
    assert drawn["top"] == 100
    assert chart([], now=5)["line"] == ""


def test_numbers_hashes_and_statuses_are_told_readably():
    assert number(1234567.4) == "1\u202f234\u202f567"
    assert short("a" * 64) == "aaaaaaaa…aaaa"
    assert short("customer-1") == "customer-1"
    assert [tone(status) for status in (200, 300, 400, 410, 441, 471, 500, None)] == [
        "good",
        "warn",
        "bad",
        "warn",
        "warn",
        "bad",
        "bad",
        "warn",
    ]
