"""What the doctor says of the second step of staff, and of secrets that a change of SECRET_KEY closes."""

from sqlalchemy.orm import Session

from lessonadmin import config
from lessonadmin.db import db
from lessonadmin.domain.health.doctor import account_checks
from lessonadmin.domain.health.doctor.examination import DoctorContext, Line
from tests.factories import give_app, make_user
from tests.provider import running, settings_for
from tests.settings import overridden

REAL = {"public_url": "https://lessons.school.example"}


def lines() -> list[Line]:
    return account_checks.second_factor(DoctorContext(db.engine, config.current()))


def test_optional_and_staff_without_one_is_a_warning_of_a_real_school(session: Session) -> None:
    make_user(role="support")
    make_user(role="admin")
    assert [line.level for line in lines()] == ["ok"], "a simulator on http is for trying out"
    with overridden(**REAL):
        (line,) = lines()
    assert line.level == "warn"
    assert line.says == "A stolen password alone opens accounts of staff: 2."
    assert "STAFF_SECOND_FACTOR=required" in line.todo


def test_optional_and_all_have_one_is_fine(session: Session) -> None:
    make_user()
    give_app(make_user(role="admin"))
    with overridden(**REAL):
        (line,) = lines()
    assert (line.level, line.says) == ("ok", "All staff have a second step, although it is optional.")


def test_required_says_how_many_still_have_to_set_it_up(session: Session) -> None:
    make_user(role="support")
    with overridden(**REAL, staff_second_factor="required"):
        (line,) = lines()
    assert line.level == "ok"
    assert line.says == "Staff need a second step to sign in. Accounts that must still set one up: 1."


def test_a_changed_key_is_warned_of_before_and_after_it_is_too_late(session: Session) -> None:
    give_app(make_user())
    former = config.current().secret_key
    with overridden(secret_key="a new key", secret_key_fallbacks=(former,)):
        _, line = lines()
        assert line.level == "warn"
        assert "seal-anew" in line.todo
    with overridden(secret_key="a new key"):
        _, line = lines()
        assert line.level == "warn"
        assert "cannot be read: 1" in line.says


def test_the_provider_is_asked_and_its_faults_are_said(session: Session) -> None:
    def line() -> Line:
        (found,) = account_checks.single_sign_on(DoctorContext(db.engine, config.current()))
        return found

    assert line().says == "OIDC_ISSUER is not set: people sign in here."
    with running() as school, overridden(**settings_for(school)):
        assert (line().level, line().says) == ("ok", f"{school.url} answers with its addresses and keys.")
        school.document = {"issuer": f"{school.url}/"}
        assert line().level == "FAIL"
        assert "another issuer" in line().says
    with overridden(oidc_issuer="http://127.0.0.1:1"):
        assert "does not answer" in line().says
