from __future__ import annotations

import json
import re
import shutil

import pytest
from tests.airflow.conftest import ROOT
from tests.campaign import hostile

from audiences.when.timetable import LONGEST_DESCRIPTION

pytestmark = pytest.mark.e2e
LOAD = f"""
import json, os, sys
os.environ.update({{}})
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization
before = set(sys.modules)
bag = DagBag(dag_folder={str(ROOT / "dags" / "campaigns.py")!r}, bundle_path={str(ROOT / "dags")!r}, bundle_name="dags-folder")
heavy = [name for name in ("pandas", "pyarrow", "duckdb", "facebook_business", "adbc_driver_postgresql") if name in sys.modules]
dags = {{}}
for dag_id, dag in bag.dags.items():
    serialised = DagSerialization.to_dict(dag)
    dags[dag_id] = {{
        "tasks": dag.task_ids,
        "tags": sorted(dag.tags),
        "doc": dag.doc_md,
        "size": len(json.dumps(serialised)),
        "schedule": getattr(dag.timetable, "summary", None),
    }}
print("RESULT" + json.dumps({{"dags": dags, "heavy": heavy, "errors": bag.import_errors}}))
"""

EXECUTE = f"""
import json, sys
from pathlib import Path
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.definitions._internal.dag_parsing_context import _airflow_parsing_context_manager
read = set()
def note(event, what):
    if event == "open" and isinstance(what[0], str):
        read.add(Path(what[0]).name)
sys.addaudithook(note)
with _airflow_parsing_context_manager(dag_id=sys.argv[1], task_id="open_run"):
    bag = DagBag(
        dag_folder={str(ROOT / "dags" / "campaigns.py")!r}, bundle_path={str(ROOT / "dags")!r}, bundle_name="dags-folder"
    )
files = sorted(name for name in read if name.endswith(".yml"))
print("RESULT" + json.dumps({{"dags": sorted(bag.dags), "files": files}}))
"""

LIVE = """
name: Live
status: published
qualification: live
what: {audience: {create: {name: Live}}, keep_for: 30 days}
when: {on: {event: Added To Cart}}
"""


def load(airflow, **environment):
    return result(airflow.code(LOAD.replace("{}", json.dumps(environment), 1) if environment else LOAD))


def result(said):
    assert "RESULT" in said, said
    return json.loads(said.split("RESULT", 1)[1].splitlines()[0])


RIGHTS = """
import json
from airflow.api_fastapi.app import create_auth_manager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from audiences.pages.access import Caller
create_auth_manager()
users = {"ann of acme": ("user", ["acme"]), "bob of umbrella": ("user", ["umbrella"]), "an admin": ("admin", [])}
callers = {name: Caller(SimpleAuthManagerUser(username=name, role=role, teams=teams)) for name, (role, teams) in users.items()}
asked = ["of_acme", "of_umbrella", "bad_acme"]
may = {name: sorted(each.allowed(asked, "PUT")) for name, each in callers.items()}
print("RESULT" + json.dumps(may))
"""


def give_acme_a_dag_file_and_a_team(database):
    """As docs/distributed.md says it: `dags/acme/` is a DAG bundle of its own, beside the one of `dags/`."""
    dags = database.project / "dags"
    shutil.copytree(ROOT / "dags", dags)
    (of_acme,) = re.findall(
        r"^```python\n(.*?)^```$", (ROOT / "docs/distributed.md").read_text(), re.MULTILINE | re.DOTALL
    )
    database.write("dags/of_a_brand.txt", of_acme)
    (dags / "acme").mkdir()
    (dags / "acme/campaigns.py").symlink_to("../of_a_brand.txt")  # one file does for all brands
    (bundles,) = re.findall(
        r"DAG_BUNDLE_CONFIG_LIST: >-\n(.*?)^```$", (ROOT / "docs/distributed.md").read_text(), re.MULTILINE | re.DOTALL
    )
    database.environment |= {
        "AIRFLOW__CORE__MULTI_TEAM": "true",
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": bundles.replace("/opt/airflow/dags", str(dags)),
    }
    said = database.airflow("teams", "sync")
    assert "1 teams added" in said, said


