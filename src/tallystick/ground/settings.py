"""The settings of an installation: one class, read from `TALLYSTICK_*` environment variables.

It is not for what an organization sets for itself (tables), nor for secrets the installation makes (kept_secrets.py).
Importing this module imports pydantic: commands that only print help import it inside their functions.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

WILDCARD_HOSTS = {"0.0.0.0", "::", ""}


class SettingsError(ValueError):
    """The environment holds a value that a setting refuses; the message names each variable, never its value."""


def _day_list(value: Any) -> Any:
    """`"15,45"` -> `(15, 45)`; anything but a string passes unchanged to the validation."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _alias_map(value: Any) -> Any:
    """`"canonical=alias,…"` -> `{canonical: alias}` (webhooks.md §1.11)."""
    if not isinstance(value, str):
        return value
    pairs = [part.partition("=") for part in value.split(",") if part.strip()]
    if not all(name.strip() and equals and alias.strip() for name, equals, alias in pairs):
        raise ValueError("expected canonical=alias, separated by commas")
    return {name.strip(): alias.strip() for name, _, alias in pairs}


def _directory(value: Any) -> Any:
    """An absolute path; `~` is the home of the user that runs the process."""
    try:
        return Path(value).expanduser().absolute()
    except RuntimeError as error:
        raise ValueError("the user has no home directory: give an absolute path") from error


