"""Settings: whole, checked, and named all at once when they are wrong."""

from pathlib import Path

import pytest

from devstack.stack import SIMULATED
from lessonadmin import config
from muxsim.options import DEFAULT_SECRET, DEFAULT_TOKENS
from tests.cases import each_of
from tests.settings import REQUIRED, environment, overridden

WHOLE = environment(database_url="postgresql://u:p@h/db", redis_url="redis://h:6379/0")


def load(**changes: str | None) -> config.Settings:
    given = {**WHOLE, **{name: value for name, value in changes.items() if value is not None}}
    return config.load({name: value for name, value in given.items() if changes.get(name, "") is not None})


def complaint(**changes: str | None) -> str:
    with pytest.raises(config.SettingsError) as caught:
        load(**changes)
    return str(caught.value)


def test_an_empty_environment_names_every_required_setting_in_one_line() -> None:
    with pytest.raises(config.SettingsError) as caught:
        config.load({})
    message = str(caught.value)
    assert all(name in message for name in REQUIRED)
    assert "\n" not in message


@each_of("name", REQUIRED)
@each_of("value", [None, "", "   "])
def test_unset_and_empty_are_the_same(name: str, value: str | None) -> None:
    assert name in complaint(**{name: value})


@each_of(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://h/db"),
        ("DATABASE_URL", "lessons.db"),
        ("REDIS_URL", "http://h:6379"),
        ("PUBLIC_URL", "lessons.example.org"),
        ("PUBLIC_URL", "ftp://lessons.example.org"),
        ("PUBLIC_URL", "https://h:notaport"),
        ("PUBLIC_URL", "https://h/?x=1"),
        ("PUBLIC_URL", "https://h/lessons"),
        ("PUBLIC_URL", "https://me:pw@h"),
        ("MUX_API_URL", "//api.mux.com"),
        ("UPLOAD_MAX_MB", "many"),
        ("UPLOAD_MAX_MB", "0"),
        ("UPLOAD_MAX_MB", "-5"),
        ("UPLOAD_MAX_MB", "1.5"),
        ("UPLOAD_MAX_MB", "9" * 40),
        ("UPLOAD_TIMEOUT_SECONDS", "59"),
        ("UPLOAD_TIMEOUT_SECONDS", "604801"),
        ("STAFF_SECOND_FACTOR", "yes"),
        ("OIDC_ISSUER", "http://login.school.example"),
        ("OIDC_ISSUER", "https://user@login.school.example"),
        ("OIDC_ISSUER", "https://login.school.example?x=1"),
        ("OIDC_ISSUER", "login.school.example"),
        ("OIDC_NEW_PEOPLE", "instructor"),
        ("OIDC_ROLES", "teachers"),
        ("OIDC_ROLES", "teachers=admin"),
        ("OIDC_ROLES", "=support"),
        ("STAFF_SECOND_FACTOR", "Required"),
        ("SWEEP_EVERY_SECONDS", "0"),
        ("MUX_WEBHOOK_SECRETS", " , ,"),
        ("UPLOAD_TYPES", ","),
        ("MAIL_URL", "mail.example.org"),
        ("MAIL_URL", "smtp://"),
        ("TRUSTED_PROXIES", "*"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,proxy"),
        ("TRUSTED_PROXIES", "0.0.0.0/0"),
        ("TRUSTED_PROXIES", ","),
        ("MAIL_URL", "smtp+insecure://u:p@mail.example.org"),
        ("MUX_PLAN_LIMITS", "videos"),
        ("MUX_PLAN_LIMITS", "videos=0"),
        ("MUX_PLAN_LIMITS", "films=10"),
        ("KEEP_DAYS", "mux_events=1"),
        ("KEEP_DAYS", "users=30"),
        ("KEEP_DAYS", "mux_events"),
        ("KEEP_DAYS", "mux_events=-5"),
        ("KEEP_DAYS", "mux_events=x"),
        ("CURRENCY", "euro"),
        ("CURRENCY", "XXX"),
        ("PUBLIC_URL", "https://h//"),
        ("UPLOAD_MAX_MB", "+5"),
        ("UPLOAD_MAX_MB", "1_000"),
    ],
)
def test_a_malformed_setting_is_named(name: str, value: str) -> None:
    assert name in complaint(**{name: value})


