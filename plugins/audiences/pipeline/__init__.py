"""One run as six steps: open, extract, select, plan, export, close. Airflow's tasks and `audiences run` call the same ones."""
