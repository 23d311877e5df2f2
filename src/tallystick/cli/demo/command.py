"""The command `tallystick demo`: the steps of the story in order, with progress, then the tables."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tallystick.cli.demo import report, story
from tallystick.cli.demo.checks import Check, check_all
from tallystick.cli.demo.drive import Meridian, Refused
from tallystick.cli.demo.receiver import Receiver
from tallystick.cli.demo.server import BESIDE, Product, place
from tallystick.cli.terminal import fail, sentences
from tallystick.ground.clock import machine_monotonic
from tallystick.ground.kept_secrets import admin_token
from tallystick.ground.settings import Settings, load

#: where there is no terminal to ask
PIPE_WIDTH = 120


def run(leave: bool, events: int) -> None:
    """Play the story; stay until Ctrl-C, or `leave`. Status 1 when something expected did not happen."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=PIPE_WIDTH)
    # a plain `kill` stops everything as Ctrl-C does
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with sentences(), ExitStack() as open_things:
        settings = place(load())
        receiver = Receiver()
        open_things.callback(receiver.close)
        product = Product(settings)
        open_things.callback(product.stop)
        try:
            well = _play(console, settings, product, receiver, events)
        except Refused as error:
            fail(str(error))
        if not leave:
            console.print("\nThe server is running. Ctrl-C stops it.")
            with suppress(KeyboardInterrupt):
                product.process.wait()
            console.print("\nStopping.")
    if not well:
        raise typer.Exit(1)


def _play(console: Console, settings: Settings, product: Product, receiver: Receiver, count: int) -> bool:
    """The whole story; whether everything expected happened."""
    if settings.data_dir.name == BESIDE:
        console.print("Another Tallystick uses the data directory: the demonstration has one of its own inside it.")
    if not product.port:
        console.print(f"Port {settings.port} is used by another program: taking a free one.")
    with console.status("Starting PostgreSQL, migrating, starting API and worker …"):
        url = product.wait_until_ready()
    console.print(f"Tallystick runs at {url}; its log is {product.log}", soft_wrap=True)
    meridian = Meridian(url, admin_token(settings))
    events = story.make_events(count)
    _act(console, meridian, receiver, events)
    invoices = meridian.invoices()
    checks = check_all(invoices, story.units(events), receiver)
    _show(console, invoices, receiver, checks)
    report.show_door(console, url, meridian.api_key)
    return all(check.ok for check in checks)


def _act(console: Console, meridian: Meridian, receiver: Receiver, events: Sequence[dict[str, Any]]) -> None:
    name = story.ORGANIZATION["name"]
    console.print(f"{name}, a sandbox organization: its clock stands at {story.START_AT:%d %B %Y, %H:%M} UTC.")
    meridian.move_clock(story.START_AT)
    meridian.listen(receiver)
    meridian.describe_prices()
    console.print(f"{len(story.METRICS)} metrics, {len(story.PLANS)} plans of {len(story.CHARGES)} charge models.")
    meridian.sign_up()
    console.print(f"{len(story.CUSTOMERS)} customers in Paris and New York time, in EUR and USD, have subscribed.")
    meridian.move_clock(story.MONTH_END_AT)
    _send(console, meridian, events)
    usage = meridian.usage(story.CUSTOMERS[0])
    used = report.amount(usage["amount_cents"], usage["currency"])
    console.print(f"On the last evening {story.CUSTOMERS[0].name} has used {used}.")
    with console.status("The month ends …"):
        started = machine_monotonic()
        meridian.move_clock(story.NEXT_MONTH_AT)
    seconds = machine_monotonic() - started
    console.print(f"The month ended: billed, documents made, webhooks delivered in {seconds:.1f} s.\n")


def _send(console: Console, meridian: Meridian, events: Sequence[dict[str, Any]]) -> None:
    columns = (TextColumn("Sending events"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    started = machine_monotonic()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=len(events))
        for sent in meridian.send_events(events):
            progress.advance(task, sent)
    rate = len(events) / (machine_monotonic() - started)
    console.print(f"{len(events)} events sent through the API, {rate:,.0f} a second.")


def _show(console: Console, invoices: Sequence[dict[str, Any]], receiver: Receiver, checks: Sequence[Check]) -> None:
    report.show_invoices(console, invoices)
    if invoices:
        report.show_lines(console, invoices[-1])
    report.show_webhooks(console, receiver)
    report.show_checks(console, checks)