def test_the_message_is_one_line_that_says_of_each_what_it_must_be() -> None:
    message = complaint(SECRET_KEY=None, REDIS_URL=None, UPLOAD_MAX_MB="x", MUX_SIGNING_KEY_ID="k")
    assert message == (
        "Lessonadmin cannot start: missing settings: REDIS_URL, SECRET_KEY; "
        "UPLOAD_MAX_MB must be a whole number from 1 to 10000000; "
        "MUX_SIGNING_KEY_ID and MUX_SIGNING_PRIVATE_KEY must be set together."
    )


@pytest.mark.parametrize(("currency", "has"), [("JPY", "none"), ("kwd", "three")])
def test_a_currency_without_hundredths_is_refused_with_the_reason(currency: str, has: str) -> None:
    sentence = f"CURRENCY must be a currency with two decimals, and {currency.upper()} has {has}."
    assert complaint(CURRENCY=currency).endswith(sentence)


def test_a_second_factor_of_staff_is_optional_unless_it_is_required() -> None:
    assert load().staff_second_factor == "optional"
    assert load(STAFF_SECOND_FACTOR="required").staff_second_factor == "required"


def test_single_sign_on_is_whole_or_off() -> None:
    assert load().oidc_issuer is None
    whole = {"OIDC_ISSUER": "https://login.school.example/", "OIDC_CLIENT_ID": "x", "OIDC_CLIENT_SECRET": "y"}
    assert load(**whole).oidc_issuer == "https://login.school.example/", "letter by letter"
    assert load(**{**whole, "OIDC_ISSUER": "http://127.0.0.1:9400"}).oidc_issuer == "http://127.0.0.1:9400"
    for name in whole:
        said = complaint(**{one: value for one, value in whole.items() if one != name})
        assert "OIDC_ISSUER, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET must be set together" in said
    for half in ({"OIDC_ROLE_CLAIM": "groups"}, {"OIDC_ROLES": "a=support"}):
        assert "OIDC_ROLE_CLAIM and OIDC_ROLES must be set together" in complaint(**half)
    given = load(**whole, OIDC_ROLE_CLAIM="groups", OIDC_ROLES="a b = support, cn=x=student")
    assert given.oidc_roles == (("a b", "support"), ("cn=x", "student"))


def test_prices_are_in_euros_unless_another_currency_is_set() -> None:
    assert load().currency == "EUR"
    assert load(CURRENCY="chf").currency == "CHF"


def test_a_token_that_is_missing_is_named_once_though_the_workers_is_made_of_it() -> None:
    message = complaint(MUX_TOKEN_ID=None, MUX_WORKER_TOKEN_ID=None)
    assert message == "Lessonadmin cannot start: missing settings: MUX_TOKEN_ID."


def test_missing_and_malformed_are_named_together() -> None:
    message = complaint(SECRET_KEY=None, REDIS_URL=None, UPLOAD_MAX_MB="x", PUBLIC_URL="y")
    assert all(name in message for name in ("SECRET_KEY", "REDIS_URL", "UPLOAD_MAX_MB", "PUBLIC_URL"))


def test_no_secret_is_repeated_in_the_complaint() -> None:
    assert "hunter2" not in complaint(DATABASE_URL="mysql://u:hunter2@h/db", SECRET_KEY=None)
    assert "hunter2" not in complaint(MAIL_URL="smtp://u:hunter2/x@h:587")
    assert "hunter2" not in complaint(MAIL_URL="smtp+insecure://u:hunter2@h:587")


@pytest.mark.parametrize(
    "prefix", ["postgres://", "postgresql://", "postgresql+psycopg2://", "postgresql+psycopg://"]
)
def test_any_driver_suffix_becomes_ours(prefix: str) -> None:
    assert load(DATABASE_URL=f"{prefix}u@h/db").database_url == "postgresql+psycopg://u@h/db"


