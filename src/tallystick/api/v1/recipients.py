"""Who a document is mailed to by hand: `to`, `cc` and `bcc` of a request (dunning.md §7.4)."""

from __future__ import annotations

from tallystick.api.call import Call
from tallystick.api.inputs import is_email
from tallystick.flows.mails.resend import Recipients

RECIPIENTS = ("to[]", "cc[]", "bcc[]")


def recipients(call: Call) -> Recipients:
    """The addresses asked for, with what of them is none."""
    asked = {name: call.texts(name) for name in ("to", "cc", "bcc")}
    wrong = {name: [text for text in texts if not is_email(text)] for name, texts in asked.items()}
    return Recipients(**asked, wrong={name: ", ".join(texts) for name, texts in wrong.items() if texts})
