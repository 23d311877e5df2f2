"""API keys: made, found by their hash, rotated, expired (customers_entitlements.md §5)."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import bindparam, func, or_, select, update

from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid, NotFound
from tallystick.ground.ids import new_id
from tallystick.ground.tables import ApiKey, Organization

RESOURCES = frozenset(
    {
        "activity_log",
        "add_on",
        "alert",
        "analytic",
        "api_log",
        "applied_coupon",
        "billable_metric",
        "billing_entity",
        "coupon",
        "credit_note",
        "customer",
        "customer_usage",
        "event",
        "feature",
        "fee",
        "invoice",
        "invoice_custom_section",
        "lifetime_usage",
        "order",
        "order_form",
        "organization",
        "payment",
        "payment_method",
        "payment_receipt",
        "payment_request",
        "plan",
        "plan_rate_card",
        "product",
        "product_category",
        "quote",
        "rate_card",
        "security_log",
        "subscription",
        "tax",
        "wallet",
        "wallet_transaction",
        "webhook_endpoint",
        "webhook_jwt_public_key",
    }
)
MODES = ("read", "write")
LAST_USE_GRAIN = dt.timedelta(hours=1)
#: notified when a key is made, rotated or revoked: processes that remember keys forget them
CHANGED = "tallystick_keys"

_BY_HASH = (
    select(
        ApiKey.id,
        ApiKey.organization_id,
        ApiKey.permissions,
        ApiKey.expires_at,
        ApiKey.last_used_at,
        Organization.sandbox,
        Organization.clock_at,
    )
    .join(Organization, Organization.id == ApiKey.organization_id)
    .where(ApiKey.key_hash == bindparam("hash"))
)


@dataclass(frozen=True, slots=True)
class Found:
    """Whom a key speaks for, and the organization's now: its test clock when it has one, else the machine's time."""

    key_id: uuid.UUID
    organization_id: uuid.UUID
    sandbox: bool
    permissions: Mapping[str, list[str]] | None
    now: dt.datetime
    expires_at: dt.datetime | None = None


def hash_key(key: str) -> bytes:
    """What is stored of a key."""
    return hashlib.sha256(key.encode()).digest()


async def identify(tx: Tx, key: str, machine_at: dt.datetime, *, record_use: bool = True) -> Found | None:
    """Whom the key speaks for; None when unknown or expired. Records its use, hourly (not for events, api.md §2)."""
    row = (await tx.execute(_BY_HASH, {"hash": hash_key(key)})).one_or_none()
    if row is None or (row.expires_at is not None and row.expires_at <= machine_at):
        return None
    if record_use and (row.last_used_at is None or row.last_used_at < machine_at - LAST_USE_GRAIN):
        await tx.execute(update(ApiKey).where(ApiKey.id == row.id).values(last_used_at=machine_at))
    now = row.clock_at if row.sandbox and row.clock_at is not None else machine_at
    return Found(row.id, row.organization_id, row.sandbox, row.permissions, now, row.expires_at)


def check_permissions(permissions: Mapping[str, object]) -> None:
    """Raise `Invalid` for a resource or mode that does not exist; `permissions` is what the caller sent."""
    for name, modes in permissions.items():
        if name not in RESOURCES or not isinstance(modes, list) or any(mode not in MODES for mode in modes):
            raise Invalid.field("permissions", "value_is_invalid")


async def create_key(
    tx: Tx,
    organization_id: uuid.UUID,
    at: dt.datetime,
    *,
    name: str | None = None,
    permissions: Mapping[str, list[str]] | None = None,
    expires_at: dt.datetime | None = None,
) -> tuple[ApiKey, str]:
    """A new key and its value, which is shown now and never again."""
    if permissions is not None:
        check_permissions(permissions)
    value = str(uuid.uuid4())
    key = ApiKey(
        id=new_id(),
        organization_id=organization_id,
        name=name,
        key_hash=hash_key(value),
        last_characters=value[-4:],
        permissions=dict(permissions) if permissions is not None else None,
        expires_at=expires_at,
        created_at=at,
    )
    tx.add(key)
    await tx.flush()
    await _announce(tx)
    return key, value


async def list_keys(tx: Tx, organization_id: uuid.UUID, at: dt.datetime) -> list[ApiKey]:
    """The valid keys of an organization, oldest first."""
    statement = (
        select(ApiKey)
        .where(ApiKey.organization_id == organization_id, or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > at))
        .order_by(ApiKey.created_at, ApiKey.id)
    )
    return list(await tx.scalars(statement))


async def rotate_key(
    tx: Tx, organization_id: uuid.UUID, key_id: uuid.UUID, at: dt.datetime, expires_at: dt.datetime | None = None
) -> tuple[ApiKey, str]:
    """A new key with default permissions; the old one ends now or at the given date."""
    key = await _find(tx, organization_id, key_id, at)
    key.expires_at = expires_at or at
    return await create_key(tx, organization_id, at, name=key.name)


async def revoke_key(tx: Tx, organization_id: uuid.UUID, key_id: uuid.UUID, at: dt.datetime) -> ApiKey:
    """End a key now; the last one without an end cannot be revoked."""
    key = await _find(tx, organization_id, key_id, at)
    others = await tx.scalar(
        select(func.count()).where(
            ApiKey.organization_id == organization_id, ApiKey.expires_at.is_(None), ApiKey.id != key_id
        )
    )
    if key.expires_at is None and not others:
        raise Invalid.field("base", "last_non_expiring_api_key")
    key.expires_at = at
    await _announce(tx)
    return key


async def _announce(tx: Tx) -> None:
    await tx.execute(select(func.pg_notify(CHANGED, "")))


async def _find(tx: Tx, organization_id: uuid.UUID, key_id: uuid.UUID, at: dt.datetime) -> ApiKey:
    key = await tx.get(ApiKey, key_id, with_for_update=True)
    ended = key is not None and key.expires_at is not None and key.expires_at <= at
    if key is None or key.organization_id != organization_id or ended:
        raise NotFound("api_key")
    return key
