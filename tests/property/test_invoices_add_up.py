"""Whatever is billed adds up in the database: random shops, a few months, every invoice summed by independent SQL.

Stories go over HTTP on a real PostgreSQL; the sums are written from invoicing.md §3.1 and credits.md §2.3, §2.4.
"""

from __future__ import annotations

import uuid
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from tallystick.ground.installation import Installation
from tests.support.api import Api
from tests.support.billing import add_on, bill_once, invoices
from tests.support.catalog import charge, metric, plan
from tests.support.coupons import apply, coupon
from tests.support.server import Running
from tests.support.subscriptions import customer, subscribe
from tests.support.usage_shop import event

#: each names the invoices that break a rule
RULES = {
    "header": """
        select id from invoices where organization_id = :id and status <> 'generating' and (
          sub_total_excluding_taxes_amount_cents
            <> fees_amount_cents - progressive_billing_credit_amount_cents - coupons_amount_cents
          or sub_total_including_taxes_amount_cents <> sub_total_excluding_taxes_amount_cents + taxes_amount_cents
          or total_amount_cents
            <> sub_total_including_taxes_amount_cents - credit_notes_amount_cents - prepaid_credit_amount_cents
          or total_amount_cents < 0)""",
    "fees": """
        select i.id from invoices i left join fees f on f.invoice_id = i.id and f.deleted_at is null
        where i.organization_id = :id
        group by i.id having coalesce(sum(f.amount_cents), 0) <> i.fees_amount_cents""",
    "credits": """
        select i.id from invoices i left join invoice_credits c on c.invoice_id = i.id
        where i.organization_id = :id group by i.id
        having coalesce(sum(c.amount_cents) filter (where c.kind = 'coupon'), 0) <> i.coupons_amount_cents
          or coalesce(sum(c.amount_cents) filter (where c.kind = 'credit_note'), 0) <> i.credit_notes_amount_cents
          or coalesce(sum(c.amount_cents) filter (where c.kind = 'invoice'), 0)
            <> i.progressive_billing_credit_amount_cents""",
    "taxes of fees": """
        select f.id from fees f left join fee_taxes t on t.fee_id = f.id where f.organization_id = :id
        group by f.id
        having f.taxes_amount_cents
          <> coalesce(round(sum((f.amount_cents - f.precise_coupons_amount_cents) * t.tax_rate / 100)), 0)""",
    "taxes of invoices": """
        select i.id from invoices i
        left join fees f on f.invoice_id = i.id and f.deleted_at is null left join fee_taxes t on t.fee_id = f.id
        where i.organization_id = :id and i.invoice_type <> 'advance_charges' group by i.id
        having i.taxes_amount_cents
          <> coalesce(round(sum((f.amount_cents - f.precise_coupons_amount_cents) * t.tax_rate / 100)), 0)""",
    "rows of taxes": """
        select r.id from invoice_taxes r join invoices i on i.id = r.invoice_id
        join fees f on f.invoice_id = i.id and f.deleted_at is null
        join fee_taxes t on t.fee_id = f.id and t.tax_code = r.tax_code
        where i.organization_id = :id and i.invoice_type <> 'advance_charges' group by r.id
        having r.amount_cents <> round(sum((f.amount_cents - f.precise_coupons_amount_cents) * t.tax_rate / 100))
          or r.fees_amount_cents <> trunc(sum(f.amount_cents - f.precise_coupons_amount_cents))""",
    "discounts of fees": """
        select i.id from invoices i join fees f on f.invoice_id = i.id and f.deleted_at is null
        where i.organization_id = :id and i.progressive_billing_credit_amount_cents = 0 group by i.id
        having abs(sum(f.precise_coupons_amount_cents) - i.coupons_amount_cents) >= 2
          or bool_or(f.precise_coupons_amount_cents > f.amount_cents or f.precise_coupons_amount_cents < 0)""",
    "nothing to pay is paid": """
        select id from invoices where organization_id = :id and status = 'finalized' and total_amount_cents = 0
          and payment_status <> 'succeeded'""",
    "numbers": """
        select customer_id from invoices where organization_id = :id and sequential_id is not null
        group by customer_id, billing_entity_id
        having count(*) <> max(sequential_id) or count(distinct number) <> count(*)""",
    "coupons used once": """
        select a.id from applied_coupons a join invoice_credits c on c.source_id = a.id
        join invoices i on i.id = c.invoice_id and i.status not in ('voided', 'closed', 'deleted')
        where a.organization_id = :id and a.frequency = 'once' and a.amount_cents is not null
        group by a.id having sum(c.amount_cents) > a.amount_cents""",
    "periods billed twice": """
        select min(f.id::text) from fees f join invoices i on i.id = f.invoice_id and i.status <> 'voided'
        where f.organization_id = :id and f.fee_type = 'subscription' and f.live
        group by f.subscription_id, f.period_from_at having count(*) > 1""",
    "events priced once": """
        select min(f.id::text) from fees f where f.organization_id = :id and f.live
          and f.event_transaction_id is not null
        group by f.subscription_id, f.event_transaction_id, f.charge_id, f.charge_filter_id having count(*) > 1""",
}

cents = st.integers(0, 5000)
rates = st.sampled_from([0, 5.5, 19.6, 20])
prices = st.sampled_from(["0", "0.005", "0.333", "1.99", "12.5"])


