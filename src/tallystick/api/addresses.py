"""The address fields that issuers, customers and shipping addresses share. What they store of it is theirs."""

from __future__ import annotations

from tallystick.api.inputs import Country, Input, Text


class Address(Input):
    """Six keys, each by itself; the country by its code of two letters."""

    address_line1: Text = None
    address_line2: Text = None
    city: Text = None
    zipcode: Text = None
    state: Text = None
    country: Country = None
