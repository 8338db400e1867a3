"""What OpenLineage learns of a campaign's steps: the tables of the warehouse that are read, the audience that is written.

Airflow's OpenLineage provider asks operators themselves. It makes nothing of our asset, since it knows no `facebook://`.
What it cannot be told is None, and the log says why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audiences import connections
from audiences.airflow.harmless import harmless

if TYPE_CHECKING:
    from audiences.campaign.spec import CampaignSpec

_UNTOLD = "the lineage could not be told"


def tables_read(spec: CampaignSpec) -> Any:
    """The users and the events of the warehouse as inputs; called only where the provider is installed."""
    with harmless(_UNTOLD):
        return _lineage(inputs=_tables(spec))
    return None


def audience_written(spec: CampaignSpec, *, members: int | None = None) -> Any:
    """The same inputs, and the audience as output with its rows."""
    with harmless(_UNTOLD):
        from airflow.providers.common.compat.openlineage.facet import OutputDataset, OutputStatisticsOutputDatasetFacet

        namespace, _, name = spec.asset_uri.rpartition("/")
        facets = {} if members is None else {"outputStatistics": OutputStatisticsOutputDatasetFacet(rowCount=members)}
        return _lineage(inputs=_tables(spec), outputs=[OutputDataset(namespace, name, outputFacets=facets)])
    return None


def _lineage(**sides: Any) -> Any:
    from airflow.providers.openlineage.extractors import OperatorLineage  # type: ignore[import-not-found]  # optional

    return OperatorLineage(**sides)


def _tables(spec: CampaignSpec) -> list[Any]:
    """Named as OpenLineage names tables of Postgres: `postgres://host:port` and `database.schema.table`."""
    from airflow.providers.common.compat.openlineage.facet import Dataset

    found = connections.look_up(spec.warehouse)
    place = f"postgres://{found.host or 'localhost'}:{found.port or 5432}"
    relations = [spec.catalog.users.relation, *([spec.catalog.events.relation] if spec.catalog.events else [])]
    return [Dataset(place, ".".join(filter(None, (found.schema, _qualified(each))))) for each in relations]


def _qualified(relation: str) -> str:
    return relation if "." in relation else f"public.{relation}"
