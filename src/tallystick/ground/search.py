"""The search terms of lists (api.md §6). Which texts a list is searched in is the list's own."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, String, cast, exists, or_

from tallystick.ground.tables import CreditNote, Customer, Invoice

_CUSTOMER_TEXTS = (Customer.name, Customer.firstname, Customer.lastname, Customer.external_id, Customer.email)


def contains(term: str, *texts: Any) -> ColumnElement[bool]:
    """Whether any of the texts holds the term, in any case."""
    return or_(*(text.icontains(term, autoescape=True) for text in texts))


def of_document(document: type[Invoice] | type[CreditNote], term: str, *, one_customer: bool) -> ColumnElement[bool]:
    """Whether the number or id of a document holds the term, or who it is for unless that is `one_customer` anyway."""
    texts = contains(term, document.number, cast(document.id, String))
    if one_customer:
        return texts
    return texts | exists().where(Customer.id == document.customer_id, contains(term, *_CUSTOMER_TEXTS))
