"""`when: {after: …}`: what a campaign runs after, in place of times."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

from audiences.campaign.describe import describe
from audiences.campaign.project import Project
from audiences.campaign.schema import schema_files
from audiences.campaign.spec import CampaignSpec
from audiences.campaign.when import When

if TYPE_CHECKING:
    from tests.campaign.conftest import Folder

SCHEMA = Draft202012Validator(json.loads(schema_files()["include/campaign.schema.json"]))
AFTER = [
    ("load_orders", "after the DAG load_orders"),
    ("postgres://db/shop/public/orders", "after the asset postgres://db/shop/public/orders"),
    (["load_orders", "s3://lake/users"], "after the DAG load_orders and the asset s3://lake/users"),
    ({"any": ["load_orders", {"asset": "orders"}]}, "after the DAG load_orders or the asset orders"),
    ({"asset": "orders"}, "after the asset orders"),
    ({"dag": "1_load.daily"}, "after the DAG 1_load.daily"),
    ("a_dag_of_a_team_with_long_names", "after the DAG a_dag_of_a_team_with_long_names"),
]


@pytest.mark.parametrize(("after", "words"), AFTER)
def test_each_way_to_say_it_is_read_and_said_in_words_and_fits_the_schema(after, words):
    found = When.model_validate({"after": after})
    assert (str(found.run_after), found.wait) == (words, None)
    assert When.model_validate(found.model_dump(mode="json")) == found
    campaign = {"name": "x", "who": {"segment": "x"}, "what": {"audience": {"create": {"name": "x"}}}}
    assert list(SCHEMA.iter_errors({**campaign, "when": {"after": after}})) == []
    assert list(SCHEMA.iter_errors({**campaign, "when": {"after": {"all": after}}})) == [] or isinstance(after, dict)


def test_beside_an_event_it_is_a_length_of_time():
    found = When.model_validate({"on": {"event": "Charged"}, "after": "5 minutes"})
    assert (str(found.wait), found.run_after) == ("5 minutes", None)


@pytest.mark.parametrize(
    ("when", "key", "said"),
    [
        ("{after: load orders}", "when.after", "cannot be the id of a DAG"),
        ("{after: []}", "when.after", "must not be empty"),
        ("{after: {all: [a], any: [b]}}", "when.after", "exclude each other"),
        ("{after: load, cron: '0 9 * * *'}", "when", "`cron` and `after` exclude each other"),
        ("{after: load, ends: {after: 10 runs}}", "when.ends", "counts the runs of `repeat` or `cron`"),
        ("{after: 's3://me:secret@lake/x'}", "when.after", "holds a password"),
        ("{after: 'airflow://x'}", "when.after", "which Airflow keeps for itself"),
        ("{after: 5 minutes}", "when.after", "what a live campaign waits after an event, so it needs `on`"),
        ("{after: 3}", "when.after", "`3` is neither the id of a DAG nor an asset; allowed: `{dag: id}`"),
        ("{after: [load, true]}", "when.after", "`true` is neither the id of a DAG nor an asset"),
        ("{after: {dag: 3}}", "when.after", "`dag` must be text; found `3`; put it in quotes"),
        ("{after: [load, {dag: load}]}", "when.after", "names `load` more than once"),
        ("{after: ['s3://lake/x', 'S3://lake/x/#y']}", "when.after", "names `s3://lake/x` more than once"),
        ("{after: 'postgres://shop/orders'}", "when.after", "is written `postgres://host/database/schema/table`"),
        ("{after: 'bigquery://shop/orders'}", "when.after", "is written `bigquery://project/dataset/table`"),
        ("{after: 's3:///x'}", "when.after", "is written `s3://bucket`"),
        ("{after: 'https://[::1'}", "when.after", "its host or port cannot be read"),
        ("{after: {asset: context}}", "when.after", "a name that Airflow gives to no asset"),
        ("{after: 'dag:test'}", "when.after", "write the DAG's id alone, `test`"),
        ("{after: {asset: 'DAG://load_orders'}}", "when.after", "write the DAG's id alone, `load_orders`"),
        ("{after: {dags: [a]}}", "when.after", "unknown key"),
        ("{after: test}", "when.after", "runs after itself, without an end: `test` after `test`"),
        ("{after: 'facebook://act_1001/Test'}", "when.after", "runs after itself"),
        ("{after: 'FACEBOOK://act_1001/Test/'}", "when.after", "runs after itself"),
        ("{after: 'facebook://act_1001/T%65st?#x'}", "when.after", "runs after itself"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_its_place(folder: Folder, when, key, said):
    folder.when(when)
    (problem,) = folder.load().problems
    assert problem.key == key
    assert said in problem.message
    assert "secret" not in problem.message


def test_campaigns_that_run_after_each_other_in_a_circle_are_refused_all_of_them_and_no_other(folder: Folder):
    one = "name: {0}\nwho: {{did: {{event: Charged}}}}\nwhat: {{audience: {{create: {{name: {0}}}}}}}\nwhen: {{after: {1}}}\n"
    for name, after in (("a", "b"), ("b", "'facebook://act_1001/c'"), ("c", "[load, a]"), ("d", "a")):
        folder.campaign(one.format(name, after), f"{name}.yml")
    project = folder.load()
    assert [(problem.file, problem.code) for problem in project.problems] == [
        (f"campaigns/{name}.yml", "runs-after-itself") for name in "abc"
    ]
    assert "`a` after `b` after `c` after `a`" in project.problems[0].message
    assert list(project.campaigns) == ["d"]


def test_a_circle_that_leads_through_other_dag_files_is_told_of_the_campaigns_of_each(folder: Folder):
    one = "name: {0}\nwho: {{did: {{event: Charged}}}}\nwhat: {{audience: {{create: {{name: {0}}}}}}}\nwhen: {{after: {1}}}\n"
    where = {"a": "acme", "b": "umbrella", "c": "umbrella", "d": "", "e": "acme"}
    for brand in {*where.values()} - {""}:
        (folder.root / "campaigns" / brand).mkdir()
    for name, after in (("a", "b"), ("b", "c"), ("c", "d"), ("d", "[load, a]"), ("e", "[broken, a]")):
        folder.campaign(one.format(name, after), f"{where[name]}/{name}.yml")
    folder.campaign("name: [", "broken.yml")
    for brand, refused in (("acme", ["a"]), ("umbrella", ["b", "c"]), (None, ["d"])):
        project = Project.load(folder.root, of=lambda each, brand=brand: each == brand)
        told = {problem.file: problem.message for problem in project.problems if problem.code == "runs-after-itself"}
        names = [f"campaigns/{brand}/{name}.yml" if brand else f"campaigns/{name}.yml" for name in refused]
        assert list(told) == names
        assert f"`{refused[0]}` after" in told[names[0]]
        assert list(project.campaigns) == (["e"] if brand == "acme" else [])
        assert ("campaigns/broken.yml" in project.broken) == (brand is None)


def test_every_campaign_that_keeps_one_given_audience_brings_its_asset_about(folder: Folder):
    text = "name: x\nwho: {{did: {{event: Charged}}}}\nwhat: {{audience: {{update: {{id: '7', action: add}}}}}}\nwhen: {0}\n"
    for name, when in (("a", "{after: 'facebook://act_1001/7'}"), ("b", "{after: a}"), ("c", "now")):
        folder.campaign(text.format(when), f"{name}.yml")
    assert [problem.message for problem in folder.load().problems] == [
        "runs after itself, without an end: `a` after `a`",
        "runs after itself, without an end: `b` after `a` after `b`",
    ]


def test_what_is_never_brought_about_draws_a_warning(folder: Folder):
    text = "name: {0}\n{1}who: {{did: {{event: Charged}}}}\nwhat: {{audience: {{create: {{name: {0}}}}}}}\nwhen: {2}\n"
    folder.campaign(text.format("Körbe", "formerly: carts\n", "now"), "baskets.yml")
    folder.campaign(text.format("b", "", "{after: [carts, 'facebook://act_1001/Körbe']}"), "b.yml")
    folder.campaign(text.format("c", "", "{after: [baskets, 'Facebook://act_1001/K%C3%B6rbe']}"), "c.yml")
    project = folder.load()
    assert project.problems == ()
    assert [(each.file, each.code, each.message) for each in project.warnings] == [
        ("campaigns/b.yml", "never-runs", said)
        for said in (
            "never runs after `carts`, which is a former id: the campaign is `baskets` now",
            "never runs after `facebook://act_1001/Körbe`: that audience's asset is written `facebook://act_1001/K%C3%B6rbe`",
        )
    ]


def test_a_page_says_what_it_runs_after_and_no_name_acts(folder: Folder):
    folder.when("{after: {any: [load_orders, {asset: '<b>[x](y)'}]}}")
    said = describe(folder.spec())
    assert "- Whenever the DAG `load_orders` has succeeded or the asset `<b>[x](y)` was updated." in said


def test_a_campaign_with_it_travels_and_its_audience_has_a_uri(folder: Folder):
    folder.when("{after: load_orders}")
    spec = folder.spec()
    assert CampaignSpec.model_validate_json(spec.model_dump_json(by_alias=True)) == spec
    assert spec.asset_uri == "facebook://act_1001/Test"
    folder.campaign(
        "name: x\nwho: {did: {event: Charged}}\nwhat: {audience: {create: {name: 'Zoë / Ü?'}}}\nwhen: now\n"
    )
    assert folder.spec().asset_uri == "facebook://act_1001/Zo%C3%AB%20%2F%20%C3%9C%3F"
