"""A pytest plugin: says of the first test that fails in which layer it stands, for the runner to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

MARK = "CAUGHT BY"
LAYERS = ("long", "e2e", "integration")
HUNG = "hung"


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Print one line for a test that failed, in whichever of its phases."""
    if report.failed:
        layer = next((name for name in LAYERS if name in report.keywords), "unit")
        crash = getattr(report.longrepr, "reprcrash", None)
        if crash is not None and crash.message.startswith("Failed: Timeout"):  # pytest-timeout stopped it
            layer = HUNG
        print(f"\n{MARK} {layer} {report.nodeid}", flush=True)  # noqa: T201  # the runner reads it
