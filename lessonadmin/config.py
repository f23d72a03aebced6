"""The settings: one field each, read once from the environment and checked as a whole.

A start with wrong settings ends with one message that names everything that is missing or malformed, and never quotes
a value. A secret may stand in a file that its name with _FILE names, as container platforms hand them over; no other file is
opened. Nothing here talks to a server or knows of Flask.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from lessonadmin import setting_values
from lessonadmin.security import addresses, provider_settings, secret_strength
from lessonadmin.text import currencies


class SettingsError(Exception):
    """The environment does not describe a working Lessonadmin; the text names everything that is wrong."""


def _as_the_webs(name: str) -> Callable[[dict[str, Any]], str]:
    """The default of a worker's setting: what the web has."""
    return lambda settings: str(settings[name])


Address = Annotated[str, BeforeValidator(setting_values.address)]
Items = Annotated[tuple[str, ...], BeforeValidator(setting_values.items)]
Limits = tuple[tuple[str, int], ...]


class Settings(BaseSettings):
    """One field a setting, in lower case; the environment has the same name in upper case.

    A field without a default is required. What may hold a secret is left out of the representation.
    """

    # enable_decoding: the text of a list is separated by commas, it is not JSON
    model_config = SettingsConfigDict(
        frozen=True, enable_decoding=False, validate_default=False, hide_input_in_errors=True
    )

    database_url: Annotated[str, BeforeValidator(setting_values.database_url)] = Field(
        repr=False, description="PostgreSQL; an ordinary role, never a superuser"
    )
    migration_database_url: Annotated[str, BeforeValidator(setting_values.database_url)] | None = Field(
        None,
        repr=False,
        description="the same database as the owner of the tables, for `flask db upgrade`; none: one role does all",
    )
    database_pooler: Annotated[
        Literal["none", "transaction"], setting_values.one_of("none", "transaction")
    ] = Field(
        "none",
        description="`transaction`: web's DATABASE_URL leads through a pooler in transaction mode, such as pgbouncer",
    )
    redis_url: Annotated[str, BeforeValidator(setting_values.redis_url)] = Field(
        repr=False, description="Redis, for queues and locks"
    )
    secret_key: str = Field(repr=False, description="signs sessions")
    secret_key_fallbacks: Items = Field(
        (), repr=False, description="former values of the key: sessions that they signed go on"
    )
    public_url: Annotated[str, BeforeValidator(setting_values.origin)] = Field(
        description="the public origin of the site, for uploads, cookies and links in mail"
    )
    mux_token_id: str = Field(description="the web's token (high priority)")
    mux_token_secret: str = Field(repr=False, description="the secret of the web's token")
    mux_worker_token_id: str = Field(
        default_factory=_as_the_webs("mux_token_id"), description="the workers' token (low priority)"
    )
    mux_worker_token_secret: str = Field(
        default_factory=_as_the_webs("mux_token_secret"),
        repr=False,
        description="the secret of the workers' token",
    )
    mux_webhook_secrets: Items = Field(repr=False, description="any of them may sign a webhook")
    mux_api_url: Address = Field("https://api.mux.com", description="Mux's API; it may stand behind a path")
    mux_stream_url: Address = Field("https://stream.mux.com", description="where videos are played from")
    mux_image_url: Address = Field("https://image.mux.com", description="where still pictures come from")
    mux_signing_key_id: str | None = Field(None, description="set: new uploads are signed, else public")
    mux_signing_private_key: str | None = Field(
        None, repr=False, description="the private half of the signing key"
    )
    upload_max_mb: Annotated[int, setting_values.whole_number(1, 10_000_000)] = Field(
        2000, description="the largest file of an upload"
    )
    upload_types: Items = Field(
        (
            "video/mp4",
            "video/quicktime",
            "video/webm",
            "video/x-matroska",
            "video/mpeg",
            "video/x-msvideo",
        ),
        description="the types of file that are taken",
    )
    # Mux itself refuses an upload life outside one minute to seven days
    upload_timeout_seconds: Annotated[int, setting_values.whole_number(60, 604_800)] = Field(
        259200, description="life of an upload URL: how long an interrupted upload can go on"
    )
    uploads_per_hour: Annotated[int, setting_values.whole_number(1, 1_000_000)] = Field(
        120, description="upload URLs that a user may ask for"
    )
    asks_per_minute: Annotated[int, setting_values.whole_number(1, 1_000_000)] = Field(
        10, description="checks at Mux that a user may ask for"
    )
    mux_env_key: str | None = Field(None, description="set: the catalogue's player reports to Mux Data")
    stuck_after_seconds: Annotated[int, setting_values.whole_number(1, 31_536_000)] = Field(
        1800, description="when a lesson counts as stuck"
    )
    recheck_after_seconds: Annotated[int, setting_values.whole_number(1, 86_400)] = Field(
        60, description="silence after which Mux is asked"
    )
    sweep_every_seconds: Annotated[int, setting_values.whole_number(1, 3_600)] = Field(
        30, description="the clock's tick"
    )
    replaced_grace_seconds: Annotated[int, setting_values.whole_number(0, 31_536_000)] = Field(
        86400, description="how long a replaced video can be brought back"
    )
    time_zone: Annotated[ZoneInfo, BeforeValidator(setting_values.time_zone)] = Field(
        ZoneInfo("UTC"),
        description="the school's time zone, for planned publications: a name such as Europe/Berlin",
    )
    trash_days: Annotated[int, setting_values.whole_number(0, 3_650)] = Field(
        30, description="how long the trash keeps"
    )
    files_bucket: str | None = Field(
        None,
        description="a bucket of an S3-compatible store for files of lessons; none: they stay in PostgreSQL",
    )
    files_endpoint: Address | None = Field(
        None, description="where that store is; none: Amazon's, by the region"
    )
    files_region: str = Field("us-east-1", description="the region of the bucket")
    files_access_key_id: str | None = Field(None, description="the key for the bucket")
    files_secret_access_key: str | None = Field(None, repr=False, description="the secret of that key")
    currency: Annotated[str, BeforeValidator(currencies.read)] = Field(
        "EUR", description="what every price is in: a code of ISO 4217 with two decimals"
    )
    mail_url: Annotated[str, BeforeValidator(setting_values.mail_url)] | None = Field(
        None, repr=False, description="the mail server; none: notices stay in the app"
    )
    metrics_token: str | None = Field(None, repr=False, description="opens /metrics besides staff")
    security_contact: Annotated[str, BeforeValidator(setting_values.contact)] | None = Field(
        None, description="whom to tell of security holes: an address or page for /.well-known/security.txt"
    )
    trusted_proxies: Annotated[addresses.Trusted, BeforeValidator(setting_values.networks)] = Field(
        addresses.NO_PROXIES, description="the proxies before web, as networks or addresses, or unix"
    )
    staff_second_factor: Annotated[
        Literal["optional", "required"], setting_values.one_of("optional", "required")
    ] = Field("optional", description="whether staff must prove a second factor: optional or required")
    oidc_issuer: Annotated[str, BeforeValidator(provider_settings.issuer)] | None = Field(
        None, description="the provider of single sign-on (OpenID Connect), as it names itself"
    )
    oidc_client_id: str | None = Field(None, description="what the provider calls Lessonadmin")
    oidc_client_secret: str | None = Field(None, repr=False, description="what it proves itself with")
    oidc_name: str = Field("single sign-on", description="as the sign-in page calls the provider")
    oidc_hosts: Items = Field((), description="further hosts of the provider that may be called")
    oidc_new_people: Annotated[Literal["refused", "student"], setting_values.one_of("refused", "student")] = (
        Field("refused", description="who is unknown here: refused, or given an account as student")
    )
    oidc_role_claim: str | None = Field(None, description="the claim that says the role")
    oidc_roles: Annotated[
        tuple[tuple[str, str], ...],
        BeforeValidator(lambda value: provider_settings.roles(setting_values.items(value))),
    ] = Field((), description="which value of that claim means which role")
    sentry_dsn: str | None = Field(None, repr=False, description="where errors are reported, scrubbed")
    keep_days: Annotated[Limits, BeforeValidator(setting_values.keep_days)] = Field(
        (), description="how long events, audit rows and others are kept, table by table"
    )
    mux_plan_limits: Annotated[Limits, BeforeValidator(setting_values.plan_limits)] = Field(
        (), description="what the Mux plan includes; a warning comes before it is used up"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *_others: PydanticBaseSettingsSource,
        **_more: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what load() hands over: no .env file, and no variable that load() was not given."""
        return (init_settings,)

    @property
    def https(self) -> bool:
        return urlsplit(self.public_url).scheme == "https"

    @property
    def mux_is_real(self) -> bool:
        """Is this Mux itself, and not a simulator or a recorder of calls?"""
        host = urlsplit(self.mux_api_url).hostname or ""
        return host == "mux.com" or host.endswith(".mux.com")

    @property
    def signs_playback(self) -> bool:
        return bool(self.mux_signing_key_id and self.mux_signing_private_key)

    @property
    def playback_policy(self) -> str:
        """The policy that new uploads ask for."""
        return "signed" if self.signs_playback else "public"


class _Environment(EnvSettingsSource):
    """The settings in a given environment, under their names in upper case; a blank one is not set."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(Settings)
        self.env_vars = {
            name.lower(): text
            for name, value in environ.items()
            if name == name.upper() and (text := value.strip())
        }


FROM_FILES = tuple(name for name, field in Settings.model_fields.items() if not field.repr)  # the secrets
FILE_BYTES = 65_536


def _with_files(environ: Mapping[str, str], problems: list[str]) -> dict[str, str]:
    """The environment with what stands in the files of secrets; what is wrong with one is added to the problems."""
    found = dict(environ)
    for name in (name.upper() for name in FROM_FILES):
        path = environ.get(f"{name}_FILE", "").strip()
        if path and environ.get(name, "").strip():
            problems.append(f"{name} and {name}_FILE are both set")
        elif path:
            try:
                with Path(path).open("rb") as file:
                    found[name] = file.read(FILE_BYTES).decode()
            except (OSError, ValueError) as error:
                problems.append(f"{name}_FILE cannot be read ({type(error).__name__})")
    return found


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read every setting, or raise one SettingsError that names all that are missing or malformed."""
    problems: list[str] = []
    given = _Environment(_with_files(environ, problems))()
    try:
        settings = Settings(**given)
    except ValidationError as error:
        problems += _complaints(error)
    if ("mux_signing_key_id" in given) != ("mux_signing_private_key" in given):
        problems.append("MUX_SIGNING_KEY_ID and MUX_SIGNING_PRIVATE_KEY must be set together")
    oidc = {name for name in ("oidc_issuer", "oidc_client_id", "oidc_client_secret") if name in given}
    if oidc and len(oidc) < 3:
        problems.append("OIDC_ISSUER, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET must be set together")
    files = {
        name for name in ("files_bucket", "files_access_key_id", "files_secret_access_key") if name in given
    }
    if files and len(files) < 3:
        problems.append("FILES_BUCKET, FILES_ACCESS_KEY_ID and FILES_SECRET_ACCESS_KEY must be set together")
    if ("oidc_role_claim" in given) != ("oidc_roles" in given):
        problems.append("OIDC_ROLE_CLAIM and OIDC_ROLES must be set together")
    if not problems and (weak := secret_strength.complaint(settings)):
        problems.append(weak)
    if problems:
        raise SettingsError("Lessonadmin cannot start: " + "; ".join(problems) + ".")
    return settings


def _complaints(error: ValidationError) -> Iterator[str]:
    """First all that are missing, then each that is malformed."""
    wrong = error.errors(include_url=False, include_input=False)
    missing = [str(one["loc"][0]).upper() for one in wrong if one["type"] == "missing"]
    if missing:
        yield "missing settings: " + ", ".join(missing)
    for one in wrong:
        if one["type"] == "value_error":
            yield f"{str(one['loc'][0]).upper()} {one['ctx']['error']}"


_current: Settings | None = None


def use(settings: Settings) -> None:
    """Make these the settings of this process; create_app() does it once."""
    global _current
    _current = settings


def current() -> Settings:
    """The settings of this process."""
    if _current is None:
        raise RuntimeError("settings are asked for before create_app() has loaded them")
    return _current