def test_a_broken_file_is_an_import_error_of_its_own_and_the_others_load_a_brand_with_its_own_dag_file_for_its_team(
    database,
):
    database.campaign("good_one")
    database.campaign("good_two", status="draft")
    database.campaign("acme/of_acme")
    database.campaign("umbrella/of_umbrella")
    database.write("campaigns/acme/bad_acme.yml", "name: [unclosed\n")
    database.write("campaigns/bad_status.yml", "name: Broken\nstatus: publishd\n")
    database.write("campaigns/bad_yaml.yml", "name: [unclosed\n")
    hostile.put_in(database.project / "campaigns")
    give_acme_a_dag_file_and_a_team(database)
    said = database.airflow("dag-processor", "-n", "1")
    (of_acme,) = database.rows("select filename, stacktrace from import_error where bundle_name = 'acme'")
    assert of_acme[0] == "campaigns/acme/bad_acme.yml", (
        "and not by the bundle of dags/, which holds its DAG file as well"
    )
    errors = dict(database.rows("select filename, stacktrace from import_error where bundle_name = 'everything_else'"))
    odd = [name.removeprefix("campaigns/") for name in errors if not name.startswith("campaigns/bad_")]
    assert len(errors) == len(odd) + 2 == 12, said[-3000:]
    assert {"caf\\xe9.yml", "line\\nbreak\\x1b[2J.yml", "pipe.yml", "socket.yml", "nowhere.yml"} < set(odd)
    assert "is a link that leads out of the project" in errors["campaigns/outside.yml"]
    assert "campaigns/bad_status.yml:2" in errors["campaigns/bad_status.yml"]
    assert "did you mean `published`" in errors["campaigns/bad_status.yml"]
    active = database.rows(
        "select dag_id, bundle_name, relative_fileloc, team_name from dag left join dag_bundle_team"
        " on dag_bundle_name = bundle_name where not is_stale order by 1"
    )
    # The dispatcher too: what cannot be read may be a live campaign.
    assert active == [
        ("audiences_live", "everything_else", "live_dispatcher.py", None),
        ("audiences_upkeep", "everything_else", "upkeep.py", None),
        ("good_one", "everything_else", "campaigns.py", None),
        ("good_two", "everything_else", "campaigns.py", None),
        ("of_acme", "acme", "campaigns.py", "acme"),
        ("of_umbrella", "everything_else", "campaigns.py", None),
    ]
    assert result(database.code(RIGHTS)) == {
        "ann of acme": ["bad_acme", "of_acme", "of_umbrella"],
        "bob of umbrella": ["of_umbrella"],
        "an admin": ["bad_acme", "of_acme", "of_umbrella"],
    }, "on our pages as in Airflow's own, and of a campaign that never had a DAG as of its brand's others"
    assert database.rows("select name from dag_tag where dag_id = 'of_umbrella' order by 1") == [
        *(("audiences",), ("past_behavior",), ("published",), ("umbrella",))
    ]


def test_airflow_has_room_for_the_longest_texts_that_a_campaign_may_have(airflow):
    """Its tables cut nothing: a text that is too long for Postgres ends the DAG processor, and with it every campaign."""
    said = airflow.code(
        "import json\n"
        "from airflow.models.dag import DagModel, DagTag\n"
        "from airflow.models.log import Log\n"
        "columns = {'name': DagModel._dag_display_property_value, 'owner': DagModel.owners, 'log': Log.owner,"
        " 'tag': DagTag.name, 'schedule': DagModel.timetable_description, 'id': DagModel.dag_id}\n"
        "print('RESULT' + json.dumps({name: column.type.length for name, column in columns.items()}))"
    )
    room = result(said)
    assert room["name"] >= 200 + 100 + len(" ()")  # the name and the id
    assert room["owner"] >= 200
    assert room["log"] >= 200
    assert room["tag"] >= 100
    assert room["id"] >= 100
    assert room["schedule"] >= LONGEST_DESCRIPTION


