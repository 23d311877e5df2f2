"""What can be done with webhook endpoints: create, update, delete, rotate the secret (webhooks.md §1.9, §1.10).

Not for messages and deliveries (`fan_out.py`, `deliver.py`, `log.py`).
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from tallystick.core import signing
from tallystick.ground.db import Tx, advisory_lock
from tallystick.ground.errors import NotFound, Problems
from tallystick.ground.ids import new_id, parse_id
from tallystick.ground.tables import WebhookEndpoint
from tallystick.rooms.webhooks import catalogue, store

MOST_ENDPOINTS = 10
#: of a URL; a longer one does not fit the index that keeps it unique
MOST_LETTERS = 2000
TOO_MANY = "Maximum number of webhook endpoints was reached"
ALGORITHMS = ("jwt", "hmac")
#: how long both secrets sign after a rotation
OVERLAP = dt.timedelta(hours=24)


async def find(tx: Tx, organization_id: uuid.UUID, lago_id: str) -> WebhookEndpoint:
    """An endpoint by its id; 404 `webhook_endpoint_not_found`."""
    endpoint = await store.by_id(tx, organization_id, parse_id(lago_id))
    if endpoint is None:
        raise NotFound("webhook_endpoint")
    return endpoint


async def create(tx: Tx, organization_id: uuid.UUID, at: dt.datetime, fields: Mapping[str, Any]) -> WebhookEndpoint:
    """A new endpoint with a secret of its own; `fields`: webhook_url, signature_algo, name, event_types."""
    await advisory_lock(tx, f"webhook_endpoints:{organization_id}")
    problems = Problems()
    fields = {"webhook_url": None, **fields}
    changes = await _checked(tx, organization_id, problems, fields, None)
    if await store.count(tx, organization_id) >= MOST_ENDPOINTS:
        problems.add("base", TOO_MANY)
    problems.raise_if_any()
    endpoint = WebhookEndpoint(
        id=new_id(),
        organization_id=organization_id,
        secret=_new_secret(),
        created_at=at,
        updated_at=at,
        **{"signature_algo": "jwt", **changes},
    )
    tx.add(endpoint)
    await tx.flush()
    return endpoint


async def update(tx: Tx, endpoint: WebhookEndpoint, at: dt.datetime, fields: Mapping[str, Any]) -> WebhookEndpoint:
    """Change the given fields; pending retries follow the new URL and algorithm. Enables a disabled endpoint."""
    problems = Problems()
    changes = await _checked(tx, endpoint.organization_id, problems, fields, endpoint)
    problems.raise_if_any()
    for name, value in changes.items():
        setattr(endpoint, name, value)
    endpoint.disabled_at = None
    endpoint.failing_since_at = None
    endpoint.updated_at = at
    await tx.flush()
    return endpoint


async def delete(tx: Tx, endpoint: WebhookEndpoint) -> None:
    """Remove the endpoint with its whole delivery log; what is on its way is dropped."""
    await tx.delete(endpoint)
    await tx.flush()


async def rotate_secret(tx: Tx, endpoint: WebhookEndpoint, at: dt.datetime) -> WebhookEndpoint:
    """A new Standard Webhooks secret; the one before it signs too for 24 hours."""
    endpoint.previous_secret = endpoint.secret
    endpoint.previous_secret_expires_at = at + OVERLAP
    endpoint.secret = _new_secret()
    endpoint.updated_at = at
    await tx.flush()
    return endpoint


async def set_first_endpoint(tx: Tx, organization_id: uuid.UUID, url: str | None, at: dt.datetime) -> None:
    """`webhook_url` of the organization: changes its oldest endpoint or creates one; 422 as for endpoints (§1.9)."""
    endpoint = await store.first(tx, organization_id)
    if endpoint is None:
        await create(tx, organization_id, at, {"webhook_url": url})
    else:
        await update(tx, endpoint, at, {"webhook_url": url})


async def _checked(
    tx: Tx,
    organization_id: uuid.UUID,
    problems: Problems,
    fields: Mapping[str, Any],
    endpoint: WebhookEndpoint | None,
) -> dict[str, Any]:
    """The columns that the fields change; adds to `problems` what is wrong with them."""
    changes: dict[str, Any] = {
        name: fields[name] for name in ("webhook_url", "signature_algo", "name") if name in fields
    }
    if "webhook_url" in fields:
        await _check_url(tx, organization_id, problems, fields["webhook_url"], endpoint)
    if "signature_algo" in fields and fields["signature_algo"] not in ALGORITHMS:
        problems.add("signature_algo", "value_is_invalid")
    if "event_types" in fields:
        changes["event_types"] = _event_types(problems, fields["event_types"])
    return changes


async def _check_url(
    tx: Tx, organization_id: uuid.UUID, problems: Problems, url: str | None, endpoint: WebhookEndpoint | None
) -> None:
    if url is None or not url.strip():
        problems.add("webhook_url", "value_is_mandatory", "url_is_invalid")
        return
    if not is_http_url(url):
        problems.add("webhook_url", "url_is_invalid")
        return
    if len(url) > MOST_LETTERS:
        problems.add("webhook_url", "value_is_too_long")
        return
    known = await store.by_url(tx, organization_id, url)
    if known is not None and known is not endpoint:
        problems.add("webhook_url", "value_already_exist")


def is_http_url(text: str) -> bool:
    """Whether it parses as an http or https URL with a host (webhooks.md §1.9)."""
    # urlsplit forgives blanks and control characters by dropping them; HTTP cannot carry them
    if any(character.isspace() or not character.isprintable() for character in text):
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _event_types(problems: Problems, value: Any) -> list[str] | None:
    """The stored filter: null = everything, [] = nothing (webhooks.md §1.10)."""
    if value is None:
        return None
    if not isinstance(value, list):
        problems.add("event_types", "must_be_array")
        return None
    names = catalogue.normalized(value)
    if names == [catalogue.EVERYTHING]:
        return None
    unknown = catalogue.unknown(names)
    if unknown:
        problems.add("event_types", f"contains invalid types: {json.dumps(unknown, ensure_ascii=False)}")
    return names


def _new_secret() -> str:
    return signing.secret_text(secrets.token_bytes(32))
