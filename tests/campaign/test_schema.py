from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from tests.campaign.conftest import ROOT

from audiences.campaign.schema import schema_files
from audiences.campaign.yaml_reader import parse, read_document

if TYPE_CHECKING:
    from collections.abc import Iterator

import json

SCHEMAS = {path: json.loads(text) for path, text in schema_files().items()}
CAMPAIGNS = Draft202012Validator(SCHEMAS["include/campaign.schema.json"])


@pytest.mark.parametrize("path", SCHEMAS)
def test_the_exported_schemas_are_current(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == schema_files()[path], "run: make schemas"


@pytest.mark.parametrize("path", SCHEMAS)
def test_the_schemas_are_schemas(path: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[path])


@pytest.mark.parametrize(
    ("file", "schema"),
    [
        *((path, "campaign") for path in sorted((ROOT / "campaigns").glob("*.yml"))),
        *((path, "segment") for path in sorted((ROOT / "include/segments").glob("*.yml"))),
        (ROOT / "include/warehouse.yml", "warehouse"),
        (ROOT / "include/settings.yml", "settings"),
    ],
    ids=lambda each: getattr(each, "name", each),
)
def test_every_sample_fits_its_schema_and_names_it(file: Any, schema: str) -> None:
    data = read_document(file, file.name).data
    assert list(Draft202012Validator(SCHEMAS[f"include/{schema}.schema.json"]).iter_errors(data)) == []
    comment = file.read_text().splitlines()[0]
    assert (file.parent / comment.partition("$schema=")[2]).resolve() == ROOT / f"include/{schema}.schema.json"


def test_bounds_and_defaults_are_in_words_that_an_editor_knows() -> None:
    texts = [json.dumps(schema) for schema in SCHEMAS.values()]
    assert not any(f'"{pydantic}":' in text for text in texts for pydantic in ("ge", "le", "gt", "lt"))
    forms = SCHEMAS["include/campaign.schema.json"]["$defs"]["ControlGroup"]["anyOf"]
    assert forms[1]["properties"]["percent"]["default"] == 0


def keys_without_text(schema: dict[str, Any]) -> Iterator[str]:
    for name, definition in [("", schema), *schema["$defs"].items()]:
        for form in definition.get("anyOf", [definition]):
            for key, value in form.get("properties", {}).items():
                if "description" not in value:
                    yield f"{name}.{key}"


def test_every_key_of_a_campaign_says_what_it_means() -> None:
    assert sorted(keys_without_text(SCHEMAS["include/campaign.schema.json"])) == []


def campaign(who: str = "{segment: x}", what: str = "{audience: {create: {name: x}}}", when: str = "now") -> Any:
    return parse(f"name: x\nwho: {who}\nwhat: {what}\nwhen: {when}\n", "x").data


@pytest.mark.parametrize(
    "data",
    [
        campaign(),
        campaign(who="{control_group: 10, target_cap: 5000, segment: [a, b]}"),
        campaign(who="{with_properties: [{a: 1}, {b: {in: [1, x]}}, {not: {c: true}}]}"),
        campaign(
            who="{did: {event: a, within: last 30 days, where: [{a: 1}], first_time: {between: [2026-01-01, 2026-01-02]}}}"
        ),
        campaign(who="{did: {any_of: a, within: 'between [2026-01-01, 2026-02-01]', day_of_week: [mon, friday]}}"),
        campaign(what="{audience: {update: {id: 123, action: add}}, keep_for: 30 days}"),
        campaign(when="{repeat: {every: 1 week, on: mon, at: '09:00'}, ends: {after: 10 runs}}"),
        campaign(when="{repeat: {every: 1 month, on: [1, last], at: ['09:00']}, ends: {after: 10}}"),
        campaign(when="{cron: ['0 9 * * *']}"),
        campaign(when="{on: {event: a}, limit: once}"),
        campaign(when="{on: [{event: a}], limit: {times: 3}}"),
    ],
)
def test_short_and_long_forms_fit_the_schema(data: Any) -> None:
    assert list(CAMPAIGNS.iter_errors(data)) == []


@pytest.mark.parametrize(
    "data",
    [
        {**campaign(), "nmae": "x"},
        {**campaign(), "status": "publishd"},
        {**campaign(), "qualification": "past"},
        {key: value for key, value in campaign().items() if key != "what"},
        campaign(who="{segmnt: x}"),
        campaign(who="{target_cap: lots}"),
        campaign(who="{target_cap: 0}"),
        campaign(who="{control_group: 100}"),
        campaign(who="{did: {event: a, within: 30 days}}"),
        campaign(who="{did: {event: a, count: 2}}"),
        campaign(who="{with_properties: {a: [1, 2]}}"),
        campaign(who="{with_properties: {a: {betwen: [1, 2]}}}"),
        campaign(who="{with_properties: {a: {between: [1, 2, 3]}}}"),
        campaign(what="{audience: {create: {nam: x}}}"),
        campaign(what="{audience: {update: {id: abc, action: add}}}"),
        campaign(what="{audience: {create: {name: x}}, identifiers: [emial]}"),
        campaign(what="{audience: {create: {name: x}}, keep_for: 30}"),
        campaign(when="soon"),
        campaign(when="{repeat: {every: day, at: '09:00'}}"),
        campaign(when="{repeat: {every: 1 day, at: 9}}"),
        campaign(when="{repeat: {every: 1 day}}"),
        campaign(when="{on: {event: a}, limit: often}"),
        campaign(when="{repeat: {every: 1 day, at: '09:00'}, ends: {after: 0}}"),
    ],
)
def test_common_mistakes_do_not_fit_the_schema(data: Any) -> None:
    assert list(CAMPAIGNS.iter_errors(data)) != []
