"""`taxes` through the official client."""

from __future__ import annotations

from lago_python_client import Client
from lago_python_client.models import Tax

from tests.contract.refusals import coded, invalid, refused


def test_create_find_update_destroy(lago: Client) -> None:
    made = lago.taxes.create(Tax(name="VAT", code="vat.20", rate=20.5, description="d", applied_to_organization=True))
    assert (made.name, made.code, made.rate, made.description) == ("VAT", "vat.20", 20.5, "d")
    assert made.applied_to_organization is True
    assert len(made.applied_to_billing_entities_codes) == 1
    assert lago.taxes.find("vat.20") == made
    changed = lago.taxes.update(Tax(rate=5, applied_to_organization=False), "vat.20")
    assert (changed.rate, changed.name, changed.applied_to_organization) == (5.0, "VAT", False)
    assert changed.applied_to_billing_entities_codes == []
    assert lago.taxes.destroy("vat.20").lago_id == made.lago_id
    assert refused(lago.taxes.find, "vat.20") == coded(404, "tax_not_found")


def test_find_all(lago: Client) -> None:
    assert lago.taxes.find_all()["taxes"] == []
    for code in ("b", "a", "c"):
        lago.taxes.create(Tax(name=code, code=code, rate=1))
    answer = lago.taxes.find_all({"per_page": 2, "page": 2})
    assert [tax.code for tax in answer["taxes"]] == ["c"]
    assert answer["meta"] == {
        "current_page": 2,
        "next_page": None,
        "prev_page": 1,
        "total_pages": 2,
        "total_count": 3,
    }


def test_refusals(lago: Client) -> None:
    lago.taxes.create(Tax(name="VAT", code="vat", rate=20))
    assert refused(lago.taxes.create, Tax(name="VAT", code="vat", rate=20)) == invalid(code=["value_already_exist"])
    assert refused(lago.taxes.create, Tax(code="other")) == invalid(
        name=["value_is_mandatory"], rate=["value_is_mandatory"]
    )
    assert refused(lago.taxes.destroy, "nope") == coded(404, "tax_not_found")
