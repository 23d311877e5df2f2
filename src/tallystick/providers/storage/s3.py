"""Files in a bucket of S3 or of a store that speaks like it (MinIO, R2, Ceph, …). Keys mean what they mean on disk."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import obstore
from obstore.exceptions import NotFoundError
from obstore.store import S3Store

MEDIA_TYPES = {"pdf": "application/pdf", "xml": "application/xml"}


@dataclass(frozen=True, slots=True)
class Bucket:
    """Files under the keys of an object store. `link_seconds` is how long addresses live; 0 gives none away."""

    store: S3Store
    link_seconds: int

    async def put(self, key: str, content: bytes) -> None:
        """Keep the file; an object store writes it whole or not at all."""
        media_type = MEDIA_TYPES.get(key.rpartition(".")[2], "application/octet-stream")
        await obstore.put_async(self.store, key, content, attributes={"Content-Type": media_type})

    async def get(self, key: str) -> bytes | None:
        """The file; None when there is none."""
        try:
            found = await obstore.get_async(self.store, key)
        except (NotFoundError, FileNotFoundError):
            return None
        return bytes(await found.bytes_async())

    async def exists(self, key: str) -> bool:
        """Whether there is a file."""
        try:
            await obstore.head_async(self.store, key)
        except (NotFoundError, FileNotFoundError):
            return False
        return True

    async def address(self, key: str) -> str | None:
        """A signed address of the bucket's, good for `link_seconds`."""
        if not self.link_seconds:
            return None
        return await obstore.sign_async(self.store, "GET", key, dt.timedelta(seconds=self.link_seconds))


def open_bucket(
    name: str,
    *,
    endpoint: str | None,
    region: str,
    access_key_id: str | None,
    secret_access_key: str | None,
    prefix: str | None,
    link_seconds: int,
) -> Bucket:
    """A bucket; without keys those of the environment or of the machine's role are used. Connects when first used."""
    given = {"access_key_id": access_key_id, "secret_access_key": secret_access_key, "endpoint": endpoint}
    store = S3Store(
        name,
        prefix=prefix,
        region=region,
        client_options={"allow_http": bool(endpoint and endpoint.startswith("http://"))},
        **{key: value for key, value in given.items() if value is not None},  # type: ignore[arg-type]
    )
    return Bucket(store, link_seconds)
