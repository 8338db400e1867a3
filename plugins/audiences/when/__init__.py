"""When a campaign runs: recurrences, export windows, and the Airflow timetable over them."""
