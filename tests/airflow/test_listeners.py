"""What Airflow's pages show of texts of others, in a run's note and about a DAG."""

from __future__ import annotations

import pytest
from tests.campaign.conftest import CAMPAIGN, folder  # noqa: F401  # a fixture

from audiences.airflow import listeners
from audiences.airflow.campaign_dag import campaign_dag

pytestmark = pytest.mark.integration  # importing Airflow takes a second or two


@pytest.mark.parametrize(
    ("said", "note"),
    [
        ("carts\n# forged\r\n- x", "carts # forged - x"),
        ("<b>x</b> <!-- y --> 1 < 2", "< b>x< /b> < !-- y --> 1 < 2"),
        ("![x](http://y) [a][b] [e-mail]", "![x] (http://y) [a] [b] [e-mail]"),
        ("\x1b[2J\u202eZoë\u2028x", "�[2J�Zoë x"),
    ],
)
def test_in_a_note_no_name_begins_a_line_hides_or_acts(said, note):
    assert listeners.in_markdown(said) == note


def test_a_dag_is_called_on_one_line_what_its_file_says(folder):  # noqa: F811  # a fixture
    name = r"Zoë\n2026-11-29 [ERROR] forged \u202e"
    more = f'name: "{name}"\ndescription: "{name}"\nowner: "{name}"\ntags: ["{name}"]\n'
    folder.campaign(CAMPAIGN.replace("name: Test\n", more, 1))
    dag = campaign_dag(folder.spec(), folder.root)
    for said in (dag.dag_display_name, dag.description, dag.owner, *dag.tags):
        assert said.isprintable()