def test_secrets_are_not_in_the_representation() -> None:
    secrets = {
        "DATABASE_URL": "postgresql://u:hunter2@h/db",
        "REDIS_URL": "redis://:hunter2@h:6379/0",
        "MAIL_URL": "smtp://u:hunter2@h:587",
        "SENTRY_DSN": "https://hunter2@sentry.example/1",
        "MUX_SIGNING_KEY_ID": "k",
        **dict.fromkeys(
            (
                "SECRET_KEY",
                "MUX_TOKEN_SECRET",
                "MUX_WORKER_TOKEN_SECRET",
                "MUX_WEBHOOK_SECRETS",
                "MUX_SIGNING_PRIVATE_KEY",
                "METRICS_TOKEN",
            ),
            "hunter2",
        ),
    }
    shown = repr(load(**secrets))
    assert "web-token" in shown
    assert "hunter2" not in shown


def test_a_variable_in_other_letters_is_another_variable() -> None:
    assert load(metrics_token="x", Metrics_Token="y").metrics_token is None


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load().public_url = "https://other.example"  # type: ignore[misc]


def test_only_what_is_handed_over_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICS_TOKEN", "of-the-process")
    assert load().metrics_token is None


def test_every_setting_says_what_it_is() -> None:
    assert not [name for name, field in config.Settings.model_fields.items() if not field.description]


def test_a_test_changes_only_settings_that_exist(app: object) -> None:
    before = config.current()
    with overridden(upload_max_mb=1) as changed:
        assert config.current() is changed
        assert (changed.upload_max_mb, changed.public_url) == (1, before.public_url)
    assert config.current() is before
    with pytest.raises(AssertionError, match="uploads_max"), overridden(uploads_max=1):
        pass


def test_lives_are_read_with_and_without_spaces() -> None:
    found = load(KEEP_DAYS="mux_events=40, notifications = 90").keep_days
    assert found == (("mux_events", 40), ("notifications", 90))


def test_lists_forgive_spaces_and_trailing_commas() -> None:
    assert load(MUX_WEBHOOK_SECRETS=" one, two ,").mux_webhook_secrets == ("one", "two")


def test_the_workers_token_is_the_webs_unless_it_is_set() -> None:
    settings = load(MUX_WORKER_TOKEN_ID=None, MUX_WORKER_TOKEN_SECRET=None)
    assert settings.mux_worker_token_id == settings.mux_token_id
    assert settings.mux_worker_token_secret == settings.mux_token_secret
    assert load(MUX_WORKER_TOKEN_ID="w", MUX_WORKER_TOKEN_SECRET="s").mux_worker_token_id == "w"


def test_origins_lose_their_last_slash() -> None:
    assert load(PUBLIC_URL="https://lessons.example.org/").public_url == "https://lessons.example.org"


def test_signing_needs_both_its_settings() -> None:
    assert "together" in complaint(MUX_SIGNING_KEY_ID="k")
    signed = load(MUX_SIGNING_KEY_ID="k", MUX_SIGNING_PRIVATE_KEY="p")
    assert (signed.playback_policy, load().playback_policy) == ("signed", "public")


REAL = {"MUX_API_URL": "https://api.mux.com"}
HTTPS = {"PUBLIC_URL": "https://lessons.example.org"}


