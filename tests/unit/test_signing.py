"""Signatures with a shared secret (webhooks.md §1.3, §1.4)."""

from __future__ import annotations

import pytest

from tallystick.core.signing import hmac_signature, secret_bytes, secret_text, standard_headers

BODY = (
    b'{"webhook_type":"wallet.terminated","object_type":"wallet","organization_id":"3f6d1f0a-7c52-4b6e-9d0e-2a51c1f0b9aa",'
    b'"wallet":{"lago_id":"b1c7a5de-0d7b-4a1e-8f3c-6f0a2f9e1d11"}}'
)
# The example every Standard Webhooks library is tested with.
STANDARD_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STANDARD_ID, STANDARD_SENT_AT, STANDARD_BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
STANDARD_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_hmac_vector_of_the_specification() -> None:
    assert len(BODY) == 176
    assert (
        hmac_signature("5d3f0c1e-2b74-4a8e-9b60-7c1f0e5a9d42", BODY) == "t1Mad/P1RBsu7vR5vcSFJ/J8VMjldgLBo78SJfz6u5g="
    )


def test_standard_headers() -> None:
    assert standard_headers(STANDARD_ID, STANDARD_SENT_AT, STANDARD_BODY, [STANDARD_SECRET]) == {
        "webhook-id": STANDARD_ID,
        "webhook-timestamp": "1614265330",
        "webhook-signature": STANDARD_SIGNATURE,
    }


def test_a_rotation_signs_with_both_secrets() -> None:
    new = secret_text(bytes(range(32)))
    headers = standard_headers(STANDARD_ID, STANDARD_SENT_AT, STANDARD_BODY, [new, STANDARD_SECRET])
    first, second = headers["webhook-signature"].split(" ")
    assert first == standard_headers(STANDARD_ID, STANDARD_SENT_AT, STANDARD_BODY, [new])["webhook-signature"]
    assert first.startswith("v1,")
    assert second == STANDARD_SIGNATURE


def test_no_secret_no_signature() -> None:
    with pytest.raises(ValueError, match="needs a secret"):
        standard_headers(STANDARD_ID, STANDARD_SENT_AT, STANDARD_BODY, [])


def test_a_secret_holds_its_key() -> None:
    key = bytes(range(24))
    assert secret_text(key) == "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
    assert secret_bytes(secret_text(key)) == key


@pytest.mark.parametrize("length", [0, 23, 65])
def test_a_secret_has_24_to_64_bytes(length: int) -> None:
    with pytest.raises(ValueError, match="24 to 64"):
        secret_text(bytes(length))


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_***", "whsec_abc", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
def test_malformed_secrets_are_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="webhook secret"):
        secret_bytes(secret)
