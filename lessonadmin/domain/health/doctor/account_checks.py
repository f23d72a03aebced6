"""Doctor checks of signing in: are staff safe from a stolen password, can every second factor be read, does single sign-on answer?"""

from sqlalchemy import Connection

from lessonadmin.domain.health.doctor.examination import DoctorContext, Line, fail, ok, warn
from lessonadmin.domain.second_factor import authenticator_app, factors
from lessonadmin.oidc import provider
from lessonadmin.oidc.errors import ProviderAway, ProviderWrong

NAME = "second step"
MANUAL = "docs/operate.md, Second step"


def second_factor(context: DoctorContext) -> list[Line]:
    with context.connection() as connection:
        return [_staff(context, connection), *_keys(connection)]


def _staff(context: DoctorContext, connection: Connection) -> Line:
    settings = context.settings
    without = connection.execute(factors.staff_without()).scalar_one()
    if settings.staff_second_factor == "required":
        waiting = f" Accounts that must still set one up: {without}." if without else ""
        return ok(NAME, f"Staff need a second step to sign in.{waiting}")
    if not without:
        return ok(NAME, "All staff have a second step, although it is optional.")
    if not settings.mux_is_real and not settings.https:
        return ok(NAME, "Mux is simulated and PUBLIC_URL is not https: staff need none to try it out.")
    return warn(
        NAME,
        f"A stolen password alone opens accounts of staff: {without}.",
        f"Set STAFF_SECOND_FACTOR=required ({MANUAL}); the panel lists them under Accounts, No second step.",
    )


def _keys(connection: Connection) -> list[Line]:
    old, unreadable = connection.execute(authenticator_app.under_other_keys()).one()
    lines = []
    if unreadable:
        lines.append(
            warn(
                NAME,
                f"SECRET_KEY was changed without SECRET_KEY_FALLBACKS: authenticator apps that cannot be read: {unreadable}.",
                f"Put the former key into SECRET_KEY_FALLBACKS ({MANUAL}); else their owners need a recovery code.",
            )
        )
    if old - unreadable:
        lines.append(
            warn(
                NAME,
                f"Authenticator apps that are encrypted with a former SECRET_KEY: {old - unreadable}.",
                "Run: flask --app app users seal-anew. Only then take the former key out of SECRET_KEY_FALLBACKS.",
            )
        )
    return lines


def single_sign_on(context: DoctorContext) -> list[Line]:
    """Does the provider answer, and is it the one of the settings?"""
    name = "single sign-on"
    if context.settings.oidc_issuer is None:
        return [ok(name, "OIDC_ISSUER is not set: people sign in here.")]
    try:
        provider.forget()
        provider.keys()
    except (ProviderAway, ProviderWrong) as error:
        todo = "Compare OIDC_ISSUER with the provider's own settings, letter by letter (docs/operate.md, Single sign-on)."
        return [fail(name, f"The provider cannot be used: {error}.", todo)]
    return [ok(name, f"{context.settings.oidc_issuer} answers with its addresses and keys.")]
