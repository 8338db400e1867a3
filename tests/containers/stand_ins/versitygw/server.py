"""An S3 at VGW_PORT that keeps its objects in a folder: `server.py posix FOLDER`, as versitygw is called.

moto's server has them in memory; after every request that changes something, what it has of that bucket or key goes to disk,
and is read again at the start. Requests with another access key than ROOT_ACCESS_KEY are refused.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, unquote

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import s3_backends
from werkzeug.serving import run_simple

if TYPE_CHECKING:
    from collections.abc import Iterable

FOLDER = Path(sys.argv[2])
STORE = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
MOTO = DomainDispatcherApplication(create_backend_app)


def restore() -> None:
    """Put what is on disk into memory."""
    for bucket in FOLDER.iterdir():
        STORE.create_bucket(bucket.name, "us-east-1")
        for file in bucket.iterdir():
            STORE.put_object(bucket.name, unquote(file.name), file.read_bytes())


def save(bucket: str, key: str) -> None:
    """Have on disk what is in memory of a key, or of all keys of a bucket when it is empty."""
    folder = FOLDER / bucket
    if bucket not in STORE.buckets:
        return
    folder.mkdir(exist_ok=True)
    there = {quote(name, safe=""): name for name in ([key] if key else list(STORE.buckets[bucket].keys))}
    for file, name in there.items():
        found = STORE.get_object(bucket, name)
        if found is None:
            (folder / file).unlink(missing_ok=True)
        else:
            (folder / f"{file}.new").write_bytes(found.value)
            (folder / f"{file}.new").rename(folder / file)
    if not key:
        for file in {one.name for one in folder.iterdir()} - there.keys():
            (folder / file).unlink()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """WSGI."""
    if environ["PATH_INFO"] == "/health":
        start_response("200 OK", [])
        return [b"ok"]
    if f"Credential={os.environ['ROOT_ACCESS_KEY']}/" not in environ.get("HTTP_AUTHORIZATION", ""):
        start_response("403 Forbidden", [("Content-Type", "application/xml")])
        return [b"<Error><Code>InvalidAccessKeyId</Code><Message>another key is wanted</Message></Error>"]
    answer = list(MOTO(environ, start_response))
    if environ["REQUEST_METHOD"] in ("PUT", "POST", "DELETE"):
        bucket, _, key = environ["PATH_INFO"].lstrip("/").partition("/")
        parts = {"uploads", "partNumber"} & parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True).keys()
        if bucket and not parts:
            save(bucket, key)
    return answer


if __name__ == "__main__":
    restore()
    run_simple("0.0.0.0", int(os.environ["VGW_PORT"].lstrip(":")), application, threaded=True)  # a container's
