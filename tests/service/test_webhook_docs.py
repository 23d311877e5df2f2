"""What docs/user/webhooks.md promises: its receivers verify real deliveries, its lists of types are complete."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jwt
import pytest

from tallystick.flows.wire.messages import contents_at, render
from tallystick.ground.installation import Installation
from tallystick.rooms.webhooks import catalogue
from tallystick.rooms.webhooks.deliver import Dispatcher
from tests.support.webhooks import START, World, receiving

PAGE = (Path(__file__).parents[2] / "docs/user/webhooks.md").read_text()


@pytest.fixture
def examples() -> dict[str, Any]:
    """The functions of the Python examples."""
    found: dict[str, Any] = {}
    for code in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(code, found)
    return found


async def test_the_examples_verify_real_deliveries(installation: Installation, examples: dict[str, Any]) -> None:
    world = await World(installation.database).create()
    dispatcher = Dispatcher(installation, render)
    async with receiving() as receiver:
        endpoint_id = await world.endpoint(receiver.url("/jwt"), signature_algo="jwt")
        await world.endpoint(receiver.url("/hmac"), signature_algo="hmac")
        await world.emit(name="Café")
        await dispatcher.deliver_due(world.id, START)
    await dispatcher.close()
    (token,), (hmac,) = receiver.at("/jwt"), receiver.at("/hmac")
    public_key, issuer = installation.key.public_key_base64(), installation.settings.public_api_url
    assert examples["verify_jwt"](token.headers["x-lago-signature"], token.body, public_key, issuer)
    assert not examples["verify_jwt"](token.headers["x-lago-signature"], token.body + b" ", public_key, issuer)
    with pytest.raises(jwt.InvalidIssuerError):
        examples["verify_jwt"](token.headers["x-lago-signature"], token.body, public_key, "https://other.test")
    assert examples["verify_hmac"](hmac.headers["x-lago-signature"], hmac.body, world.hmac_key)
    assert not examples["verify_hmac"](hmac.headers["x-lago-signature"], hmac.body + b" ", world.hmac_key)
    secret = (await world.endpoint_row(endpoint_id)).secret
    assert examples["verify_standard"](token.headers, token.body, secret)
    assert not examples["verify_standard"](token.headers, token.body + b" ", secret)
    assert not examples["verify_standard"](token.headers, token.body, secret, tolerance_seconds=-1)


def test_every_type_is_named() -> None:
    named = set(re.findall(r"`([a-z_]+\.[a-z_]+)`", PAGE))
    assert catalogue.TYPES | catalogue.OTHER_NAMES.keys() <= named


def test_every_type_of_the_table_can_be_rendered() -> None:
    rows = dict(re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \| `([a-z_]+)` \|", PAGE, re.MULTILINE))
    assert rows
    assert rows.items() <= {name: content.key for name, content in contents_at("").items()}.items()
