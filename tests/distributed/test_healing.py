"""Many workers as docker-compose.celery.yml has them: whatever is killed, the work goes on, and every set is right."""

from __future__ import annotations

import pytest
from tests.distributed.__main__ import ALL, healed, missing

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(3600)]


def test_whatever_is_killed_the_work_goes_on_and_every_set_is_right():
    if lacking := missing():
        pytest.skip(lacking)
    assert len(list(healed(ALL))) == len(ALL) + 1
