"""Many workers as docker-compose.celery.yml has them: whatever is killed, the work goes on, and every set is right."""

from __future__ import annotations

import sys

import pytest
from tests.distributed.__main__ import ALL, HEAD, healed, line, missing

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(3600)]


def test_whatever_is_killed_the_work_goes_on_and_every_set_is_right():
    if lacking := missing():
        pytest.skip(lacking)
    sys.stdout.write(HEAD)
    for found in healed(ALL):
        sys.stdout.write(line(found))
        sys.stdout.flush()
