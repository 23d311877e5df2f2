"""A large population made in SQL: one organization, one plan with three charges, many customers, a month of events."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

import asyncpg

from tallystick.ground.ids import new_id
from tallystick.ground.tables import Base
from tallystick.rooms.metering.partitions import create as create_partition

JANUARY = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Population:
    """What was made."""

    organization_id: uuid.UUID
    month_end_at: dt.datetime


async def populate(url: str, subscriptions: int, events: int, month_start: dt.datetime = JANUARY) -> Population:
    """A live organization whose subscriptions start and renew with the month; the events fill that month."""
    month_end = (month_start + dt.timedelta(days=32)).replace(day=1)
    organization = new_id()
    connection = await asyncpg.connect(url)
    await _give_defaults(connection)
    await _catalog(connection, organization, month_start)
    await connection.execute(_CUSTOMERS, organization, subscriptions, month_start)
    await connection.execute(_SUBSCRIPTIONS, organization, month_start)
    await connection.execute(_AGENDA, organization, month_end)
    await create_partition(connection, (month_start.year, month_start.month))
    await connection.execute(_EVENTS, organization, events, subscriptions, month_start)
    await connection.execute("vacuum analyze")
    await connection.close()
    return Population(organization, month_end)


async def _give_defaults(connection: asyncpg.Connection) -> None:
    """What the product fills in where nothing is said, the statements here need not say either."""
    for table in ("organizations", "billing_entities", "taxes", "customers", "plans", "charges", "subscriptions"):
        for column in Base.metadata.tables[table].columns:
            value = getattr(column.default, "arg", None)
            if isinstance(value, bool | int | str):
                await connection.execute(f"alter table {table} alter column {column.name} set default '{value}'")


async def _catalog(connection: asyncpg.Connection, organization: uuid.UUID, at: dt.datetime) -> None:
    plan = new_id()
    await connection.execute(
        "insert into organizations (id, name, slug, sandbox, hmac_key, from_email, remove_branding_watermark,"
        " customers_count, created_at, updated_at) values ($1, 'bench', 'bench', false, $2, false, true, 0, $3, $3)",
        organization, str(organization), at,
    )  # fmt: skip
    await connection.execute(_ENTITY, organization, at)
    await connection.execute(
        "insert into taxes (id, organization_id, code, name, rate, auto_generated, created_at, updated_at)"
        " values ($1, $1, 'vat', 'VAT', 20, false, $2, $2)", organization, at,
    )  # fmt: skip
    await connection.execute(
        "insert into tax_links (owner_kind, owner_id, tax_id, organization_id, created_at)"
        " values ('billing_entity', $1, $1, $1, $2)", organization, at,
    )  # fmt: skip
    await connection.execute(
        "insert into plans (id, organization_id, code, name, interval, amount_cents, amount_currency, pay_in_advance,"
        " pending_deletion, created_at, updated_at)"
        " values ($1, $2, 'p', 'Plan', 'monthly', 1000, 'EUR', false, false, $3, $3)",
        plan, organization, at,
    )  # fmt: skip
    for code, aggregation, model, properties in _CHARGES:
        metric = new_id()
        await connection.execute(
            "insert into billable_metrics (id, organization_id, code, name, aggregation_type, field_name, recurring,"
            " filters, created_at, updated_at) values ($1, $2, $3, $3, $4, 'n', false, '{}', $5, $5)",
            metric, organization, code, aggregation, at,
        )  # fmt: skip
        await connection.execute(
            "insert into charges (id, organization_id, plan_id, billable_metric_id, code, charge_model, pay_in_advance,"
            " prorated, invoiceable, min_amount_cents, accepts_target_wallet, properties, created_at, updated_at)"
            " values ($1, $2, $3, $4, $5, $6, false, false, true, 0, false, $7, $8, $8)",
            new_id(), organization, plan, metric, code, model, properties, at,
        )  # fmt: skip


_CHARGES = (
    ("calls", "count_agg", "standard", '{"amount": "0.01"}'),
    (
        "bytes",
        "sum_agg",
        "graduated",
        '{"graduated_ranges": [{"from_value": 0, "to_value": 100, "per_unit_amount": "0.1", "flat_amount": "0"},'
        ' {"from_value": 101, "to_value": null, "per_unit_amount": "0.05", "flat_amount": "1"}]}',
    ),
    ("peak", "max_agg", "package", '{"amount": "5", "package_size": 10, "free_units": 5}'),
)

_ENTITY = """
insert into billing_entities (id, organization_id, code, name, is_default, default_currency, timezone,
  document_numbering, document_number_prefix, document_sequence, finalize_zero_amount_invoice, net_payment_term,
  email_settings, eu_tax_management, einvoicing, invoice_grace_period, document_locale,
  subscription_invoice_issuing_date_anchor, subscription_invoice_issuing_date_adjustment, created_at, updated_at)
values ($1, $1, 'bench', 'bench', true, 'EUR', 'UTC', 'per_customer', 'BEN-0001', 0, true, 30, '{}', false, false, 0,
  'en', 'next_period_start', 'align_with_finalization_date', $2, $2)
"""

_CUSTOMERS = """
insert into customers (id, organization_id, billing_entity_id, external_id, sequential_id, slug, account_type,
  finalize_zero_amount_invoice, skip_invoice_custom_sections, currency, created_at, updated_at)
select gen_random_uuid(), $1, $1, 'c' || n, n, 'BEN-0001-' || n, 'customer', 'inherit', false, 'EUR', $3, $3
from generate_series(1, cast($2 as int)) n
"""

_SUBSCRIPTIONS = """
insert into subscriptions (id, organization_id, customer_id, plan_id, external_id, status, billing_time,
  subscription_at, started_at, activated_at, on_termination_invoice, consolidate_invoice, progressive_billing_disabled,
  skip_invoice_custom_sections, payment_method_type, created_at, updated_at)
select gen_random_uuid(), $1, c.id, p.id, 's' || c.sequential_id, 'active', 'calendar', $2, $2, $2, 'generate', true,
  false, false, 'provider', $2, $2
from customers c, plans p where c.organization_id = $1 and p.organization_id = $1
"""

_AGENDA = """
insert into agenda (kind, subject_id, organization_id, due_at, rank, attempts)
select 'bill', id, organization_id, $2, 2, 0 from subscriptions where organization_id = $1
"""

_EVENTS = """
insert into events
  (organization_id, id, timestamp, external_subscription_id, transaction_id, code, properties, created_at)
select $1, gen_random_uuid(), cast($4 as timestamptz) + n * interval '2.6 seconds',
  's' || (1 + n % cast($3 as int)), 't' || n,
  (array['calls', 'bytes', 'peak'])[1 + (n / cast($3 as int)) % 3],
  jsonb_build_object('n', round((random() * 100)::numeric, 3)), cast($4 as timestamptz)
from generate_series(0, cast($2 as int) - 1) n
"""
