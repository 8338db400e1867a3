"""What can be known of `make containers` without a container engine."""

from __future__ import annotations

import os
import shutil

import pytest
from tests import compose_files
from tests.containers import engine
from tests.containers.__main__ import main
from tests.containers.images import STAND_INS


def fails(*arguments, **options):
    message = "`apt-get install` ended with exit code 100:\nE: Unable to locate package docker.io"
    raise engine.CommandError(message)


@pytest.mark.parametrize(
    ("user", "there", "reason"),
    [
        (1000, ("apt-get",), "it needs root, to mount file systems and to make networks"),
        (0, (), "there is no docker-compose, no docker.io, no mmdebstrap, and no apt-get to install them with"),
        (
            0,
            ("apt-get",),
            "docker-compose, docker.io, mmdebstrap cannot be installed: E: Unable to locate package docker.io",
        ),
    ],
)
def test_a_machine_without_an_engine_is_told_in_one_line_and_is_no_fault(user, there, reason, monkeypatch, capsys):
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(shutil, "which", lambda program: program if program in there else None)
    monkeypatch.setattr(engine, "run", fails)
    assert main(["--quick"]) == 0
    assert capsys.readouterr().out == f"no containers here, so nothing of them is shown: {reason}\n"


@pytest.mark.parametrize("file", compose_files.FILES)
def test_every_image_that_is_pulled_has_a_stand_in(file):
    images = {one["image"].split(":")[0] for one in compose_files.services(file).values() if "build" not in one}
    assert images <= STAND_INS.keys()
