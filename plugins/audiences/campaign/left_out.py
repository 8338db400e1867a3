"""Why campaigns are left out when a project is read, as errors of their files: none takes another campaign along."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

from audiences.campaign.checks.event_rules import BLOCKED
from audiences.campaign.files import CampaignPath
from audiences.campaign.wording import bare
from audiences.errors import ConfigError, Problem


def not_yet_read(files: Iterable[str]) -> NoReturn:
    """Raises ConfigError: there was no time for this campaign."""
    message = (
        "was not yet read: the files together take longer than Airflow's `[core] dagbag_import_timeout` leaves; raise that and "
        "`[dag_processor] dag_file_processor_timeout`, make the largest files smaller, or give each brand a DAG file of its own"
    )
    raise ConfigError(tuple(Problem(file, 0, 0, "", "not-yet-read", message) for file in files))


def unforeseen(files: list[CampaignPath], error: Exception) -> ConfigError:
    """Of a campaign whose check failed for none of its own mistakes."""
    message = f"could not be checked, which is a mistake of this product: {type(error).__name__}: {bare(str(error))}"
    return ConfigError(tuple(Problem(file.name, 0, 0, "", "not-checked", message) for file in files))


def by_file(error: ConfigError) -> dict[str, ConfigError]:
    """The error of each file."""
    files = dict.fromkeys(problem.file for problem in error.problems)
    return {file: ConfigError(tuple(each for each in error.problems if each.file == file)) for file in files}


def waiting(files: list[list[CampaignPath]], error: ConfigError) -> dict[str, ConfigError]:
    """Every campaign, when a shared file is wrong."""
    culprits = " and ".join(dict.fromkeys(problem.file for problem in error.problems))
    message = f"cannot be checked before {culprits} is right; {error.problems[0]}"
    names = [each.name for found in files for each in found]
    return {name: ConfigError((Problem(name, 0, 0, "", BLOCKED, message),)) for name in names}
