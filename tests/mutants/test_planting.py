"""The runner itself, on a project of two files."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from tests.mutants import planting
from tests.mutants.planting import Fault, copy, misplaced, planted, read, try_out

pytestmark = pytest.mark.integration  # starts pytest a few times
LAYER = Path(planting.__file__).with_name("layer.py")
TESTS = """
import pytest
from shop import total
@pytest.mark.integration
def test_sum(): assert total([1, 2]) == 3
"""
FAULT = Fault("plugins/shop.py", "sum(prices)", "max(prices)", "bills are too low", ("tests/test_shop.py",))


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A checkout with a module, a test for it, and the plugin that the runner wants."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # pytest starts in a third of the time
    for name, text in {
        "plugins/shop.py": "def total(prices):\n    return sum(prices)\n",
        "tests/test_shop.py": TESTS,
        "tests/mutants/layer.py": LAYER.read_text(),
        "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["plugins", "."]\nmarkers = ["integration", "e2e", "long"]\n',
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_fault_that_a_test_notices_is_caught_with_its_layer_and_taken_out_again(project):
    fate = try_out(project, FAULT)
    assert (fate.error, fate.layer, fate.test) == (None, "integration", "tests/test_shop.py::test_sum")
    assert "sum(prices)" in (project / "plugins/shop.py").read_text()


def test_a_fault_that_no_test_notices_survives(project):
    fate = try_out(project, replace(FAULT, after="sum(prices) + 0"))
    assert (fate.error, fate.layer) == (None, None)


def test_a_fault_that_keeps_the_tests_from_running_is_an_error_and_not_caught(project):
    assert "does not run" in try_out(project, replace(FAULT, after="sum(")).error


def test_a_test_that_fails_with_nothing_planted_is_told(project):
    (project / "tests/test_shop.py").write_text("def test_no(): assert False")
    assert "test_no" in planting.failing(project, ["tests/test_shop.py"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"before": "product(prices)"}, "0 times"),
        ({"before": "prices"}, "2 times"),
        ({"file": "plugins/gone.py"}, "no file plugins/gone.py"),
        ({"after": "sum(prices)"}, "changes nothing"),
        ({"tests": ("tests/test_gone.py",)}, "no tests/test_gone.py"),
    ],
)
def test_a_fault_that_cannot_be_planted_is_an_error(project, change, said):
    assert said in misplaced(project, replace(FAULT, **change))
    assert misplaced(project, FAULT) is None


def test_a_fault_is_taken_out_whatever_happens(project):
    file = project / "plugins/shop.py"

    def stopped():
        with planted(project, FAULT):
            assert "max(prices)" in file.read_text()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert "max(prices)" not in file.read_text()


def test_a_copy_holds_what_git_would_take_and_nothing_else(project, tmp_path_factory):
    target = tmp_path_factory.mktemp("copy")
    (project / ".gitignore").write_text("*.log\n")
    (project / "run.log").write_text("x")
    for command in (["init", "-q"], ["add", "plugins"]):
        subprocess.run(["git", "-C", str(project), *command], check=True)
    copy(project, target)
    assert (target / "plugins/shop.py").exists()
    assert (target / "tests/test_shop.py").exists()
    assert not (target / "run.log").exists()


def test_the_known_faults_are_read_and_no_two_are_the_same():
    faults = read(Path(planting.__file__).parent / "faults")
    assert len({(fault.file, fault.before, fault.after) for fault in faults}) == len(faults) > 100
    assert all(fault.why and fault.tests for fault in faults)
