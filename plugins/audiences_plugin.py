"""What Airflow learns from the product: the timetable of campaigns, listeners that tell of their outcomes, and the pages."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from audiences.airflow import failures, finished_dags, listeners, old_live_runs, preloading
from audiences.pages import plugin as pages
from audiences.when.timetable import CampaignTimetable, EventTimetable, WatchTimetable


class AudiencesPlugin(AirflowPlugin):
    """Registered by its presence in the plugins folder."""

    name = "audiences"
    timetables = [CampaignTimetable, EventTimetable, WatchTimetable]  # noqa: RUF012  # Airflow's own attribute
    listeners = [listeners, failures, finished_dags, old_live_runs, preloading]  # noqa: RUF012  # Airflow's own attribute
    fastapi_apps = pages.FASTAPI_APPS
    react_apps = pages.REACT_APPS
