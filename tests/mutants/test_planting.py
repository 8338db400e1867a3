"""The runner itself, on a project of two files."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from tests.mutants import planting
from tests.mutants.layer import HUNG
from tests.mutants.planting import Fault, Place, copy, misplaced, planted, try_out
from tests.mutants.selection import Called, groups, recorded

pytestmark = pytest.mark.integration  # starts pytest a few times
PLUGINS = Path(planting.__file__).parent
TESTS = """
import pytest
from shop import total
@pytest.mark.integration
def test_sum(): assert total([1, 2]) == 3
"""
FAULT = Fault("plugins/shop.py", "sum(prices)", "max(prices)", "bills are too low")
SUM = [["tests/test_shop.py"]]


@pytest.fixture
def project(tmp_path):
    """A checkout with a module, a test for it, and the plugins that the runner wants."""
    for name, text in {
        "plugins/shop.py": "def total(prices):\n    return sum(prices)\n",
        "tests/test_shop.py": TESTS,
        **{f"tests/mutants/{name}.py": (PLUGINS / f"{name}.py").read_text() for name in ("layer", "called", "warm")},
        "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["plugins", "."]\nmarkers = ["integration", "e2e", "long"]\n',
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def place(project):
    """The checkout with a process that runs pytest in it."""
    made = Place(project, libraries=["pytest"])
    yield made
    made.close()


def test_a_fault_that_a_test_notices_is_caught_with_its_layer_and_taken_out_again(place):
    fate = try_out(place, FAULT, SUM)
    assert (fate.error, fate.layer, fate.test) == (None, "integration", "tests/test_shop.py::test_sum")
    assert "sum(prices)" in (place.root / "plugins/shop.py").read_text()
    assert try_out(place, replace(FAULT, after="sum(prices) + 0"), SUM).layer is None  # and leaves nothing in memory


def test_a_fault_that_keeps_the_tests_from_running_is_an_error_and_not_caught(place):
    assert "does not run" in try_out(place, replace(FAULT, after="sum("), SUM).error


def test_a_fault_that_makes_a_test_hang_is_told_from_one_that_is_caught(place):
    (place.root / "tests/test_shop.py").write_text(f"{TESTS}\npytestmark = pytest.mark.timeout(1)\n")
    fate = try_out(place, replace(FAULT, after="[sum(prices) for _ in iter(int, 1)]"), SUM)
    assert (fate.error, fate.layer) == (None, HUNG)


def test_a_test_that_fails_with_nothing_planted_is_told(place):
    (place.root / "tests/test_shop.py").write_text("def test_no(): assert False")
    assert "test_no" in planting.failing(place, ["tests/test_shop.py"])


def test_the_tests_of_a_fault_are_those_that_call_its_function_the_quickest_first(project):
    slow, quick, other = (
        Called("tests/test_a.py::test_slow", 7.0, frozenset({"plugins/shop.py:total"})),
        Called("tests/test_b.py::test_quick", 0.5, frozenset({"plugins/shop.py:total", "plugins/shop.py:Till.open"})),
        Called("tests/test_c.py::test_other", 0.1, frozenset({"plugins/shop.py:Till.open"})),
    )
    record = [other, quick, slow]
    assert groups(project, FAULT, record) == [["tests/test_b.py::test_quick"], ["tests/test_a.py::test_slow"]]
    assert groups(project, replace(FAULT, tests=("tests/test_shop.py",)), []) == [["tests/test_shop.py"]]


def test_which_test_calls_which_function_is_recorded(place, monkeypatch, tmp_path_factory):
    folder = tmp_path_factory.mktemp("record")
    monkeypatch.setenv("MUTANTS_CALLED", str(folder))
    place.pytest(["-p", "tests.mutants.called", "tests/test_shop.py"])
    (called,) = recorded(folder)
    assert (called.test, called.called) == ("tests/test_shop.py::test_sum", {"plugins/shop.py:total"})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"before": "product(prices)"}, "0 times"),
        ({"before": "prices"}, "2 times"),
        ({"file": "plugins/gone.py"}, "no file plugins/gone.py"),
        ({"after": "sum(prices)"}, "changes nothing"),
        ({"tests": ("tests/test_gone.py",)}, "no tests/test_gone.py"),
        ({"tests": ("tests/test_shop.py::test_gone[1]",)}, "no tests/test_shop.py::test_gone[1]"),
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
