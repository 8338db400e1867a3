"""Every file under campaigns/ becomes a DAG of that name; a file that is wrong becomes an import error of its own.

A brand, which is a folder in campaigns/, may have a DAG file of its own beside this one: docs/distributed.md.
"""

from __future__ import annotations

from audiences.airflow.loader import campaign_dags

campaign_dags(__file__)
