#!/usr/bin/python3
"""Writes boto.json: requests as two public signers of version 2 sign them.

boto is Debian's python3-boto 2.49, botocore Debian's python3-botocore 1.29. Run
`python3 make.py > boto.json` where both are installed; times are fixed, so the output is always the same. What is sent is
recorded by taking the place of the network.

"fault": botocore since its endpoint rules (1.28) takes the fixed part of a query into the path that it signs
(`/a-bucket?delete?delete`). No server can verify that; such requests are here to show it.
"""

import json
import sys
from unittest import mock

import boto
import botocore
import botocore.session
from boto.s3.connection import OrdinaryCallingFormat, S3Connection, SubdomainCallingFormat
from botocore.awsrequest import AWSResponse
from botocore.config import Config

KEYS = {"accessKeyId": "AKIAIOSFODNN7EXAMPLE", "secretAccessKey": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
NOW = 1_700_000_000
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"
HOST = "s3.example.com"
KEY = "a b+c/ü%2F//../@=&;~'()*"
out = []


def record(signer, name, method, target, headers):
    wanted = [[k, v if isinstance(v, str) else v.decode("latin-1")] for k, v in headers if not k.lower().startswith(("user-agent", "amz-sdk-"))]
    out.append({"signer": signer, "name": name, "method": method, "target": target, "headers": wanted})


def split(url):
    scheme, rest = url.split("://", 1)
    host, path = rest.split("/", 1)
    return host.removesuffix(":443"), "/" + path


# --- boto 2 --------------------------------------------------------------------------------------------------------
def boto2(style):
    return S3Connection(
        KEYS["accessKeyId"], KEYS["secretAccessKey"], host=HOST, is_secure=True, calling_format=style(), validate_certs=False
    )


class Stop(Exception):
    pass


def boto2_sent(name, style, act):
    connection = boto2(style)

    def send(self, request, *args, **kwargs):
        request.authorize(connection=self)
        headers = list(request.headers.items())
        if not any(k.lower() == "host" for k, _ in headers):
            headers.append(("Host", request.host.removesuffix(":443")))
        record("boto 2", name, request.method, request.path, headers)
        raise Stop

    with mock.patch.object(S3Connection, "_mexe", send):
        try:
            act(connection)
        except Stop:
            pass


with mock.patch("boto.auth.formatdate", lambda **_: DATE), mock.patch("time.time", lambda: NOW):
    for style in (OrdinaryCallingFormat, SubdomainCallingFormat):
        kind = "path style" if style is OrdinaryCallingFormat else "virtual-hosted"
        bucket = lambda c: c.get_bucket("a-bucket", validate=False)
        boto2_sent(f"list, {kind}", style, lambda c: bucket(c).get_all_keys(prefix="p q", max_keys=5))
        boto2_sent(f"acl of an object, {kind}", style, lambda c: bucket(c).get_acl(KEY))
        boto2_sent(
            f"put, {kind}",
            style,
            lambda c: c.make_request(
                "PUT", "a-bucket", KEY, headers={"Content-Type": "text/plain", "x-amz-meta-Farbe": "rot", "x-amz-acl": "private"}
            ),
        )
        boto2_sent(
            f"copy, {kind}",
            style,
            lambda c: bucket(c).copy_key("target", "a-bucket", "source é", metadata={"b": "2", "a": "1"}),
        )
        boto2_sent(f"start of a multipart upload, {kind}", style, lambda c: bucket(c).initiate_multipart_upload(KEY))
        boto2_sent(
            f"batch delete, {kind}", style, lambda c: c.make_request("POST", "a-bucket", query_args="delete", headers={"Content-MD5": "4gJE4saaMU4BqNR0kLY+lw=="})
        )
        boto2_sent(
            f"a part, {kind}",
            style,
            lambda c: c.make_request("PUT", "a-bucket", KEY, query_args="uploadId=u.k1.bWFpbg.djE&partNumber=2"),
        )
        connection = boto2(style)
        for name, method, more in [
            ("get", "GET", {}),
            ("get of a version with other headers", "GET", {"version_id": "v1", "response_headers": {"response-content-type": "text/x;a=b", "response-content-disposition": 'attachment; filename="ü & co.txt"'}}),
            ("put with x-amz headers in the query", "PUT", {"headers": {"x-amz-acl": "public-read", "x-amz-meta-note": "a  b"}}),
        ]:
            url = connection.generate_url(600, method, "a-bucket", KEY, **more)
            host, target = split(url)
            record("boto 2", f"presigned {name}, {kind}", method, target, [("Host", host)])

# --- botocore ------------------------------------------------------------------------------------------------------
with mock.patch("botocore.auth.formatdate", lambda **_: DATE), mock.patch("botocore.auth.time.time", lambda: NOW):
    for style in ("path", "virtual"):
        client = botocore.session.get_session().create_client(
            "s3",
            region_name="us-east-1",
            endpoint_url=f"https://{HOST}",
            aws_access_key_id=KEYS["accessKeyId"],
            aws_secret_access_key=KEYS["secretAccessKey"],
            config=Config(signature_version="s3", s3={"addressing_style": style}, retries={"total_max_attempts": 1}),
        )
        kind = "path style" if style == "path" else "virtual-hosted"

        def answer(request, **_):
            host, target = split(request.url)
            record("botocore", f"{current}, {kind}", request.method, target, [*request.headers.items(), ("Host", host)])
            raise Stop

        client.meta.events.register("before-send.s3", answer)
        where = {"Bucket": "a-bucket", "Key": KEY}
        for current, act in [
            ("put", lambda: client.put_object(**where, Body=b"body", ContentType="text/plain", Metadata={"b": "2", "a": "1"})),
            ("get of a version", lambda: client.get_object(**where, VersionId="v 1", ResponseContentType="text/x;a=b", Range="bytes=0-1")),
            ("list", lambda: client.list_objects(Bucket="a-bucket", Prefix="p q")),
            ("question for a bucket", lambda: client.head_bucket(Bucket="a-bucket")),
            ("a part", lambda: client.upload_part(**where, UploadId="u.k1.bWFpbg.djE", PartNumber=2, Body=b"body")),
            ("copy", lambda: client.copy_object(**where, CopySource={"Bucket": "a-bucket", "Key": "source é"})),
            ("buckets", lambda: client.list_buckets()),
            ("fault, ListObjectsV2", lambda: client.list_objects_v2(Bucket="a-bucket", Prefix="p q")),
            ("fault, batch delete", lambda: client.delete_objects(Bucket="a-bucket", Delete={"Objects": [{"Key": "x"}]})),
            ("fault, start of a multipart upload", lambda: client.create_multipart_upload(**where)),
            ("fault, lifecycle", lambda: client.get_bucket_lifecycle_configuration(Bucket="a-bucket")),
        ]:
            try:
                act()
            except Stop:
                pass
        for name, operation, more in [
            ("get", "get_object", {}),
            ("get of a version with other headers", "get_object", {"VersionId": "v 1", "ResponseContentDisposition": 'attachment; filename="ü & co.txt"'}),
            ("put with x-amz headers in the query", "put_object", {"ACL": "public-read", "Metadata": {"note": "a b"}}),
            ("delete", "delete_object", {}),
        ]:
            url = client.generate_presigned_url(operation, Params={**where, **more}, ExpiresIn=600)
            host, target = split(url)
            method = {"get": "GET", "put": "PUT", "delete": "DELETE"}[operation.split("_")[0]]
            record("botocore", f"presigned {name}, {kind}", method, target, [("Host", host)])
        url = client.generate_presigned_url("put_object", Params={**where, "ContentType": "text/plain"}, ExpiresIn=600)
        host, target = split(url)
        record("botocore", f"presigned put of a type, {kind}", "PUT", target, [("Host", host), ("Content-Type", "text/plain")])

json.dump(
    {"source": f"boto {boto.__version__}, botocore {botocore.__version__}; made by make.py", **KEYS, "baseDomains": [HOST], "now": NOW, "requests": out},
    sys.stdout,
    indent=2,
    ensure_ascii=False,
)
print()
