"""Airflow operators, a module for each kind of work."""
