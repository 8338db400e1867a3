"""A pytest plugin: says of the first test that fails in which layer it stands, for the runner to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

MARK = "CAUGHT BY"
LAYERS = ("long", "e2e", "integration")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Print one line for a test that failed, in whichever of its phases."""
    if report.failed:
        layer = next((name for name in LAYERS if name in report.keywords), "unit")
        print(f"\n{MARK} {layer} {report.nodeid}", flush=True)  # noqa: T201  # the runner reads it
