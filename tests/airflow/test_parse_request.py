"""For which DAG bundle a DAG file is read: of two that overlap, the one whose folder it is has the DAGs."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.integration  # importing Airflow takes a second or two
LOCAL = "airflow.dag_processing.bundles.local.LocalDagBundle"
GIT = "airflow.providers.git.bundles.git.GitDagBundle"


@pytest.fixture
def dags(tmp_path):
    folder = tmp_path / "versions" / "c0ffee" / "dags"
    (folder / "acme").mkdir(parents=True)
    return folder


@pytest.fixture
def configured(monkeypatch):
    """Configures bundles, of `(name, classpath, kwargs)` each."""

    def configure(*bundles):
        listed = [{"name": name, "classpath": of, "kwargs": {**kwargs}} for name, of, kwargs in bundles]
        monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", json.dumps(listed))

    return configure


def read_for(bundle, path, folder):
    """What a DAG file in the folder is told when Airflow reads it for the bundle of this name at this path."""
    from airflow.dag_processing.dagbag import DagBag

    from audiences.airflow.parse_request import is_of_another_bundle

    class Bag(DagBag):
        def read(self):
            return is_of_another_bundle(folder)

    return Bag(collect_dags=False, bundle_name=bundle, bundle_path=path).read()


def test_the_folder_of_a_local_bundle_has_its_dags_in_that_bundle_alone(dags, configured):
    acme = dags / "acme"
    configured(("all", LOCAL, {"path": str(dags)}), ("acme", LOCAL, {"path": str(acme)}))
    assert read_for("all", dags, acme)
    assert not read_for("acme", acme, acme)


def test_so_it_is_of_git_bundles_which_have_a_checkout_each(dags, configured):
    """Only the folders inside the repository can be compared."""
    acme, repository = dags / "acme", {"repo_url": "https://git.example.com/campaigns.git", "subdir": "dags"}
    own = {**repository, "subdir": "dags/acme"}
    configured(("all", GIT, repository), ("acme", GIT, own))
    assert read_for("all", dags, acme)
    assert not read_for("acme", acme, acme)
    configured(("all", GIT, repository), ("acme", GIT, {**own, "repo_url": "https://git.example.com/another.git"}))
    assert not read_for("all", dags, acme)


def test_without_a_bundle_of_its_own_the_folder_belongs_to_the_one_that_holds_it(dags, configured):
    acme = dags / "acme"
    configured(("dags-folder", LOCAL, {}), ("umbrella", LOCAL, {"path": str(dags / "umbrella")}))
    assert not read_for("dags-folder", dags, acme)


def test_what_nobody_reads_for_a_bundle_is_of_none(dags):
    from audiences.airflow.parse_request import is_of_another_bundle, is_plain_reading

    assert not is_plain_reading()
    assert not is_of_another_bundle(dags / "acme")
    assert not read_for(None, None, dags / "acme")
