"""A view of the warehouse that quotes an address in its error: the address comes into no summary, no record and no log."""

from __future__ import annotations

import pytest
from tests.pipeline.test_erase import ledger_text

from audiences.pipeline.explain import explain
from audiences.warehouse.reader import WarehouseQueryError

pytestmark = pytest.mark.integration


@pytest.fixture(params=["P0001", "42703", "08006", "53100"])
def quoting(shop, request):
    """The users behind a view that raises with that SQLSTATE, in the words of another language."""
    shop.user(1, "erika@example.com")
    shop.event(1)
    shop.sql(
        "create function fails(email text) returns text language plpgsql as $$ begin"
        f" raise exception using errcode = '{request.param}', message = 'Spalte »' || email || '« existiert nicht'; end $$"
    )
    shop.sql("alter table users rename to people")
    shop.sql("create view users as select id, fails(email) as email, phone, tier, age, opted_out from people")
    return shop


def test_a_run_a_preview_and_an_explanation_quote_nothing(quoting, caplog):
    caplog.set_level("DEBUG")
    spec = quoting.campaign()
    summary = quoting.run(spec)
    assert summary.state == "failed"
    assert "SQLSTATE" in summary.error
    said = [summary.error, summary.model_dump_json(), ledger_text(quoting)]
    with pytest.raises(Exception, match="SQLSTATE") as caught:
        quoting.preview(spec)
    said.append(str(caught.value))
    with quoting.resources(spec, read_only=True) as resources, pytest.raises(Exception, match="SQLSTATE") as caught:
        explain(resources, "1", quoting.noon)
    said.append(str(caught.value))
    for text in (*said, caplog.text):
        assert "erika" not in text
        assert "Spalte" not in text


def test_what_a_function_said_is_to_be_found_in_the_databases_log(quoting):
    if "P0001" not in str(quoting.sql("select prosrc from pg_proc where proname = 'fails'")):
        pytest.skip("the other SQLSTATEs have words of their own")
    with pytest.raises(WarehouseQueryError, match="the database's own log has it"):
        quoting.preview(quoting.campaign())
