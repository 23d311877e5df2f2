"""The declarative base and the column types that all tables share. No table is defined here."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Annotated, Any

from sqlalchemy import ARRAY, BigInteger, DateTime, ForeignKey, MetaData, Numeric, Text
from sqlalchemy.dialects.postgresql import JSONB, UUID
from sqlalchemy.orm import DeclarativeBase, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

Id = Annotated[uuid.UUID, mapped_column(UUID(as_uuid=True), primary_key=True)]
Ref = Annotated[uuid.UUID, mapped_column(UUID(as_uuid=True))]
OptionalRef = Annotated[uuid.UUID | None, mapped_column(UUID(as_uuid=True))]
OrganizationRef = Annotated[uuid.UUID, mapped_column(UUID(as_uuid=True), ForeignKey("organizations.id"))]
Instant = Annotated[dt.datetime, mapped_column(DateTime(timezone=True))]
OptionalInstant = Annotated[dt.datetime | None, mapped_column(DateTime(timezone=True))]
Cents = Annotated[int, mapped_column(BigInteger)]
OptionalCents = Annotated[int | None, mapped_column(BigInteger)]
#: exact amounts and units: up to 25 digits before the point, 15 after it (rating.md §1); aggregates keep 20 decimals
Exact = Annotated[Decimal, mapped_column(Numeric(45, 20))]
OptionalExact = Annotated[Decimal | None, mapped_column(Numeric(45, 20))]
Rate = Annotated[Decimal, mapped_column(Numeric(30, 15))]
OptionalRate = Annotated[Decimal | None, mapped_column(Numeric(30, 15))]
Texts = Annotated[list[str], mapped_column(ARRAY(Text))]
OptionalTexts = Annotated[list[str] | None, mapped_column(ARRAY(Text))]
Map = Annotated[dict[str, Any], mapped_column(JSONB)]
OptionalMap = Annotated[dict[str, Any] | None, mapped_column(JSONB(none_as_null=True))]


class Base(DeclarativeBase):
    """Base of all tables. Rows carry no relationships: sets are joined in SQL, never walked lazily."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {str: Text}  # noqa: RUF012
