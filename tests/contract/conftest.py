"""Fixtures of the contract tests: the official client on a sandbox organization, alone and with a shop in it."""

from __future__ import annotations

import pytest
from lago_python_client import Client

from tests.contract.shop import START, Shop
from tests.support.api import Api


@pytest.fixture
def lago(api: Api) -> Client:
    """The official client, unchanged, on an organization whose clock stands at `START`."""
    api.at(START)
    return Client(api_key=api.api_key, api_url=str(api.http.base_url))


@pytest.fixture
def shop(api: Api, lago: Client) -> Shop:
    """The client with a taxed customer who is subscribed to a plan with a filtered charge."""
    return Shop(api, lago).open()
