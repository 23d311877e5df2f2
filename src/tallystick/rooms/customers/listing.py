"""The list of customers with its filters (api.md §6). Checks of what callers send are the door's work."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Select, exists, select

from tallystick.ground import search
from tallystick.ground.tables import Customer, CustomerMetadata


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to; None and empty filters let everything through."""

    external_id: str | None = None
    search_term: str | None = None
    customer_type: str | None = None
    has_customer_type: bool | None = None
    has_tax_identification_number: bool | None = None
    account_types: Sequence[str] = ()
    billing_entity_ids: Sequence[uuid.UUID] = ()
    countries: Sequence[str] = ()
    states: Sequence[str] = ()
    zipcodes: Sequence[str] = ()
    currencies: Sequence[str] = ()
    #: key -> value; an empty value asks for customers without the key
    metadata: Mapping[str, str] = field(default_factory=dict)


_SEARCHED = (
    Customer.name,
    Customer.firstname,
    Customer.lastname,
    Customer.legal_name,
    Customer.external_id,
    Customer.email,
)


def listing(organization_id: uuid.UUID, filters: Filters) -> Select[Customer]:
    """Customers that are not deleted, newest first."""
    statement = select(Customer).where(Customer.organization_id == organization_id, Customer.deleted_at.is_(None))
    if filters.external_id is not None:
        statement = statement.where(Customer.external_id == filters.external_id)
    elif filters.search_term is not None:
        term = filters.search_term
        statement = statement.where(search.contains(term, *_SEARCHED))
    if filters.customer_type is not None:
        statement = statement.where(Customer.customer_type == filters.customer_type)
    for wanted, column in (
        (filters.has_customer_type, Customer.customer_type),
        (filters.has_tax_identification_number, Customer.tax_identification_number),
    ):
        if wanted is not None:
            statement = statement.where(
                column.is_not(None) & (column != "") if wanted else column.is_(None) | (column == "")
            )
    for values, column_of in (
        (filters.account_types, Customer.account_type),
        (filters.billing_entity_ids, Customer.billing_entity_id),
        (filters.countries, Customer.country),
        (filters.states, Customer.state),
        (filters.zipcodes, Customer.zipcode),
        (filters.currencies, Customer.currency),
    ):
        if values:
            statement = statement.where(column_of.in_(values))
    return _with_metadata(statement, filters.metadata).order_by(Customer.created_at.desc(), Customer.id)


def _with_metadata(statement: Select[Customer], metadata: Mapping[str, str]) -> Select[Customer]:
    for key, value in metadata.items():
        pair = exists().where(CustomerMetadata.customer_id == Customer.id, CustomerMetadata.key == key)
        statement = statement.where(pair.where(CustomerMetadata.value == value) if value else ~pair)
    return statement
