"""The archive in a bucket, spoken to over HTTP."""

from __future__ import annotations

import random
import re

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.errors import EaselError, StoreUnavailable
from bot.imaging.archive import Archive, ArchiveUnreadable, PictureMissing, key_for
from bot.imaging.pictures import MediaType

KEY = key_for("k3x9qa2mzp", 1, MediaType.JPEG)


class BucketServer:
    """A stand-in for S3 on loopback: one bucket, path-style, no signatures checked."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.refuses = False
        self.reads = 0

    async def answer(self, request: web.Request) -> web.Response:
        body, path = await request.read(), request.path
        if self.refuses:
            return web.Response(status=403)
        if request.method == "PUT":
            self.objects[path] = body
            return web.Response(headers={"ETag": '"1"'})
        if request.method == "POST":
            keys = re.findall("<Key>(.*?)</Key>", body.decode())
            for key in keys:
                self.objects.pop(f"/easel/{key}", None)
            deleted = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
            return web.Response(text=f"<DeleteResult>{deleted}</DeleteResult>")
        if path not in self.objects:
            return web.Response(status=404)
        self.reads += request.method == "GET"
        headers = {"ETag": '"1"', "Last-Modified": "Fri, 20 Nov 2026 12:00:00 GMT"}
        return web.Response(body=self.objects[path], headers=headers)


@pytest.fixture
async def bucket(monkeypatch):
    bucket = BucketServer()
    async with TestServer(_application(bucket), host="127.0.0.1") as server:
        environment = {
            "AWS_ACCESS_KEY_ID": "id",
            "AWS_SECRET_ACCESS_KEY": "canary-key",
            "AWS_REGION": "eu-central-1",
            "AWS_ENDPOINT": f"http://127.0.0.1:{server.port}",
            "AWS_ALLOW_HTTP": "true",
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield bucket


def _application(bucket: BucketServer) -> web.Application:
    application = web.Application(client_max_size=20_000_000)
    application.router.add_route("*", "/{path:.*}", bucket.answer)
    return application


async def test_a_bucket_over_http(bucket):
    data = random.Random(1).randbytes(9_000_000)
    async with Archive.open("s3://easel/pictures") as archive:
        await archive.check()
        assert bucket.objects == {}, "no probe is left behind"
        await archive.put({KEY: data})
        assert bucket.objects == {f"/easel/pictures/{KEY}": data}
        assert await archive.exists(KEY)
        assert await archive.get(KEY) == [data]
        await archive.delete(KEY)
        assert not await archive.exists(KEY)
        with pytest.raises(PictureMissing):
            await archive.get(KEY)


async def test_what_was_just_put_is_not_read_for_its_first_use(bucket):
    async with Archive.open("s3://easel/pictures") as archive:
        await archive.put({KEY: b"x"})
        assert await archive.get(KEY) == [b"x"]
        assert bucket.reads == 0, "that takes time, and is billed"
        assert await archive.get(KEY) == [b"x"]
        assert bucket.reads == 1


async def test_a_bucket_that_refuses_is_a_refusal_without_secrets(bucket):
    bucket.refuses = True
    async with Archive.open("s3://me:canary-word@easel/pictures") as archive:
        with pytest.raises(StoreUnavailable) as put:
            await archive.put({KEY: b"x"})
        with pytest.raises(ArchiveUnreadable) as get:
            await archive.get(KEY)
        with pytest.raises(EaselError, match="the bucket s3://easel/pictures") as check:
            await archive.check()
    assert "403 Forbidden" in put.value.operator
    for caught in (put, get, check):
        text = f"{caught.value.sentence} {caught.value.operator}"
        assert "canary" not in text
        assert "\n" not in text
        assert caught.value.__cause__ is None