class Settings(BaseSettings):
    """Every setting of an installation; `docs/user/configuration.md` has one line for each."""

    model_config = SettingsConfigDict(
        env_prefix="TALLYSTICK_", env_ignore_empty=True, frozen=True, validate_default=True, hide_input_in_errors=True
    )

    data_dir: Annotated[Path, BeforeValidator(_directory)] = Field(
        Path("~/.local/share/tallystick"),
        description="Directory of the embedded PostgreSQL and of the secrets the installation makes for itself.",
    )
    database_url: str | None = Field(
        None,
        repr=False,
        description="`postgresql://…` of a PostgreSQL 15 to 18 to use instead of the embedded one.",
    )
    postgres_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="Port of the embedded PostgreSQL on 127.0.0.1; without it a free one is chosen and remembered.",
    )
    admin_token: str | None = Field(
        None,
        repr=False,
        description="Bearer token of `/admin`; without it one is made and kept in the data directory.",
    )
    rsa_private_key: str | None = Field(
        None,
        repr=False,
        description="Path of a PEM file, or base64 of a PEM, with the RSA key that signs webhooks; without it one is "
        "made and kept in the database.",
    )
    host: str = Field("127.0.0.1", description="Address the HTTP server listens on.")
    port: int = Field(8000, ge=1, le=65535, description="Port the HTTP server listens on.")
    public_api_url: str = Field(
        "",
        description="Address under which callers reach the API (links, webhook issuer); without it `http://host:port`.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severity that is logged: `debug`, `info`, `warning` or `error`."
    )
    log_format: Literal["json", "console"] = Field(
        "json", description="`json` (one object a line) or `console` (for people)."
    )
    log_retention_days: int = Field(30, ge=1, description="Days for which API and webhook logs are kept.")
    worker_concurrency: int = Field(4, ge=1, description="Jobs one worker process runs at the same time.")
    events_batch_limit: int = Field(100, ge=1, description="Most events in one `POST /events/batch`.")
    rate_limit_events: int = Field(0, ge=0, description="Event requests per second and organization; `0` = no limit.")
    rate_limit_usage: int = Field(0, ge=0, description="Usage requests per second and organization; `0` = no limit.")
    rate_limit_other: int = Field(0, ge=0, description="Other requests per second and organization; `0` = no limit.")
    webhook_schedule: Literal["standard", "lago"] = Field(
        "standard", description="Delivery attempts of a webhook: `standard` (10 in about four days) or `lago` (3)."
    )
    webhook_timeout_seconds: int = Field(30, ge=1, description="Seconds a webhook endpoint has for its answer.")
    webhook_endpoint_concurrency: int = Field(8, ge=1, description="Deliveries in flight to one endpoint at most.")
    webhook_block_private: bool = Field(True, description="Refuse webhook endpoints on loopback and private addresses.")
    webhook_name_aliases: Annotated[dict[str, str], NoDecode, BeforeValidator(_alias_map)] = Field(
        {}, description="Other names for webhook types: `canonical=alias`, separated by commas."
    )
    legacy_event_error: Literal["off", "events.error", "event.error"] = Field(
        "off", description="Deprecated single event error: `off`, or the type under which it is sent."
    )
    termination_alert_days: Annotated[tuple[Annotated[int, Field(ge=1)], ...], NoDecode, BeforeValidator(_day_list)] = (
        Field((15, 45), description="Days before the end of a subscription on which its termination is announced.")
    )
    disable_events_validation: bool = Field(False, description="Switch off the hourly health check of events.")
    disable_pdf_generation: bool = Field(False, description="Make no PDF documents.")
    s3_bucket: str | None = Field(
        None, description="Bucket of an S3-compatible store for documents; without it they lie in the data directory."
    )
    s3_endpoint: str | None = Field(None, description="Address of the store, unless it is Amazon's.")
    s3_region: str = Field("us-east-1", description="Region of the bucket.")
    s3_access_key_id: str | None = Field(
        None, repr=False, description="Key of the store; without it that of the environment or of the machine's role."
    )
    s3_secret_access_key: str | None = Field(None, repr=False, description="Secret of that key.")
    s3_prefix: str | None = Field(None, description="Folder of the bucket in which all documents lie.")
    s3_link_seconds: int = Field(
        0,
        ge=0,
        le=604_800,
        description="Send readers on to signed addresses of the store that live so long; `0` = serve documents.",
    )
    smtp_host: str | None = Field(None, description="Mail server; without it no mails are sent.")
    smtp_port: int = Field(587, ge=1, le=65535, description="Port of the mail server.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="How the connection is made safe: `starttls`, `tls` (usually port 465) or `none`."
    )
    smtp_username: str | None = Field(None, description="User at the mail server; without it none is given.")
    smtp_password: str | None = Field(None, repr=False, description="Password at the mail server.")
    email_from: str | None = Field(
        None, description="Address that mails come from; without it, and where an organization wants it, the seller's."
    )
    subscription_activity_seconds: int = Field(
        5, ge=1, description="Seconds between two looks at subscriptions with new events (alerts, thresholds)."
    )
    wallet_refresh_seconds: int = Field(300, ge=1, description="Seconds between two refreshes of ongoing balances.")
    vies_api_base: str = Field(
        "https://ec.europa.eu/taxation_customs/vies/rest-api",
        description="Address of the registry that knows EU VAT numbers (VIES).",
    )
    lifetime_usage_refresh_seconds: int = Field(
        300, ge=1, description="Seconds between two refreshes of lifetime usage."
    )

    @model_validator(mode="before")
    @classmethod
    def _complete_public_api_url(cls, values: dict[str, Any]) -> dict[str, Any]:
        """A wildcard address is no address to call: `localhost` stands in for it."""
        if values.get("public_api_url"):
            return {**values, "public_api_url": str(values["public_api_url"]).rstrip("/")}
        host = values.get("host", "127.0.0.1")
        name = "localhost" if host in WILDCARD_HOSTS else f"[{host}]" if ":" in host else host
        return {**values, "public_api_url": f"http://{name}:{values.get('port', 8000)}"}


def load() -> Settings:
    """Read the settings from the environment; SettingsError names every variable that is refused."""
    try:
        return Settings()
    except ValidationError as error:
        lines = (f"TALLYSTICK_{str(each['loc'][0]).upper()}: {each['msg']}" for each in error.errors())
        raise SettingsError("\n".join(lines)) from None
