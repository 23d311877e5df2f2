"""Current usage is asked for all the time: it takes few statements, as many for many charges as for one."""

from __future__ import annotations

import datetime as dt
import uuid

from tallystick.flows.usage.current import current_usage
from tallystick.ground.installation import Installation
from tests.support.api import ADMIN_TOKEN, Api
from tests.support.statements import counted
from tests.support.usage_shop import charge, event, subscribe

AT = dt.datetime(2025, 6, 2, tzinfo=dt.UTC)
MANY = 12
MOST = 15


async def test_many_charges_take_as_many_statements_as_one(api: Api, installation: Installation) -> None:
    counts = []
    for size in (1, MANY):
        own = Api(str(api.http.base_url), ADMIN_TOKEN)
        subscribe(own, *(charge(own, f"m{place}", min_amount_cents=5) for place in range(size)))
        for place in range(size):
            event(own, f"m{place}", n=2)
        async with installation.database.begin() as tx:
            with counted(installation.database) as statements:
                usage = await current_usage(tx, uuid.UUID(own.organization["lago_id"]), "c", "s", AT)
        assert usage.composition.fees_amount_cents == 200 * size
        counts.append(len(statements))
        own.http.close()
    assert counts[0] == counts[1]
    assert counts[0] <= MOST
