"""First and second invoices of every interval and billing time, arrears and advance (subscriptions.md §3.3)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api

NOMINAL = {"weekly": 7_000, "monthly": 30_000, "quarterly": 90_000, "semiannual": 180_000, "yearly": 365_000}

# interval, billing time, last day of the first window, its fee, tick 1, last day of the second window, tick 2
ROWS = [
    ("weekly", "calendar", "2024-02-18", 5_000, "2024-02-19", "2024-02-25", "2024-02-26"),
    ("weekly", "anniversary", "2024-02-20", 7_000, "2024-02-21", "2024-02-27", "2024-02-28"),
    ("monthly", "calendar", "2024-02-29", 16_552, "2024-03-01", "2024-03-31", "2024-04-01"),
    ("monthly", "anniversary", "2024-03-13", 30_000, "2024-03-14", "2024-04-13", "2024-04-14"),
    ("quarterly", "calendar", "2024-03-31", 46_484, "2024-04-01", "2024-06-30", "2024-07-01"),
    ("quarterly", "anniversary", "2024-05-13", 90_000, "2024-05-14", "2024-08-13", "2024-08-14"),
    ("semiannual", "calendar", "2024-06-30", 136_484, "2024-07-01", "2024-12-31", "2025-01-01"),
    ("semiannual", "anniversary", "2024-08-13", 180_000, "2024-08-14", "2025-02-13", "2025-02-14"),
    ("yearly", "calendar", "2024-12-31", 321_120, "2025-01-01", "2025-12-31", "2026-01-01"),
    ("yearly", "anniversary", "2025-02-13", 365_000, "2025-02-14", "2026-02-13", "2026-02-14"),
]


def billed(api: Api, row: tuple[Any, ...], *, pay_in_advance: bool) -> list[dict[str, Any]]:
    """The invoices up to the second tick, oldest first; usage on the first and on the last day of the first window."""
    interval, billing_time, first_end, _, _, _, second_tick = row
    api.at("2024-02-14T10:00:00Z")
    metric = api.post(
        "/billable_metrics", {"billable_metric": {"name": "m", "code": "m", "aggregation_type": "count_agg"}}
    )
    charge = {
        "billable_metric_id": metric["billable_metric"]["lago_id"],
        "charge_model": "standard",
        "properties": {"amount": "1"},
    }
    plan = {
        "name": "p",
        "code": "p",
        "interval": interval,
        "amount_cents": NOMINAL[interval],
        "amount_currency": "EUR",
        "pay_in_advance": pay_in_advance,
        "charges": [charge],
    }
    api.post("/plans", {"plan": plan})
    api.post("/customers", {"customer": {"external_id": "c", "name": "c"}})
    subscription = {"external_customer_id": "c", "plan_code": "p", "external_id": "s", "billing_time": billing_time}
    api.post("/subscriptions", {"subscription": subscription})
    for number, moment in enumerate(("2024-02-14T10:00:00Z", f"{first_end}T23:59:59Z")):
        api.at(moment)
        api.post("/events", {"event": {"transaction_id": f"t{number}", "external_subscription_id": "s", "code": "m"}})
    api.at(f"{second_tick}T00:00:00Z")
    invoices = [api.get(f"/invoices/{found['lago_id']}")["invoice"] for found in api.get("/invoices")["invoices"]]
    return sorted(invoices, key=lambda invoice: invoice["created_at"])


def lines(invoice: dict[str, Any]) -> dict[str, tuple[str, str, int]]:
    """item type -> (first day, last day, cents)."""
    return {
        fee["item"]["type"]: (fee["from_date"][:10], fee["to_date"][:10], fee["amount_cents"])
        for fee in invoice["fees"]
    }


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[1]}")
def test_in_arrears(api: Api, row: tuple[Any, ...]) -> None:
    interval, _, first_end, fee, first_tick, second_end, second_tick = row
    first, second = billed(api, row, pay_in_advance=False)
    assert [invoice["issuing_date"] for invoice in (first, second)] == [first_tick, second_tick]
    assert lines(first) == {
        "subscription": ("2024-02-14", first_end, fee),
        "charge": ("2024-02-14", first_end, 200),
    }
    assert lines(second) == {"subscription": (first_tick, second_end, NOMINAL[interval])}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[1]}")
def test_in_advance(api: Api, row: tuple[Any, ...]) -> None:
    interval, _, first_end, fee, first_tick, second_end, second_tick = row
    start, first, second = billed(api, row, pay_in_advance=True)
    assert [invoice["issuing_date"] for invoice in (start, first, second)] == ["2024-02-14", first_tick, second_tick]
    assert lines(start) == {"subscription": ("2024-02-14", first_end, fee)}
    assert lines(first) == {
        "subscription": (first_tick, second_end, NOMINAL[interval]),
        "charge": ("2024-02-14", first_end, 200),
    }
    assert lines(second)["subscription"][0] == second_tick
