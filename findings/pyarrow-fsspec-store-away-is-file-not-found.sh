#!/usr/bin/env bash
# pyarrow 26.0.1 over fsspec 2026.9.0 (here s3fs): a file in a store that does not answer is a FileNotFoundError in
# pyarrow. FSSpecHandler.open_input_file asks `fs.isfile` first, and fsspec's `isfile` is False on any exception; pyarrow then
# raises FileNotFoundError(path), without a cause. The same file opened through fsspec itself raises what really happened.
# A program that takes a missing file for gone, and a lost connection for something to try again, does the wrong one.
#
# Seen:    an S3 server is stopped between two reads of a Parquet file. s3fs: EndpointConnectionError; pyarrow.dataset, which
#          had read the same file a moment before: FileNotFoundError.
# Guard:   exit 1 if pyarrow tells the lost connection from a missing file.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check pyarrow==26.0.1 s3fs==2026.9.0 'moto[server]==5.2.5'
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import logging
import sys

import fsspec
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from moto.server import ThreadedMotoServer

logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer(port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
options = {"endpoint_url": f"http://{host}:{port}"}
options["config_kwargs"] = {"retries": {"max_attempts": 1}}
files = fsspec.filesystem("s3", key="key", secret="secret", use_listings_cache=False, **options)
files.retries = 1
files.mkdir("shop")
name = "shop/numbers.parquet"
pq.write_table(pa.table({"number": [1, 2, 3]}), name, filesystem=files)
numbers = ds.dataset([name], filesystem=files, format="parquet")
print(f"pyarrow {pa.__version__}, fsspec {fsspec.__version__}")
print(f"while the server answers: {numbers.count_rows()} rows")
server.stop()


def error_of(read) -> str:
    try:
        read()
    except Exception as error:
        return type(error).__name__
    return "none"


by_fsspec = error_of(lambda: files.open(name).read())
by_pyarrow = error_of(lambda: ds.dataset([name], filesystem=files, format="parquet", schema=numbers.schema).to_table())
print(f"after it has been stopped: fsspec raises {by_fsspec}, pyarrow raises {by_pyarrow}")
sys.exit(0 if by_pyarrow == "FileNotFoundError" != by_fsspec else "the behaviour has changed")
PYTHON
