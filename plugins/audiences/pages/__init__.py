"""The product's pages in the Airflow UI, and the routes that feed them. They show what the query layer says.

Nothing is decided here but who may see it.
"""
