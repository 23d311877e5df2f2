"""What commands say: JSON for scripts, sentences for errors. Not for logs, which go through ground/logging.py."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import typer


def fail(message: str) -> NoReturn:
    """Say what is wrong on stderr and end with status 1."""
    typer.echo(f"tallystick: {message}", err=True)
    raise typer.Exit(1)


def print_json(value: Any) -> None:
    """One JSON document on stdout; dates and ids as text."""
    typer.echo(json.dumps(value, indent=2, default=str, ensure_ascii=False))


@contextmanager
def sentences() -> Iterator[None]:
    """Errors that a person at the terminal can mend become a sentence; all others keep their trace."""
    import psycopg
    from sqlalchemy.exc import InterfaceError, OperationalError

    from tallystick.ground.errors import Invalid, TallystickError
    from tallystick.ground.postgres import EmbeddedPostgresError
    from tallystick.ground.settings import SettingsError

    try:
        yield
    except Invalid as error:
        fail(_refusals(error.details))
    except (SettingsError, EmbeddedPostgresError, TallystickError) as error:
        fail(str(error))
    except (psycopg.OperationalError, OperationalError, InterfaceError, ConnectionError, TimeoutError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        fail(f"The database cannot be reached: {reason}\nRun `tallystick doctor`.")


def _refusals(details: Any) -> str:
    """`{"country": ["value_is_invalid"]}` -> `country: value_is_invalid`."""
    if isinstance(details, str):
        return details
    return "; ".join(f"{field.replace('_', ' ')}: {', '.join(codes)}" for field, codes in details.items())
