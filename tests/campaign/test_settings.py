"""Connections in the settings are names; a secret that was pasted there is refused and never shown."""

import pytest
from tests.campaign.conftest import Folder

from audiences.redact import without_secrets

TOKEN = "EAAB" + "x7" * 30


def settings(folder: Folder, *, connection: str = "facebook_main", more: str = "") -> None:
    folder.write(
        "include/settings.yml", f"ad_accounts:\n  main: {{id: act_1, connection: {connection!r}}}\n{more}owner: me\n"
    )


@pytest.mark.parametrize("name", ["facebook_main", "team/facebook", "fb.main-2", "größe"])
def test_a_connection_is_named_as_airflow_allows(folder: Folder, name: str) -> None:
    settings(folder, connection=name)
    assert folder.problems() == []


@pytest.mark.parametrize("secret", [TOKEN, "postgresql://me:s3cret@host/db", "postgresql://host/db"])
@pytest.mark.parametrize("key", ["warehouse", "ledger", "connection"])
def test_a_secret_in_place_of_a_connection_is_refused_without_showing_it(folder: Folder, key: str, secret: str) -> None:
    if key == "connection":
        settings(folder, connection=secret)
    else:
        settings(folder, more=f"{key}: {secret}\n")
    (problem,) = folder.problems()
    assert "the name of an Airflow connection belongs" in problem
    assert "s3cret" not in problem
    assert TOKEN not in problem


def test_what_cannot_be_a_connection_is_refused_by_name(folder: Folder) -> None:
    settings(folder, connection="my facebook")
    (problem,) = folder.problems()
    assert "`my facebook` cannot be the name of an Airflow connection" in problem


@pytest.mark.parametrize(
    "line", [f"token: [{TOKEN}]", f"{TOKEN}: 1", f"warehouse: {{{TOKEN}: 1}}", f"timezone: {TOKEN}"]
)
def test_a_token_pasted_anywhere_is_not_repeated(folder: Folder, line: str) -> None:
    settings(folder, more=line + "\n")
    assert folder.problems()
    assert TOKEN[:8] not in " ".join(folder.problems())


@pytest.mark.parametrize("text", ["s3://bucket/a@b", "you@example.com", "mailto:me@x.y", "EAA short", "12:30@noon"])
def test_texts_without_a_secret_stay_as_they_are(text: str) -> None:
    assert without_secrets(text) == text


def test_an_ad_account_is_open_or_closed_not_both(folder: Folder) -> None:
    settings(folder, more="closed_ad_accounts: [act_2]\n")
    assert folder.problems() == []
    settings(folder, more="closed_ad_accounts: [act_2, act_1]\n")
    (problem,) = folder.problems()
    assert "act_1 is under `ad_accounts` and under `closed_ad_accounts`; keep one" in problem


@pytest.mark.parametrize("place", ["/var/lib/audiences", "s3://bucket/audiences", "s3://aws_default@bucket/audiences"])
def test_staging_is_a_path_or_a_url_which_may_name_a_connection(folder: Folder, place: str) -> None:
    settings(folder, more=f"staging: {place}\n")
    assert folder.problems() == []


def test_a_password_in_the_place_of_staging_is_refused_without_showing_it(folder: Folder) -> None:
    settings(folder, more="staging: s3://me:s3cret@bucket/audiences\n")
    (problem,) = folder.problems()
    assert "holds a password" in problem
    assert "s3cret" not in problem
