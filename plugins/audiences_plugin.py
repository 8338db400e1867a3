"""What Airflow learns from the product: the timetable of campaigns, and the listeners that tell of their outcomes."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from audiences.airflow import failures, listeners
from audiences.when.timetable import CampaignTimetable


class AudiencesPlugin(AirflowPlugin):
    """Registered by its presence in the plugins folder."""

    name = "audiences"
    timetables = [CampaignTimetable]  # noqa: RUF012  # Airflow's own attribute
    listeners = [listeners, failures]  # noqa: RUF012  # Airflow's own attribute
