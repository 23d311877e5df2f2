"""What all benchmarks share: a durable PostgreSQL of their own, figures as a table, results as JSON."""

from __future__ import annotations

import json
import resource
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tallystick.ground.migrations import migrate
from tallystick.ground.postgres import start_temporary

RESULTS = Path(__file__).parent / "results"


@contextmanager
def durable_postgres() -> Iterator[str]:
    """The URL of a fresh, migrated PostgreSQL that really writes to disk (fsync on)."""
    with tempfile.TemporaryDirectory(prefix="tallystick-bench-") as directory:
        server = start_temporary(None, Path(directory), fsync=True)
        try:
            migrate(server.url)
            yield server.url
        finally:
            server.stop()


def peak_memory_mib() -> float:
    """Peak resident memory of this process."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def percentile(values: list[float], share: float) -> float:
    """The value below which this share of the values lies."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def publish(name: str, figures: Mapping[str, float | int | str]) -> None:
    """Print the figures and keep them as JSON."""
    table = Table(title=name)
    table.add_column("figure")
    table.add_column("value", justify="right")
    for label, value in figures.items():
        table.add_row(
            label, f"{value:,.2f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else value
        )
    Console().print(table)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(dict(figures), indent=2) + "\n")
