"""What an operator may set. Read once per process; nobody else reads the environment.

Every name has the prefix ``TRACEMARK_``; a secret may come from a file whose path stands in ``<NAME>_FILE``. All
problems are reported together, and a name that we do not know is refused: a misspelt setting is a setting not made.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from runtime.refusals import Fault, Invalid

PREFIX = "TRACEMARK_"


class SettingsWrong(Invalid):
    """The settings cannot be used: {problems}"""


class Settings(BaseSettings):
    """All settings, each with its unit in its name."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    environment: Literal["demo", "production"] = Field("demo", description="production refuses generated secrets")
    data_dir: Path = Field(
        Path("var"), description="embedded database, generated secrets, rendered labels, notice lists"
    )
    database_url: SecretStr | None = Field(
        None, description="postgresql://… of a server; without it the embedded one runs"
    )
    portal_database_url: SecretStr | None = Field(
        None, description="a login of its own for the public portal (recommended)"
    )
    base_url: str = Field("http://127.0.0.1:8080", description="public address printed in codes")
    master_secret: SecretStr | None = Field(
        None, description="wraps the serial keys and signs links; 32 or more characters"
    )
    database_pool_size: int = Field(10, ge=1, le=200)
    statement_timeout_ms: int = Field(60_000, ge=100, le=3_600_000)
    portal_statement_timeout_ms: int = Field(300, ge=50, le=10_000)
    confirm_within_s: float = Field(
        5.0, ge=1.0, le=60.0, description="older than this, a recall status is not confirmed"
    )
    sweep_every_s: float = Field(1.0, ge=0.1, le=10.0, description="how often the portal asks for the revision")
    company_prefix: str = Field(
        "", pattern=r"^([0-9]{4,12})?$", description="GS1 company prefix of the SSCCs that are issued here"
    )
    labels_max: int = Field(10_000_000, ge=1, le=100_000_000, description="most labels in one job")
    label_processes: int = Field(
        2, ge=1, le=32, description="processes that make the parts of one label rendering, each up to 300 MB"
    )
    capture_bytes_max: int = Field(
        2 * 1024**3, ge=1024, le=64 * 1024**3, description="largest EPCIS document over HTTP"
    )
    capture_at_once_bytes_max: int = Field(
        8 * 1024**2, ge=1024, le=32 * 1024**2, description="a larger EPCIS document over HTTP is captured by a worker"
    )
    smtp_host: str | None = Field(None, description="mail server; without it no mail is sent")
    smtp_port: int = Field(587, ge=1, le=65_535)
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_security: Literal["starttls", "tls", "none"] = Field("starttls", description="none only on a trusted network")
    mail_from: str | None = Field(None, description="the address that letters come from; bounces go there")
    mail_reply_to: str | None = Field(None, description="where answers by mail shall go")
    webhooks_to_private_addresses: bool = Field(
        False, description="lets webhooks go to http and to addresses of your own network"
    )
    link_hosts: str = Field("", description="hosts that links of products may lead to, with commas between them")
    languages_dir: Path | None = Field(
        None, description="folder with more languages of the public pages: LANGUAGE/LC_MESSAGES/portal.po"
    )
    edge_region_header: str = Field(
        "", description="header in which the edge tells a visitor's country (CN) or region (CN-ZJ)"
    )
    scans_kept_days: int = Field(395, ge=1, le=3_650, description="scans and sightings older than this are dropped")
    reports_kept_days: int = Field(
        730,
        ge=1,
        le=3_650,
        description="shoppers' reports, and contacts and photos of claims, older than this are dropped",
    )
    receipts_kept_days: int = Field(
        1_095, ge=1, le=36_500, description="receipts of checks older than this are dropped"
    )
    unusual_mail_to: str | None = Field(None, description="who is told by mail of codes that may have been copied")
    portal_posts_per_minute: int = Field(
        20, ge=1, le=10_000, description="forms and lists that one network may send to the portal"
    )
    portal_unknown_per_minute: int = Field(
        60, ge=1, le=100_000, description="unknown codes that one network may ask for"
    )
    portal_rows_per_minute: int = Field(
        2_000_000,
        ge=100,
        le=1_000_000_000,
        description="rows of lists that one address may have checked; an unknown code counts as 20",
    )
    portal_count_within_ms: int = Field(
        100, ge=10, le=10_000, description="how long a page of the portal waits for its count, in ms"
    )
    portal_patience: float = Field(
        1.0, ge=1.0, le=100.0, description="times its usual deadlines the portal waits for what stands beside a verdict"
    )
    portal_ready_mb: int = Field(
        256, ge=16, le=16_384, description="whole answers that each process of the portal keeps ready, in MB"
    )
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def link_host_list(self) -> tuple[str, ...]:
        """The hosts of ``link_hosts``."""
        return tuple(host.strip().lower() for host in self.link_hosts.split(",") if host.strip())

    def shared_by(self, processes: int) -> Settings:
        """The same for one of so many processes that serve one port: each has its share of what a network may spend.

        They tell each other nothing: a network whose connections all fall to one process has that one's share.
        """
        budgets = ("portal_posts_per_minute", "portal_unknown_per_minute", "portal_rows_per_minute")
        return self.model_copy(update={name: max(getattr(self, name) // processes, 1) for name in budgets})

    @field_validator("base_url")
    @classmethod
    def _address(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value.rstrip("/")

    @field_validator("master_secret")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < 32:
            raise ValueError("must have 32 characters or more")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what ``load`` hands over counts: the environment is read there, once, and checked for unknown names."""
        return (init_settings,)


def load(environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """Read the settings; ``overrides`` (from the command line) win.

    Raises ``SettingsWrong`` with one fault per problem: unknown names (with the nearest known one), unreadable secret
    files, values out of range.
    """
    environ = os.environ if environ is None else environ
    values, faults = _from_environment(environ)
    values.update({name: value for name, value in overrides.items() if value is not None})
    try:
        settings = Settings(**values)
        if not faults:
            return settings
    except ValidationError as error:
        faults += [
            Fault(f"{PREFIX}{'.'.join(map(str, e['loc'])).upper()}", e["msg"].removeprefix("Value error, "))
            for e in error.errors()
        ]
    raise SettingsWrong(problems="; ".join(f"{f.where}: {f.what}" for f in faults), faults=faults)


def _from_environment(environ: Mapping[str, str]) -> tuple[dict[str, Any], list[Fault]]:
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for name, text in sorted(environ.items()):
        if not name.startswith(PREFIX):
            continue
        field = name.removeprefix(PREFIX).lower()
        if field in Settings.model_fields:
            values[field] = text
        elif field.endswith("_file") and field.removesuffix("_file") in Settings.model_fields:
            try:
                values[field.removesuffix("_file")] = Path(text).read_text(encoding="utf-8").strip()
            except OSError as error:
                faults.append(Fault(name, f"cannot read {text}: {error.strerror}"))
        else:
            near = difflib.get_close_matches(field, Settings.model_fields, n=1)
            hint = f"; did you mean {PREFIX}{near[0].upper()}?" if near else ""
            faults.append(Fault(name, f"no such setting{hint}"))
    return values, faults
