from __future__ import annotations

import math
import re
from decimal import Decimal
from pathlib import Path

import psycopg
import pyarrow as pa
import pytest

from audiences.goal import lift
from audiences.goal.lift import ArmSample, Stratum, of_rates
from audiences.goal.report_words import p_text
from audiences.who.control import held_out

PAGE = (Path(__file__).parents[2] / "docs" / "lift.md").read_text(encoding="utf-8")
SQL = re.search(r"```sql\n(.+?)\n```", PAGE)[1]


@pytest.mark.integration
@pytest.mark.parametrize("percent", ["0.5", "10", "33.3"])
def test_the_line_of_sql_recomputes_any_assignment(postgres, percent):
    assert "\n" not in SQL
    users = [str(number) for number in range(4000, 5000)]
    query = SQL.replace("'4711'", "u").replace("10 / 100.0", f"{percent} / 100.0") + " from unnest(%s::text[]) u"
    with psycopg.connect(postgres.uri("postgres")) as connection:
        found = [truth for (truth,) in connection.execute(query.encode(), (users,))]
    assert found == held_out(pa.array(users), "abandoned_cart", Decimal(percent)).to_pylist()


def test_the_example_is_what_the_product_computes():
    example = re.search(
        r"For example: ([\d,]+) targets with ([\d,]+) converters, a control group of ([\d,]+) with (\d+)", PAGE
    )
    targets, converters, controls, conversions = (int(number.replace(",", "")) for number in example.groups())
    found = of_rates([Stratum(ArmSample(targets, converters, 0, 0), ArmSample(controls, conversions, 0, 0))])
    for words in (
        f"{100 * found.target:.2f} % and {100 * found.control:.2f} %",
        f"{100 * found.estimate:+.2f} points",
        f"boost is {100 * found.estimate / found.control:+.1f} %",
        f"conversions: {targets * found.estimate:+,.0f}",
        f"{100 * found.low:+.2f} to {100 * found.high:+.2f} points",
        f"{targets * found.low:+,.0f} to {targets * found.high:+,.0f} conversions, {p_text(found.p_value)}",
    ):
        assert words in PAGE


def test_the_sizes_are_those_of_the_formula():
    rows = re.findall(r"^\| ([\d,]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", PAGE, re.MULTILINE)
    assert len(rows) == 4
    for users, *points in rows:
        number = int(users.replace(",", ""))
        for share, shown in zip((0.05, 0.10, 0.20), points, strict=True):
            spread = math.sqrt(0.05 * 0.95 * (1 / (number * (1 - share)) + 1 / (number * share)))
            assert shown == f"{280 * spread:.2f}"


def test_the_sizes_below_which_there_are_words_are_stated():
    assert f"fewer than {lift.FEWEST_USERS} users" in PAGE
    assert f"fewer than {lift.FEWEST_CONVERTERS} converters" in PAGE
