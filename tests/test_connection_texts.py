"""The text of a connection is read without Airflow as Airflow would read it, or left to Airflow."""

from __future__ import annotations

import sys
from dataclasses import asdict

import pytest
from airflow.sdk import Connection as AirflowConnection

from audiences.connection_texts import misread, of_environment, plainly

READ_ALIKE = (
    "postgresql://me:p%40ss%2Fword@db.Internal:5432/shop?sslmode=require&options=-c%20search_path%3Dcrm",
    "postgres://%2Fvar%2Frun%2FPG/shop",
    "POSTGRESQL://me@DB/shop",
    "postgresql+psycopg2://me@db/",
    "postgresql://me:@db",
    "postgresql://:only-password@db:5432",
    "postgresql:///shop?host=%2Frun%2Fpg&empty=",
    "postgresql://[::1]:5432/shop",
    "facebook-social://?access_token=S3cret&app_id=1",
    "facebook_social://?access_token=S3cret",
    "generic://me@db/a%2Fb?__extra__=%7B%22a%22%3A+%5B1%5D%7D",
    " postgresql://me@db/shop ",
    '{"conn_type": "postgresql", "host": "db", "port": "5432", "login": "me", "password": "p", "schema": "shop"}',
    '{"conn_type": "facebook-social", "extra": {"access_token": "S3cret", "n": [1, null]}}',
    '{"host": "db", "port": 0, "extra": "{\\"a\\": 1}", "description": "ours"}',
    '{"uri": "postgresql://me:p@db:5432/shop?a=b"}',
    "{}",
)


@pytest.mark.parametrize("stated", READ_ALIKE)
def test_without_airflow_a_text_is_read_as_airflow_reads_it(monkeypatch, stated):
    monkeypatch.setenv("AIRFLOW_CONN_ALIKE", stated)
    theirs, ours = AirflowConnection.get("alike"), plainly(stated.strip())
    assert ours is not None
    assert {name: getattr(theirs, name) for name in asdict(ours)} == asdict(ours)


@pytest.mark.parametrize(
    "stated",
    [
        "",
        "postgresql://http://db/shop",
        "http://a://b://c",
        "postgresql://db:port/shop",
        "postgresql://db#1/shop",
        '{"uri": "postgresql://db/shop", "host": "db"}',
        '{"conn_type": "postgres", "port": "many"}',
        '{"conn_type": "postgres", "hots": "db"}',
        '{"conn_type": "postgres", "host": 7}',
        '{"conn_type": 7}',
        "[1]",
    ],
)
def test_what_is_out_of_the_ordinary_is_left_to_airflow(stated):
    assert plainly(stated) is None


@pytest.fixture
def outside(monkeypatch, tmp_path):
    """A process in which nobody has imported Airflow, and an Airflow of its own without settings."""
    monkeypatch.delitem(sys.modules, "airflow")
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    monkeypatch.delenv("AIRFLOW_CONFIG", raising=False)
    monkeypatch.setenv("AIRFLOW_CONN_KEPT", "postgresql://me@db/shop")
    return tmp_path / "airflow.cfg"


def test_the_environment_is_read_without_airflow_where_airflow_would_look_there_first(outside):
    assert of_environment("kept") == "postgresql://me@db/shop"
    outside.write_text("[secrets]\n# backend = x.Y\nbackend =\n\nuse_cache = True\n[celery]\nresult_backend = db\n")
    assert of_environment("kept")
    assert of_environment("elsewhere") == ""
    assert of_environment("team___kept") == ""


@pytest.mark.parametrize(
    "said",
    [
        "[secrets]\nbackend = x.Y\n",
        "[secrets]\n  Backend = x.Y\n",
        "[secrets]\nbackend =\n\n  x.Y\n",
        "[secrets]\nbackend\xa0= x.Y\n",
        "[secrets]\nBACKEND_CMD = echo x.Y\n",
        "[workers]\nsecrets_backend: x.Y\n",
        b"\xff",
    ],
)
def test_airflow_is_asked_where_its_file_names_a_secrets_backend_or_cannot_be_read(outside, said):
    outside.write_bytes(said if isinstance(said, bytes) else said.encode())
    assert of_environment("kept") == ""


@pytest.mark.parametrize("name", ["AIRFLOW__SECRETS__BACKEND", "AIRFLOW__WORKERS__SECRETS_BACKEND_CMD"])
def test_airflow_is_asked_where_the_environment_names_a_secrets_backend(outside, monkeypatch, name):
    monkeypatch.setenv(name, "x.Y")
    assert of_environment("kept") == ""


def test_airflow_is_asked_where_it_is_there_already(outside, monkeypatch):
    monkeypatch.setitem(sys.modules, "airflow", sys)
    assert of_environment("kept") == ""


def test_plain_uris_are_read_as_they_were_meant():
    for uri in ("postgresql://me@db/shop", "postgresql://me:p@ss@db/shop", "postgresql:///shop?password=a@b", ""):
        assert misread(uri) == ""
