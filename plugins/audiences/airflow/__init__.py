"""Airflow's view of campaigns: a DAG per campaign file, a task per step. No business logic."""
