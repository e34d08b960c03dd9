"""Does with boto 2 what a test asks for: one JSON object a line on stdin, one on stdout."""

import io
import json
import os
import sys
from urllib.parse import urlsplit

import boto
from boto.s3.connection import OrdinaryCallingFormat, S3Connection, SubdomainCallingFormat

options = json.loads(sys.argv[1])
endpoint = urlsplit(options["endpoint"])
version_4 = options["signatures"] == "v4"
if version_4:
    boto.config.add_section("s3")
    boto.config.set("s3", "use-sigv4", "True")
connection = S3Connection(
    host=endpoint.hostname,
    port=endpoint.port,
    is_secure=endpoint.scheme == "https",
    calling_format=OrdinaryCallingFormat() if options["style"] == "path" else SubdomainCallingFormat(),
)
if version_4:
    # it finds no region in a name that is not one of AWS's
    connection.auth_region_name = options["region"]
bucket = connection.get_bucket(options["bucket"])
PART = 8 << 20


def put(file, key):
    size = os.path.getsize(file)
    if size <= PART:
        bucket.new_key(key).set_contents_from_filename(file)
        return
    upload = bucket.initiate_multipart_upload(key)
    with open(file, "rb") as source:
        number = 0
        while chunk := source.read(PART):
            number += 1
            upload.upload_part_from_file(io.BytesIO(chunk), number)
    upload.complete_upload()


def move(source, to):
    bucket.copy_key(to, bucket.name, source)
    bucket.delete_key(source)


def byte_range(key, first, last):
    answer = bucket.get_key(key).get_contents_as_string(headers={"Range": f"bytes={first}-{last}"})
    return answer.hex()


commands = {
    "put": put,
    "get": lambda key, file: bucket.get_key(key).get_contents_to_filename(file),
    "remove": lambda key: bucket.delete_keys([key]).deleted[0].key,
    "list": lambda: [key.name for key in bucket.list()],
    "copy": lambda source, to: bucket.copy_key(to, bucket.name, source).name,
    "move": move,
    "range": byte_range,
    "presign": lambda key: bucket.new_key(key).generate_url(600),
}

for line in sys.stdin:
    command, *args = json.loads(line)
    try:
        answer = {"value": commands[command](*args)}
    except Exception as error:  # the test wants to know of every one
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