def test_a_worker_reads_and_builds_only_the_campaign_that_it_executes(airflow):
    airflow.campaign("acme/good_one")  # also through the DAG file in which it was before it was moved to a brand
    airflow.campaign("good_two")
    airflow.write("campaigns/bad.yml", "name: [unclosed\n")
    found = result(airflow.code(EXECUTE, "good_one"))
    assert found == {"dags": ["good_one"], "files": ["good_one.yml", "settings.yml", "warehouse.yml"]}


def test_a_worker_finds_everything_else_when_the_file_of_its_campaign_makes_no_dag(airflow):
    airflow.campaign("good_one")
    airflow.write("campaigns/bad.yml", "name: [unclosed\n")
    for wanted in ("bad", "gone"):
        assert "good_one" in result(airflow.code(EXECUTE, wanted))["dags"]


def test_the_sample_campaigns_become_dags_with_everything_a_person_looks_for(airflow):
    found = load(airflow, AUDIENCES_PROJECT=str(ROOT))
    assert found["errors"] == {}
    assert sorted(found["dags"]) == [
        "abandoned_cart",
        "cart_left",
        "lapsed_high_value",
        "remove_buyers",
        "win_back_loyal",
    ]
    cart = found["dags"]["abandoned_cart"]
    assert cart["tasks"] == ["open_run", "extract", "select", "plan", "remove", "add", "remove_late", "close_run"]
    assert found["dags"]["win_back_loyal"]["tasks"] == ["preview"]
    assert found["dags"]["cart_left"]["tasks"] == ["run_batch"]
    said = "when a user does Added To Cart, unless Charged follows within 1 minute"
    assert found["dags"]["cart_left"]["schedule"] == said
    assert "cart_abandoners" in cart["doc"]
    assert {"audiences", "published"} <= set(cart["tags"])
    assert "09:00" in cart["schedule"]


def test_loading_campaigns_imports_nothing_heavy(airflow):
    airflow.campaign("carts")
    assert result(airflow.python(LOAD))["heavy"] == []


FORM = f"""
import json, os
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization
bag = DagBag(dag_folder={str(ROOT / "dags" / "campaigns.py")!r}, bundle_path={str(ROOT / "dags")!r}, bundle_name="dags-folder")
found = {{}}
for dag_id, dag in bag.dags.items():
    dag.params.validate()
    written = DagSerialization.to_dict(dag)
    read = DagSerialization.from_dict(written).params
    # Where the loader is, is Airflow's own note; of the project's folder nothing is passed on.
    passed = {{key: value for key, value in written["dag"].items() if key not in ("fileloc", "relative_fileloc")}}
    assert os.environ["AUDIENCES_PROJECT"] not in json.dumps(passed, default=repr), dag_id
    tasks = [task["__var"] for task in written["dag"]["tasks"]]
    copies = [params for task in tasks for params in (task.get("params"), task.get("partial_kwargs", {{}}).get("params"))]
    found[dag_id] = [dict(read), [each for each in copies if each]]
    if dag_id == "carts":
        try:
            read.deep_merge({{"dry_run": "perhaps"}}).validate()
        except Exception as error:
            found["wrong"] = str(error).partition("\\n")[0]
print("RESULT" + json.dumps(found))
"""


def test_the_trigger_form_belongs_to_the_dag_and_no_task_carries_a_copy_of_it(airflow):
    """Airflow validates every copy several times at every parse: nine tenths of what a thousand campaigns cost."""
    airflow.campaign("carts")
    airflow.campaign("draft", status="draft")
    airflow.write("campaigns/live.yml", LIVE)
    assert result(airflow.code(FORM)) == {
        "carts": [{"dry_run": False, "full_refresh": False, "allow": []}, []],
        "draft": [{}, []],
        "live": [{"dry_run": False, "allow": []}, []],
        "wrong": "Invalid input for param dry_run: 'perhaps' is not of type 'boolean'",
    }


def test_jinja_in_a_campaign_file_is_only_text(airflow):
    airflow.campaign("sly", title="'{{ var.value.secret }}'")
    assert "{{ var.value.secret }}" in load(airflow)["dags"]["sly"]["doc"]
