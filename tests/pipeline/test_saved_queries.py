"""SQL segments are put before the warehouse before anything of a run happens; what is refused says so as `validate` would."""

from __future__ import annotations

import pytest

from audiences.errors import ConfigError

pytestmark = pytest.mark.integration


def campaign(shop, sql):
    shop.user(1, "one@example.com")
    shop.event(1)
    return shop.campaign(who={"segment": "saved"}, segments={"saved": {"sql": sql}})


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("select id as user_id\nfrom users\nwhere and x\n", "include/segments/saved.sql:3:7: the warehouse refuses it"),
        (
            "select id as user_id from users where pg_sleep(1) is null\n",
            "include/segments/saved.sql:1:39: calls `pg_sleep`",
        ),
        ("select id as user_id, email from users\n", "include/segments/saved.sql: must return exactly one column"),
    ],
)
def test_a_query_that_is_refused_stops_a_run_before_anything_is_made(shop, sql, said):
    spec = campaign(shop, sql)
    with pytest.raises(ConfigError) as caught:
        shop.preview(spec)
    assert str(caught.value).startswith(said)
    with pytest.raises(ConfigError, match=r"include/segments/saved.sql:"):
        shop.run(spec)
    assert not [each for each in shop.sandbox.admin.requests() if each["method"] == "POST"]


def test_a_query_that_is_read_runs(shop):
    spec = campaign(shop, "select id as user_id from users where @ (id - 5) = 4 -- :x, 100 %\n")
    assert shop.run(spec).outcomes["targeted"] == 1
