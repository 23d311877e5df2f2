"""Documents in a bucket: the same conduct as files on disk, and signed addresses for readers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tallystick.providers.storage.s3 import Bucket, open_bucket
from tests.standins.s3 import ObjectStore
from tests.support.api import Api
from tests.support.server import Running, settings_for


@pytest.fixture(scope="module")
def objects() -> Iterator[ObjectStore]:
    store = ObjectStore()
    yield store
    store.stop()


def bucket(objects: ObjectStore, *, prefix: str | None = None, link_seconds: int = 0) -> Bucket:
    return open_bucket(
        objects.bucket,
        endpoint=objects.url,
        region="us-east-1",
        access_key_id="key",
        secret_access_key="secret",
        prefix=prefix,
        link_seconds=link_seconds,
    )


async def test_files_are_kept_and_replaced(objects: ObjectStore) -> None:
    files = bucket(objects)
    assert await files.get("a/b.pdf") is None
    assert not await files.exists("a/b.pdf")
    await files.put("a/b.pdf", b"one")
    await files.put("a/b.pdf", b"two")
    assert await files.get("a/b.pdf") == b"two"
    assert await files.exists("a/b.pdf")
    assert await files.address("a/b.pdf") is None


async def test_a_prefix_keeps_installations_apart(objects: ObjectStore) -> None:
    await bucket(objects, prefix="one").put("x.xml", b"<x/>")
    assert await bucket(objects, prefix="two").get("x.xml") is None
    assert await bucket(objects).get("one/x.xml") == b"<x/>"


async def test_signed_addresses_live_for_a_while(objects: ObjectStore) -> None:
    files = bucket(objects, link_seconds=90)
    await files.put("c/d.pdf", b"%PDF-")
    address = await files.address("c/d.pdf")
    assert address is not None
    signed = parse_qs(urlsplit(address).query)
    assert signed["X-Amz-Expires"] == ["90"]
    assert "X-Amz-Signature" in signed
    async with httpx.AsyncClient() as client:
        answer = await client.get(address)
    assert (answer.content, answer.headers["content-type"]) == (b"%PDF-", "application/pdf")


@pytest.mark.parametrize("link_seconds", [0, 60])
def test_invoices_lie_in_the_bucket(objects: ObjectStore, database_url: str, tmp_path: Path, link_seconds: int) -> None:
    settings = settings_for(
        database_url,
        tmp_path,
        s3_bucket=objects.bucket,
        s3_endpoint=objects.url,
        s3_access_key_id="key",
        s3_secret_access_key="secret",
        s3_link_seconds=link_seconds,
    )
    server = Running(settings)
    server.start()
    try:
        api = Api(server.url)
        api.at("2025-05-10T00:00:00Z")
        add_on = {"name": "S", "code": "s", "amount_cents": 100, "amount_currency": "EUR"}
        api.post("/add_ons", {"add_on": add_on})
        api.post("/customers", {"customer": {"external_id": "c", "currency": "EUR"}})
        body = {"external_customer_id": "c", "currency": "EUR", "fees": [{"add_on_code": "s"}]}
        made = api.post("/invoices", {"invoice": body})["invoice"]
        api.at("2025-05-10T00:00:01Z")
        url = api.post(f"/invoices/{made['lago_id']}/download")["invoice"]["file_url"]
        answer = httpx.get(url.replace(settings.public_api_url, server.url), follow_redirects=True)
        assert answer.content.startswith(b"%PDF-")
        assert answer.headers["content-type"] == "application/pdf"
        assert [one.status_code for one in answer.history] == ([302] if link_seconds else [])
        assert not (tmp_path / "documents").exists()
    finally:
        server.stop()
