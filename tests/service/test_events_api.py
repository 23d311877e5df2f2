"""The events resource over HTTP: ingestion, de-duplication, reading (metering.md §1)."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import httpx
import psycopg
import pytest

from tallystick.ground.db import Database
from tallystick.rooms.organizations import keys
from tests.support.api import Api
from tests.support.server import Running

PATH = "/api/v1/events"
Write = Callable[..., None]


@pytest.fixture
def write(database_url: str) -> Iterator[Write]:
    """Runs a statement with parameters: rows of other rooms that these tests only need to be there."""
    with psycopg.connect(database_url, autocommit=True) as connection:

        def execute(statement: str, **parameters: Any) -> None:
            connection.execute(statement.encode(), parameters)

        yield execute


@pytest.fixture
def another_api(running: Running) -> Iterator[Api]:
    """A second organization."""
    client = Api(running.url)
    yield client
    client.http.close()


def event(**fields: Any) -> dict[str, Any]:
    return {"transaction_id": uuid.uuid4().hex, "code": "calls", "external_subscription_id": "sub", **fields}


def send(api: Api, fields: str, path: str = PATH) -> httpx.Response:
    """A body written by hand."""
    return api.http.post(path, content=fields.encode(), headers={"Content-Type": "application/json"})


def refused(api: Api, **fields: Any) -> Any:
    return api.post("/events", {"event": event(**fields)}, 422)["error_details"]


def test_the_answer_has_the_stored_event(api: Api) -> None:
    body = event(transaction_id="tx-1", timestamp="1772357400.125", properties={"gb": 10})
    answer = api.http.post(PATH, json={"event": body}, headers={"X-Request-Id": "r-1"})
    assert answer.status_code == 200
    assert answer.headers["x-request-id"] == "r-1"
    shown = answer.json()["event"]
    assert uuid.UUID(shown.pop("lago_id")).version == 7
    assert dt.datetime.fromisoformat(shown.pop("created_at"))
    assert shown == {
        "transaction_id": "tx-1",
        "lago_customer_id": None,
        "code": "calls",
        "timestamp": "2026-03-01T09:30:00.125Z",
        "precise_total_amount_cents": None,
        "properties": {"gb": 10},
        "lago_subscription_id": None,
        "external_subscription_id": "sub",
    }
    assert api.get("/events/tx-1")["event"] == answer.json()["event"]


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("1651240791", "2022-04-29T13:59:51.000Z"),
        ('"1651240791.123"', "2022-04-29T13:59:51.123Z"),
        ("1651240791.123", "2022-04-29T13:59:51.123Z"),
        ('"1780586634.1"', "2026-06-04T15:23:54.100Z"),
        ('"1e9"', "2001-09-09T01:46:40.000Z"),
        ("1e9", "2001-09-09T01:46:40.000Z"),
        ("1651240791.1234567", "2022-04-29T13:59:51.123Z"),
        ("1651240791.9999999", "2022-04-29T13:59:51.999Z"),
        ('" 1651240791 "', "2022-04-29T13:59:51.000Z"),
        ("-1", "1969-12-31T23:59:59.000Z"),
        ("-62135596799", "0001-01-01T00:00:01.000Z"),
        ("253402300799", "9999-12-31T23:59:59.000Z"),
    ],
)
def test_timestamps(api: Api, sent: str, shown: str) -> None:
    for path in (PATH, f"{PATH}/batch"):
        one = f'{{"transaction_id":"{uuid.uuid4()}","code":"c","timestamp":{sent}}}'
        answer = send(api, f'{{"event":{one},"events":[{one}]}}', path).json()
        assert (answer.get("event") or answer["events"][0])["timestamp"] == shown
    assert [row["timestamp"] for row in api.get("/events")["events"]] == [shown] * 2


@pytest.mark.parametrize(
    "value",
    [
        "2022-04-29T13:59:51Z",
        "now",
        "",
        " ",
        True,
        "NaN",
        "Infinity",
        "1_000",
        "0x10",
        "1e999999999",
        -62135596800,
        253402300800,
        10**30,
        "9" * 400,
    ],
)
def test_unreadable_timestamps(api: Api, value: Any) -> None:
    assert refused(api, timestamp=value, transaction_id="", code="") == {"timestamp": ["invalid_format"]}


@pytest.mark.parametrize("value", [None, False, [1], {"a": 1}])
def test_no_timestamp_is_now(api: Api, value: Any) -> None:
    before = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
    shown = api.post("/events", {"event": event(timestamp=value)})["event"]
    assert before <= dt.datetime.fromisoformat(shown["timestamp"]) <= dt.datetime.now(dt.UTC)


def test_the_clock_of_a_sandbox_is_the_time_of_reception(api: Api, write: Write) -> None:
    clock = "update organizations set clock_at = '2031-05-06T07:08:09Z' where id = %(id)s"
    write(clock, id=api.organization["lago_id"])
    shown = api.post("/events", {"event": event()})["event"]
    assert (shown["timestamp"], shown["created_at"]) == ("2031-05-06T07:08:09.000Z", "2031-05-06T07:08:09Z")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("10.1", "10.1"),
        (12, "12.0"),
        ("-20", "-20.0"),
        ("1234.5678901234567890", "1234.567890123456789"),
        (None, None),
        ("", None),
        ("abc", "0.0"),
        ("1e-999999", "0.0"),
        ("0e99999", "0.0"),
    ],
)
def test_precise_amounts(api: Api, value: Any, shown: str | None) -> None:
    body = event(precise_total_amount_cents=value)
    assert api.post("/events", {"event": body})["event"]["precise_total_amount_cents"] == shown
    assert api.get(f"/events/{body['transaction_id']}")["event"]["precise_total_amount_cents"] == shown


def test_amounts_beyond_the_column(api: Api) -> None:
    assert refused(api, precise_total_amount_cents="1e25") == {"precise_total_amount_cents": ["value_is_out_of_range"]}


def test_properties_keep_their_digits(api: Api) -> None:
    text = '{"a":1.50,"b":"1.0","c":123456789012345678901234567890.12,"d":[1.10],"e":null}'
    answer = send(api, f'{{"event":{{"transaction_id":"digits","code":"c","properties":{text}}}}}')
    assert text in answer.text
    stored = json.loads(api.http.get(f"{PATH}/digits").text, parse_float=Decimal)["event"]["properties"]
    assert (str(stored["a"]), str(stored["c"])) == ("1.50", "123456789012345678901234567890.12")


@pytest.mark.parametrize("value", ['"text"', "[1]", "3", "null", "true"])
def test_properties_that_are_no_object_are_dropped(api: Api, value: str) -> None:
    answer = send(api, f'{{"event":{{"transaction_id":"x","code":"c","properties":{value}}}}}')
    assert answer.json()["event"]["properties"] == {}


def test_text_that_no_database_holds(api: Api) -> None:
    text = r'{"nul\u0000":"a\u0000b","half":"\ud83d!","whole":"\ud83d\ude00","kept":"\\u0000 \n"}'
    one = f'{{"transaction_id":"odd\\u0000","code":"c","properties":{text}}}'
    answer = send(api, f'{{"event":{one}}}')
    assert answer.status_code == 200, answer.text
    stored = api.get("/events/odd")["event"]["properties"]
    assert stored == {"nul": "ab", "half": "\ufffd!", "whole": "😀", "kept": "\\u0000 \n"}
    assert send(api, f'{{"events":[{one}]}}', f"{PATH}/batch").status_code == 422


def test_json_that_no_database_holds_is_a_bad_request(api: Api) -> None:
    for value in ("1e200000", '{"a":' * 900 + "1" + "}" * 900):
        one = f'{{"transaction_id":"{uuid.uuid4()}","code":"c","properties":{{"a":{value}}}}}'
        assert send(api, f'{{"event":{one}}}').status_code in (200, 400)


def test_numbers_are_texts(api: Api) -> None:
    body = {"transaction_id": 12345678901234567890123, "code": 7, "external_subscription_id": 1.5}
    shown = api.post("/events", {"event": body})["event"]
    assert (shown["transaction_id"], shown["code"], shown["external_subscription_id"]) == (
        "12345678901234567890123",
        "7",
        "1.5",
    )


@pytest.mark.parametrize("body", ["", "{}", '{"event":{}}', '{"event":null}', '{"event":[1]}', '{"event":"x"}', "[]"])
def test_no_event_is_a_bad_request(api: Api, body: str) -> None:
    answer = send(api, body)
    sentence = "BadRequest: param is missing or the value is empty or invalid: event"
    assert (answer.status_code, answer.json()) == (400, {"status": 400, "error": sentence})


@pytest.mark.parametrize("path", [PATH, f"{PATH}/batch"])
@pytest.mark.parametrize("body", [b"{", b"nonsense", b'{"event":{"code":"\xff"}}', b'{"event":{"a":"\x01"}}'])
def test_malformed_json(api: Api, path: str, body: bytes) -> None:
    answer = api.http.post(path, content=body)
    assert (answer.status_code, answer.json()) == (400, {"status": 400, "error": "Bad Request"})


def test_bodies_above_ten_mebibytes(api: Api) -> None:
    filler = "x" * (10 * 1024 * 1024)
    assert send(api, f'{{"event":{{"properties":{{"a":"{filler}"}}}}}}').status_code == 413
    body = event(properties={"a": filler[:-1024]})
    assert api.post("/events", {"event": body})["event"]["transaction_id"] == body["transaction_id"]


@pytest.mark.parametrize("blank", [None, "", "  ", [], {}])
def test_presence(api: Api, blank: Any) -> None:
    mandatory = ["value_is_mandatory"]
    assert refused(api, transaction_id=blank, code=blank) == {"transaction_id": mandatory, "code": mandatory}
    assert refused(api, code=blank) == {"code": mandatory}
    assert api.post("/events", {"event": {"other": 1}}, 422)["error_details"].keys() == {"transaction_id", "code"}


def test_nothing_else_is_checked(api: Api) -> None:
    shown = api.post("/events", {"event": {"transaction_id": "t", "code": "unknown", "external_customer_id": "x"}})
    assert shown["event"]["external_subscription_id"] == ""


def test_repeats_are_refused(api: Api) -> None:
    first = event(properties={"a": 1})
    api.post("/events", {"event": first})
    taken = {"transaction_id": ["value_already_exist"]}
    changed = {**first, "code": "other", "timestamp": 5, "properties": {}}
    assert api.post("/events", {"event": changed}, 422)["error_details"] == taken
    assert api.get(f"/events/{first['transaction_id']}")["event"]["properties"] == {"a": 1}
    api.post("/events", {"event": {**first, "external_subscription_id": "another"}})
    blank = {"transaction_id": first["transaction_id"], "code": "c"}
    api.post("/events", {"event": blank})
    assert api.post("/events", {"event": blank}, 422)["error_details"] == taken


def test_organizations_do_not_share_identities(api: Api, another_api: Api) -> None:
    api.post("/events", {"event": event(transaction_id="same")})
    another_api.get("/events/same", 404)
    another_api.post("/events", {"event": event(transaction_id="same")})


# -- batches --------------------------------------------------------------------------------------


def batch(api: Api, items: Any, status: int = 200) -> Any:
    return api.post("/events/batch", {"events": items}, status)


def test_batches_answer_in_order(api: Api) -> None:
    sent = [event(timestamp=1_700_000_000 - place) for place in range(100)]
    shown = batch(api, sent)["events"]
    assert [row["transaction_id"] for row in shown] == [row["transaction_id"] for row in sent]
    assert api.get("/events")["meta"]["total_count"] == 100


@pytest.mark.parametrize("body", ["", "{}", "[]", '{"events":null}', '{"events":{}}', '{"events":[]}', '{"events":3}'])
def test_no_events(api: Api, body: str) -> None:
    answer = send(api, body, f"{PATH}/batch")
    assert (answer.status_code, answer.json()["error_details"]) == (422, {"events": ["no_events"]})


def test_too_many_events(api: Api) -> None:
    assert batch(api, [event() for _ in range(101)], 422)["error_details"] == {"events": ["too_many_events"]}


def test_items_that_fail(api: Api) -> None:
    mandatory = ["value_is_mandatory"]
    errors = batch(api, [event(), event(timestamp="now"), event(code=""), "text", 3], 422)["error_details"]
    nothing = {"transaction_id": mandatory, "code": mandatory}
    assert errors == {"1": {"timestamp": ["invalid_format"]}, "2": {"code": mandatory}, "3": nothing, "4": nothing}
    assert api.get("/events")["meta"]["total_count"] == 0


@pytest.mark.parametrize(
    ("stored", "sent", "places"),
    [("", "abab", "23"), ("", "xxx", "12"), ("c", "abcde", "2"), ("ab", "ab", "01"), ("a", "aab", "01")],
)
def test_duplicates_in_batches(api: Api, stored: str, sent: str, places: str) -> None:
    for letter in stored:
        api.post("/events", {"event": event(transaction_id=letter)})
    errors = batch(api, [event(transaction_id=letter) for letter in sent], 422)["error_details"]
    assert errors == {place: {"transaction_id": ["value_already_exist"]} for place in places}
    assert api.get("/events")["meta"]["total_count"] == len(stored)


def test_duplicates_are_looked_at_last(api: Api) -> None:
    items = [event(transaction_id="a"), event(transaction_id="a"), event(timestamp="x")]
    assert batch(api, items, 422)["error_details"] == {"2": {"timestamp": ["invalid_format"]}}


def test_one_transaction_for_two_subscriptions(api: Api) -> None:
    items = [event(transaction_id="a"), event(transaction_id="a", external_subscription_id="other")]
    assert len(batch(api, items)["events"]) == 2


# -- expressions ----------------------------------------------------------------------------------


@pytest.fixture
def storage(api: Api, write: Write) -> Api:
    """An organization whose metric `storage` computes `total`."""
    write(
        """insert into billable_metrics
               (id, organization_id, code, name, aggregation_type, field_name, recurring, expression, filters,
                created_at, updated_at)
           values
               (gen_random_uuid(), %(id)s, 'storage', 'Storage', 'sum_agg', 'total', false,
                'event.properties.a + event.properties.b', '{}', now(), now())""",
        id=api.organization["lago_id"],
    )
    return api


def test_expressions_are_stored(storage: Api) -> None:
    body = event(code="storage", properties={"a": "1", "b": 2, "total": "overwritten"})
    shown = storage.post("/events", {"event": body})["event"]
    assert shown["properties"] == {"a": "1", "b": 2, "total": "3.0"}
    assert storage.get(f"/events/{body['transaction_id']}")["event"]["properties"]["total"] == "3.0"
    assert storage.post("/events", {"event": event(code="other", properties={"a": 1})})["event"]["properties"] == {
        "a": 1
    }


def test_expressions_that_fail(storage: Api) -> None:
    missing = "expression_evaluation_failed: Variable: b not found"
    assert refused(storage, code="storage", transaction_id="", properties={"a": 1}) == missing
    items = [
        event(code="storage", properties={"a": 1, "b": 1}),
        event(code="storage", properties={"a": "x", "b": 1}),
        event(code="storage", transaction_id=" ", properties={}),
    ]
    assert batch(storage, items, 422)["error_details"] == {
        "1": "expression_evaluation_failed: Expected a decimal",
        "2": {"transaction_id": ["value_is_mandatory"]},
    }


# -- reading and permissions ----------------------------------------------------------------------


def listed(api: Api, **filters: Any) -> list[str]:
    return [row["transaction_id"] for row in api.get("/events", **filters)["events"]]


def test_lists(api: Api) -> None:
    for name, code, subscription, second in (
        ("a", "x", "s1", 10),
        ("b", "y", "s1", 30),
        ("d", "x", "s2", 20),
        ("c", "x", "s2", 20),
    ):
        body = event(transaction_id=name, code=code, external_subscription_id=subscription, timestamp=second)
        api.post("/events", {"event": body})
    assert listed(api) == ["b", "c", "d", "a"]
    assert listed(api, code="x") == ["c", "d", "a"]
    assert listed(api, external_subscription_id="s1", code="") == ["b", "a"]
    assert listed(api, timestamp_from="1970-01-01T00:00:20Z") == ["b", "c", "d"]
    assert listed(api, timestamp_to="1970-01-01T00:00:20Z") == ["c", "d", "a"]
    assert listed(api, per_page=2, page=2) == ["d", "a"]
    assert api.get("/events", per_page=2)["meta"]["total_pages"] == 2


@pytest.mark.parametrize("name", ["timestamp_from", "timestamp_to"])
def test_bad_bounds(api: Api, name: str) -> None:
    assert api.get("/events", 422, **{name: "soon"})["error_details"] == {name: ["invalid_date"]}


def test_from_the_start_of_a_subscription(api: Api) -> None:
    asked = {"timestamp_from_started_at": "true"}
    assert api.get("/events", 422, **asked)["error_details"] == {
        "external_subscription_id": ["required with timestamp_from_started_at"]
    }
    both = {**asked, "external_subscription_id": "sub", "timestamp_from": "2024-01-01"}
    assert api.get("/events", 422, **both)["error_details"] == {
        "timestamp_from": ["cannot be used with timestamp_from_started_at"]
    }
    api.post("/events", {"event": event(transaction_id="only")})
    assert listed(api, **asked, external_subscription_id="sub") == ["only"]  # unknown: no filter


def test_unknown_and_enriched_events(api: Api) -> None:
    assert api.get("/events/none", 404)["code"] == "event_not_found"
    assert api.get("/events_enriched", 403)["code"] == "endpoint_not_available"


def test_ids_with_slashes(api: Api) -> None:
    api.post("/events", {"event": event(transaction_id="a/b.c")})
    assert api.http.get(f"{PATH}/a%2Fb.c").json()["event"]["transaction_id"] == "a/b.c"


def test_keys_are_needed(api: Api) -> None:
    for headers in ({"Authorization": ""}, {"Authorization": "Bearer nonsense"}):
        for path in (PATH, f"{PATH}/batch"):
            assert api.http.post(path, json={}, headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("permissions", "status"), [({"event": ["read"]}, 403), ({"event": ["write"]}, 200), ({}, 403)]
)
def test_permissions(api: Api, write: Write, permissions: dict[str, list[str]], status: int) -> None:
    key = str(uuid.uuid4())
    write(
        """insert into api_keys (id, organization_id, key_hash, last_characters, permissions, created_at)
           values (gen_random_uuid(), %(id)s, %(hash)s, %(last)s, %(permissions)s, now())""",
        id=api.organization["lago_id"],
        hash=keys.hash_key(key),
        last=key[-4:],
        permissions=json.dumps(permissions),
    )
    headers = {"Authorization": f"Bearer {key}"}
    answer = api.http.post(PATH, json={"event": event()}, headers=headers)
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["code"] == "write_action_not_allowed_for_event"


async def test_a_rotated_key_is_forgotten(running: Running, database: Database) -> None:
    """Keys of live organizations are remembered; the change is heard at once, and never later than five seconds."""
    api = Api(running.url, sandbox=False)
    api.post("/events", {"event": event()})
    async with database.begin() as tx:
        organization_id = uuid.UUID(api.organization["lago_id"])
        now = dt.datetime.now(dt.UTC)
        (key,) = await keys.list_keys(tx, organization_id, now)
        _, value = await keys.rotate_key(tx, organization_id, key.id, now)
    while api.http.post(PATH, json={"event": event()}).status_code != 401:
        pass
    api.http.headers["Authorization"] = f"Bearer {value}"
    api.post("/events", {"event": event()})
    api.http.close()
