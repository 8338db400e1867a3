from __future__ import annotations

import os
from threading import Event, Thread

import pytest

from audiences.errors import ConfigError
from audiences.reporting import project_files
from audiences.reporting.project_files import CachedProject, ProjectFiles, fingerprint

CAMPAIGN = (
    "name: {name}\nwho: {{did: {{event: Bought}}}}\nwhat: {{audience: {{create: {{name: {name}}}}}}}\nwhen: now\n"
)


@pytest.fixture
def root(tmp_path):
    (tmp_path / "campaigns").mkdir()
    (tmp_path / "include" / "segments").mkdir(parents=True)
    (tmp_path / "include" / "settings.yml").write_text("ad_accounts: {main: {id: act_1, connection: facebook}}\n")
    (tmp_path / "include" / "warehouse.yml").write_text(
        "users: {relation: users, key: id, email: email, phone: phone}\n"
        "events: {relation: events, id: id, user: user_id, name: name, occurred_at: at}\n"
    )
    write(tmp_path, "carts", "Carts")
    return tmp_path


def write(root, campaign, name):
    (root / "campaigns" / f"{campaign}.yml").write_text(CAMPAIGN.format(name=name))


def test_files_that_have_not_changed_are_read_once(root):
    cached = CachedProject(root)
    assert cached.current() is cached.current()


@pytest.mark.parametrize(
    "change",
    [
        lambda root: write(root, "carts", "Carts again"),
        lambda root: write(root, "more", "More"),
        lambda root: (root / "campaigns" / "carts.yml").unlink(),
        lambda root: (root / "include" / "segments" / "vip.csv").write_text("user_id\n1\n"),
        lambda root: (root / "include" / "settings.yml").write_text("ad_accounts: {}\n"),
        lambda root: os.utime(root / "campaigns" / "carts.yml", ns=(1, 1)),
    ],
    ids=["changed", "added", "deleted", "segment", "settings", "touched"],
)
def test_a_change_of_any_file_is_seen(root, change):
    cached = CachedProject(root)
    before = cached.current()
    change(root)
    after = cached.current()
    assert after is not before
    assert cached.current() is after


@pytest.mark.parametrize("folder", ["campaigns/acme", "include/segments", "include"])
def test_a_change_behind_a_link_to_a_folder_is_seen(root, tmp_path, folder):
    elsewhere = tmp_path / "elsewhere"
    (root / folder).mkdir(exist_ok=True)
    (root / folder).rename(elsewhere)
    (root / folder).symlink_to(elsewhere)
    before = fingerprint(root)
    assert fingerprint(root) == before
    (elsewhere / "more.yml").write_text("name: More\n")
    assert fingerprint(root) != before


def test_others_are_given_the_files_of_before_while_one_thread_reads(root, monkeypatch):
    cached = CachedProject(root)
    before = cached.current()
    reading, go_on = Event(), Event()
    read = ProjectFiles.read

    def slowly(of):
        reading.set()
        assert go_on.wait(20)
        return read(of)

    monkeypatch.setattr(project_files.ProjectFiles, "read", staticmethod(slowly))
    write(root, "more", "More")
    thread = Thread(target=cached.current)
    thread.start()
    assert reading.wait(20)
    assert cached.current() is before
    go_on.set()
    thread.join()
    assert set(cached.current().files) == {"carts", "more"}


def test_a_broken_file_is_there_with_its_problems(root):
    (root / "campaigns" / "odd.yml").write_text("name: [")
    files = ProjectFiles.read(root)
    assert (set(files.files), set(files.specs)) == ({"carts", "odd"}, {"carts"})
    assert files.problems("odd")[0].file == "campaigns/odd.yml"
    assert files.problems("carts") == files.problems("nobody") == ()


def test_settings_that_are_wrong_leave_every_campaign_in_the_list_as_broken(root):
    (root / "include" / "settings.yml").write_text("ad_accounts: {}\n")
    files = ProjectFiles.read(root)
    assert files.settings is None
    assert files.problems("carts")


def test_a_project_without_a_folder_of_campaigns_is_refused(tmp_path):
    with pytest.raises(ConfigError):
        CachedProject(tmp_path).current()