@st.composite
def shops(draw: st.DrawFn) -> dict[str, Any]:
    """What is sold, to whom, at which discounts, and what is used of it."""
    return {
        "in_advance": draw(st.booleans()),
        "amount": draw(cents),
        "prices": draw(st.lists(prices, min_size=1, max_size=3)),
        "minimum": draw(st.sampled_from([0, 777])),
        "commitment": draw(st.sampled_from([None, 4321])),
        "seats": draw(st.sampled_from([None, (3, False, False), (5, True, True)])),
        "threshold": draw(st.sampled_from([None, 300])),
        "instant": draw(st.booleans()),
        "taxes": draw(st.lists(rates, max_size=2, unique=True)),
        "coupons": draw(
            st.lists(st.sampled_from(["percentage", "fixed", "limited", "forever"]), max_size=3, unique=True)
        ),
        "grace": draw(st.sampled_from([0, 3])),
        "zone": draw(st.sampled_from(["UTC", "America/New_York", "Asia/Tokyo"])),
        "used": draw(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 90)), max_size=6)),
        "bought": draw(st.lists(st.tuples(cents, st.sampled_from(["1", "2.5", "0.333"])), max_size=2)),
        "voided": draw(st.booleans()),
    }


def open_shop(api: Api, shop: dict[str, Any]) -> None:
    """The catalog and the customer, who subscribes on 10 June."""
    api.at("2025-06-10T09:00:00Z")
    for place, rate in enumerate(shop["taxes"]):
        api.post("/taxes", {"tax": {"name": f"t{place}", "code": f"t{place}", "rate": rate}})
    add_on(api, "seat", 1000)
    used = metric(api, "used", "sum_agg", field_name="n")
    instant = metric(api, "instant", "sum_agg", field_name="n")
    tiers = [
        {"from_value": 0, "to_value": 10, "per_unit_amount": shop["prices"][0], "flat_amount": "0.5"},
        {"from_value": 11, "to_value": None, "per_unit_amount": shop["prices"][-1], "flat_amount": "0"},
    ]
    charges = [
        charge(used, properties={"amount": shop["prices"][0]}, min_amount_cents=shop["minimum"]),
        charge(used, "graduated", properties={"graduated_ranges": tiers}, code="tiers"),
    ]
    if shop["instant"]:
        charges.append(charge(instant, properties={"amount": "0.333"}, pay_in_advance=True))
    more: dict[str, Any] = {}
    if shop["seats"]:
        units, prorated, ahead = shop["seats"]
        seat = {"add_on_code": "seat", "charge_model": "standard", "units": units, "properties": {"amount": "3.33"}}
        more["fixed_charges"] = [{**seat, "prorated": prorated, "pay_in_advance": ahead}]
    if shop["commitment"]:
        more["minimum_commitment"] = {"amount_cents": shop["commitment"]}
    if shop["threshold"]:
        more["usage_thresholds"] = [{"amount_cents": shop["threshold"]}]
    plan(api, amount_cents=shop["amount"], pay_in_advance=shop["in_advance"], charges=charges, **more)
    customer(
        api,
        currency="EUR",
        timezone=shop["zone"],
        tax_codes=[f"t{place}" for place in range(len(shop["taxes"]))],
        billing_configuration={"invoice_grace_period": shop["grace"]},
    )
    _give_coupons(api, shop["coupons"])
    subscribe(api)


def _give_coupons(api: Api, names: list[str]) -> None:
    terms: dict[str, dict[str, Any]] = {
        "percentage": {"percentage_rate": "33.333"},
        "fixed": {"amount_cents": 1234},
        "limited": {"percentage_rate": "12.5", "frequency": "forever", "applies_to": {"plan_codes": ["p"]}},
        "forever": {"amount_cents": 99, "frequency": "forever"},
    }
    for name in names:
        coupon(api, name, **terms[name])
        apply(api, name, "c")


def live(api: Api, shop: dict[str, Any]) -> None:
    """Three months: usage, purchases, and perhaps a void with a new invoice in its place."""
    names = ["used", "instant"] if shop["instant"] else ["used"]
    for day, (count, amount) in enumerate(shop["used"]):
        api.at(f"2025-06-{12 + 2 * day:02d}T12:00:00Z")
        event(api, names[day % len(names)], n=count + amount / 8)
    for amount, units in shop["bought"]:
        bill_once(api, [{"add_on_code": "seat", "unit_amount_cents": amount, "units": units}])
    api.at("2025-08-10T00:00:00Z")
    issued = [row for row in invoices(api) if row["status"] == "finalized"]
    if shop["voided"] and issued:
        oldest = issued[0]
        api.post(f"/invoices/{oldest['lago_id']}/void")
        lines = [{"id": fee["lago_id"]} for fee in oldest["fees"]]
        if lines:
            api.post(f"/invoices/{oldest['lago_id']}/regenerate", {"fees": lines})
    api.at("2025-09-10T00:00:00Z")


async def test_every_invoice_adds_up(running: Running, installation: Installation) -> None:
    """A few shops, others in each run; a failure names the shop and the rule."""
    found: list[tuple[str, dict[str, Any]]] = []

    @settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
    @given(shops())
    def tell(shop: dict[str, Any]) -> None:
        api = Api(running.url)
        open_shop(api, shop)
        live(api, shop)
        found.append((api.organization["lago_id"], shop))

    tell()
    async with installation.database.begin() as tx:
        for organization_id, shop in found:
            own = {"id": uuid.UUID(organization_id)}
            for name, rule in RULES.items():
                assert not (await tx.execute(text(rule), own)).all(), (name, shop)
            made = await tx.scalar(text("select count(*) from invoices where organization_id = :id"), own)
            assert made, shop
