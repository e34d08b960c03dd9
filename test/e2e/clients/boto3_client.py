"""Does with boto3 what a test asks for: one JSON object a line on stdin, one on stdout."""

import json
import os
import sys

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

options = json.loads(sys.argv[1])
s3 = boto3.client(
    "s3",
    endpoint_url=options["endpoint"],
    region_name=options["region"],
    verify=options["ca"],
    config=Config(
        # presigned URLs are SigV2 without this, for an endpoint that is not AWS's
        signature_version="s3v4",
        s3={"addressing_style": "path" if options["style"] == "path" else "virtual"},
        retries={"max_attempts": 1},
    ),
)
bucket = options["bucket"]
parts = TransferConfig(multipart_threshold=8 << 20, multipart_chunksize=8 << 20)


def listed():
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 7})
    return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


def copy(source, to):
    s3.copy({"Bucket": bucket, "Key": source}, bucket, to, Config=parts)


def move(source, to):
    copy(source, to)
    s3.delete_object(Bucket=bucket, Key=source)


def byte_range(key, first, last):
    answer = s3.get_object(Bucket=bucket, Key=key, Range=f"bytes={first}-{last}")
    return answer["Body"].read().hex()


commands = {
    "put": lambda file, key: s3.upload_file(file, bucket, key, Config=parts),
    "get": lambda key, file: s3.download_file(bucket, key, file, Config=parts),
    "remove": lambda key: s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key}]})["Deleted"][0]["Key"],
    "list": listed,
    "copy": copy,
    "move": move,
    "range": byte_range,
    "presign": lambda key: s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": key}, ExpiresIn=600),
}

for line in sys.stdin:
    command, *args = json.loads(line)
    try:
        answer = {"value": commands[command](*args)}
    except Exception as error:  # the test wants to know of every one
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
