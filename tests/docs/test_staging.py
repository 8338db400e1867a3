"""The lifecycle rule that docs/staging.md gives for what a lost run leaves is one that a store takes, and fits what is staged."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
import yaml

from audiences.pipeline.staging import Staging
from audiences.run_folders import run_folder

if TYPE_CHECKING:
    from tests.object_stores import S3

pytestmark = pytest.mark.integration
TEXT = (Path(__file__).resolve().parents[2] / "docs" / "staging.md").read_text(encoding="utf-8")
_PART_BYTES = 5 << 20  # the smallest that S3 takes


def test_the_documented_lifecycle_rule_is_taken_and_covers_files_and_parts_of_a_lost_run_and_nothing_else(
    s3: S3,
) -> None:
    rules = json.loads(re.findall(r"```json\n(\{\"Rules\".*?)```", TEXT, re.DOTALL)[0])
    example = re.findall(r"```yaml\n(staging:.*?)```", TEXT, re.DOTALL)[0]
    folder = yaml.safe_load(example)["staging"].removeprefix("s3://").partition("/")[2]
    bucket = s3.bucket()
    s3.client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=rules)
    kept = s3.client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert kept == rules["Rules"]

    staging = Staging(run_folder(f"s3://{bucket}/{folder}", "carts", "manual__1"))
    rows = pa.record_batch({"user_id": ["1"], "identifiers": [b"one"]})
    with staging.writer("add.parquet", rows.schema) as writer:
        writer.write_batch(rows)
    # Of a worker that is killed in the middle of a file parts are left, which no listing shows.
    killed = staging.folder.fs.open(staging.folder.file("users.parquet.unfinished"), "wb", block_size=_PART_BYTES)
    killed.write(bytes(3 * _PART_BYTES))
    s3.client.put_object(Bucket=bucket, Key=f"{folder}-of-others/add.parquet", Body=b"")

    listed = {found["Key"] for found in s3.client.list_objects_v2(Bucket=bucket)["Contents"]}
    parts = {found["Key"] for found in s3.client.list_multipart_uploads(Bucket=bucket)["Uploads"]}
    assert len(parts) == 1
    killed.close()
    ours = {key for key in listed | parts if "-of-others/" not in key}
    assert len(ours) == 2
    for rule in kept:
        prefix = rule["Filter"]["Prefix"]
        assert {key for key in listed | parts if key.startswith(prefix)} == ours, rule["ID"]
    does = {name for rule in kept for name in rule if name not in ("ID", "Status", "Filter")}
    assert does == {"AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration", "Expiration"}