@each_of("serious", [REAL, HTTPS])
@each_of(
    ("name", "weak", "good"),
    [
        ("SECRET_KEY", "k" * 31, "k" * 32),
        ("SECRET_KEY_FALLBACKS", f"{'k' * 31},{'l' * 40}", f"{'k' * 32},{'l' * 40}"),
        ("MUX_WEBHOOK_SECRETS", f"{'w' * 15},{'v' * 40}", f"{'w' * 16},{'v' * 40}"),
        ("MUX_WEBHOOK_SECRETS", f"{'v' * 40},{DEFAULT_SECRET}", "v" * 40),
        ("MUX_TOKEN_SECRET", DEFAULT_TOKENS[0].secret, "s"),
        ("MUX_WORKER_TOKEN_SECRET", DEFAULT_TOKENS[1].secret, "s"),
    ],
)
def test_weak_secrets_stop_a_start_that_is_meant_seriously(
    serious: dict[str, str], name: str, weak: str, good: str
) -> None:
    message = complaint(**serious, **{name: weak})
    assert name in message
    assert "secrets.token_hex(32)" in message
    assert "\n" not in message
    assert not [secret for secret in weak.split(",") if secret in message]
    assert load(**serious, **{name: good})
    assert load(**{name: weak}), "with a simulator on http it starts"


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    key = "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----"
    (tmp_path / "database").write_text("postgresql://u:hunter2@h/db\n")
    (tmp_path / "key").write_text(f"{key}\n")
    found = load(
        DATABASE_URL=None,
        DATABASE_URL_FILE=str(tmp_path / "database"),
        MUX_SIGNING_KEY_ID="id",
        MUX_SIGNING_PRIVATE_KEY_FILE=f" {tmp_path / 'key'} ",
    )
    assert found.database_url == "postgresql+psycopg://u:hunter2@h/db"
    assert found.mux_signing_private_key == key


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "SECRET_KEY_FILE cannot be read (FileNotFoundError)"),
        (b"\xff\xfe\x00", "SECRET_KEY_FILE cannot be read (UnicodeDecodeError)"),
        (b" \n", "missing settings: SECRET_KEY"),
    ],
)
def test_a_file_without_a_secret_is_named(tmp_path: Path, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    message = complaint(SECRET_KEY=None, SECRET_KEY_FILE=str(tmp_path / "key"))
    assert said in message
    assert str(tmp_path) not in message


def test_a_secret_that_is_given_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k" * 40)
    assert "SECRET_KEY and SECRET_KEY_FILE are both set" in complaint(SECRET_KEY_FILE=str(tmp_path / "key"))


def test_what_is_no_secret_is_not_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("https://lessons.example.org")
    assert "PUBLIC_URL" in complaint(PUBLIC_URL=None, PUBLIC_URL_FILE=str(tmp_path / "url"))


def test_all_weak_secrets_are_named_at_once() -> None:
    weak = {"SECRET_KEY": "x", "MUX_WEBHOOK_SECRETS": "a"}
    assert all(name in complaint(**REAL, **weak) for name in weak)


@pytest.mark.parametrize("name", ["MUX_TOKEN_ID", "MUX_TOKEN_SECRET", "MUX_WEBHOOK_SECRETS"])
def test_what_bin_run_makes_for_the_simulator_is_not_for_the_real_mux(name: str) -> None:
    made = {name: SIMULATED + "f" * 64}
    assert name in complaint(**REAL, **made)
    assert load(**HTTPS, **made), "a simulator behind https is a school to try out"


def test_defaults_are_the_documented_ones() -> None:
    settings = load(MUX_API_URL=None, MUX_STREAM_URL=None, MUX_IMAGE_URL=None)
    assert settings.mux_api_url == "https://api.mux.com"
    assert (settings.upload_max_mb, settings.upload_timeout_seconds) == (2000, 259200)
    assert (settings.uploads_per_hour, settings.asks_per_minute) == (120, 10)
    assert (settings.stuck_after_seconds, settings.recheck_after_seconds) == (1800, 60)
    assert (settings.sweep_every_seconds, settings.replaced_grace_seconds) == (30, 86400)
    assert (settings.mail_url, settings.metrics_token, settings.mux_env_key) == (None, None, None)
    assert settings.upload_types[0] == "video/mp4"


def test_proxies_are_read_as_networks_and_none_is_the_default() -> None:
    assert not load().trusted_proxies
    found = load(TRUSTED_PROXIES="10.0.0.0/8, 2001:db8::/32, 192.0.2.7, unix").trusted_proxies
    assert [str(network) for network in found.networks] == ["10.0.0.0/8", "2001:db8::/32", "192.0.2.7/32"]
    assert found.unix
