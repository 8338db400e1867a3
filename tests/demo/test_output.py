from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from audiences.demo.airflow import AirflowApi
from audiences.demo.folders import DemoFolders
from audiences.demo.output import json_line, print_addresses, print_table
from audiences.demo.postgres import Postgres
from audiences.demo.processes import Children
from audiences.demo.samples import SampleCampaign, without_runs
from audiences.demo.start import Demo
from audiences.sandbox.client import AdminClient
from audiences.who.outcomes import Outcomes

RIGHT = SampleCampaign(
    campaign="abandoned_cart",
    state="success",
    outcomes=Outcomes(qualified=1_300, filtered_out=100, targeted=1_200, added=1_200).as_dict(),
    requests=1,
    audience="2385",
    members=1_200,
)
WRONG = SampleCampaign(campaign="lapsed", state="failed", problems=["the run is failed, of its tasks: plan failed"])


@pytest.mark.parametrize(
    ("samples", "problems", "ok"),
    [([RIGHT], [], True), ([RIGHT, WRONG], [], False), ([RIGHT], ["campaigns/x.yml:1:1: is empty"], False)],
)
def test_line_is_ok_only_when_everything_ended_right(samples, problems, ok):
    line = json_line(samples, seconds=41.23, problems=problems)
    assert "\n" not in line
    found = json.loads(line)
    assert (found["ok"], found["seconds"]) == (ok, 41.2)
    assert found["campaigns"][0]["outcomes"]["targeted"] == 1_200
    assert found["goals"] == []


def test_table_shows_the_counts_and_names_what_is_wrong():
    text = io.StringIO()
    print_table(Console(file=text, width=100), [RIGHT, WRONG])
    printed = text.getvalue()
    assert "1,300" in printed
    assert "filtered out" in printed
    assert "over cap" not in printed
    assert "✗ lapsed: the run is failed, of its tasks: plan failed" in printed


def test_the_page_of_the_product_is_among_the_addresses(tmp_path):
    demo = Demo(
        DemoFolders(project=tmp_path, folder=tmp_path),
        Postgres(tmp_path, 5433, tcp=True, password="secret"),
        "http://127.0.0.1:8090",
        AdminClient("http://127.0.0.1:8090"),
        AirflowApi("http://127.0.0.1:8080"),
        Children(record=tmp_path / "record", logs=tmp_path),
    )
    text = io.StringIO()
    print_addresses(Console(file=text), demo)
    lines = dict(line.split(maxsplit=1) for line in text.getvalue().splitlines())
    assert lines["Audiences"].startswith("http://127.0.0.1:8080/plugin/audiences ")
    assert lines["Airflow"].startswith("http://127.0.0.1:8080 ")


def test_a_live_campaign_that_waits_for_events_has_a_dag():
    found = {one.campaign: one for one in without_runs({"broken": "campaigns/broken.yml:1:1: is empty"}, ["cart_left"])}
    assert (found["broken"].state, found["broken"].problems) == ("no DAG", ["campaigns/broken.yml:1:1: is empty"])
    assert found["cart_left"].state == "no run yet"
    assert "no event came due within 180 s" in found["cart_left"].problems[0]
