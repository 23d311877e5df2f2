"""What requests that replace or merge metadata send (api.md §9). The routes are with their resources."""

from __future__ import annotations

from typing import Any

from tallystick.api.call import Call
from tallystick.api.inputs import Input, Object


class MetadataInput(Input):
    """Body of a replacement and of a merge."""

    metadata: Object = None


def sent_metadata(call: Call) -> dict[str, Any] | None:
    """The map that was sent; None when there is none."""
    entries = call.params.get("metadata")
    return entries if isinstance(entries, dict) else None
