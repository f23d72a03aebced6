"""No button is dead on the pages of instructors and students: lists, new things, courses, the catalogue, account, notifications."""

import uuid
from collections.abc import Callable

from playwright.sync_api import Page, Route

from tests.browser.pressing import Presser
from tests.browser.school import School
from tests.browser.stack import Person, Stack, Visitor
from tests.browser.test_states import BROKEN

# In the menu of the account on every page; pressed at the account, where each press begins with a sign-in.
SIGN_OUT = ("Sign out",)


def to_order(school: School) -> str:
    course = school.course("Bread")
    for position, title in enumerate("ABC", start=1):
        school.without_video(title, "none", course_id=course, position=position)
    return course


def preview(status: str, **row: object) -> Callable[[School], str]:
    def make(school: School) -> str:
        course = school.course("Bread")
        row_of_course = {
            "course_id": course,
            "owner_id": school.owner.id,
            "status": status,
            "upload_id": f"upload-{course}",
        }
        school.insert(("mux_asset_tracking", row_of_course | {"next_check_at": "tomorrow", **row}))
        school.stack.sql("UPDATE courses SET video_processing_status = %s WHERE id = %s", status, course)
        return course

    return make


COURSES: dict[str, Callable[[School], str]] = {
    "no lessons": lambda school: school.course("Bread"),
    "lessons to order": to_order,
    "preview ready": lambda school: school.course("Bread", preview=True),
    "preview uploading": preview("uploading"),
    "preview processing": preview("processing", mux_asset_id="asset-preview"),
    "preview failed": preview("error", **BROKEN),
}


def test_every_button_of_a_course(visit: Visitor, school: School, instructor: Person) -> None:
    page = visit(instructor, errors=True)
    presser = Presser(page)
    for state, make in COURSES.items():
        presser.press_all(
            f"course: {state}", lambda make=make: page.goto(f"/courses/{make(school)}/edit"), skip=SIGN_OUT
        )
    assert presser.dead == []
    assert presser.count > 2 * len(COURSES)


def test_every_button_of_an_instructors_lists_and_forms(
    visit: Visitor, school: School, instructor: Person
) -> None:
    for n in range(2):
        school.without_video(f"Lesson {n}", "none")
        school.course(f"Course {n}")
    page = visit(instructor, errors=True)
    presser = Presser(page)
    for address in (
        "/lessons",
        "/lessons?q=lesson",
        "/lessons/new",
        "/lessons/upload",
        "/courses",
        "/courses?q=x",
        "/courses/new",
        "/figures",
    ):
        presser.press_all(address, lambda address=address: page.goto(address), skip=SIGN_OUT)
    assert presser.dead == []
    assert presser.count > 6


def notified(school: School, page: Page) -> None:
    for n in range(7):
        lesson = school.without_video(f"Lesson {n}", "error")
        school.notice(
            school.owner, "video_failed", f"“Lesson {n}” failed.", lesson_id=lesson, cause="asset_errored"
        )
    school.notice(school.owner, "video_ready", "The video of “Rye” is ready.")
    page.goto("/notifications")


def test_every_button_of_the_notifications(visit: Visitor, school: School, instructor: Person) -> None:
    page = visit(instructor, errors=True)
    presser = Presser(page)
    presser.press_all("notifications", lambda: notified(school, page), skip=SIGN_OUT)
    assert presser.dead == []
    assert presser.count > 2


def account(visit: Visitor, school: School, page: Page, person: Person, address: str = "/account") -> None:
    """Signed in, and in another browser too, with two tokens; whatever the last press took away."""
    page.context.clear_cookies()
    visit.sign_in(page.context, person)
    school.insert(
        ("user_sessions", {"user_id": person.id, "secret_hash": str(uuid.uuid4()), "user_agent": "Firefox"})
    )
    for name in ("nightly", "weekly"):
        school.insert(("api_tokens", {"user_id": person.id, "name": name, "secret_hash": str(uuid.uuid4())}))
    page.goto(address)


def test_every_button_of_the_account(
    visit: Visitor, stack: Stack, school: School, instructor: Person
) -> None:
    with stack.web_with(MAIL_URL="smtp+insecure://127.0.0.1:9") as url:
        page = visit(instructor, errors=True, url=url)
        presser = Presser(page)
        presser.press_all("account", lambda: account(visit, school, page, instructor))
        presser.press_all(
            "sessions", lambda: account(visit, school, page, instructor, "/account/sessions"), skip=SIGN_OUT
        )
    student = stack.person("student")
    page = visit(student, errors=True)
    of_student = Presser(page)
    of_student.press_all("account of a student", lambda: account(visit, school, page, student))
    assert presser.dead + of_student.dead == []
    assert presser.count > 10


def test_every_button_of_what_a_student_sees(visit: Visitor, stack: Stack, school: School) -> None:
    course = school.course("Bread", description="Flour and patience", preview=True)
    free = school.lesson("Wheat", real=True, course=course)
    student = stack.person("student")
    page = visit(student, errors=True)
    presser = Presser(page)

    def locked() -> None:
        page.goto(f"/catalog/{school.lesson('Rye', price=900)}")

    def bought() -> None:
        lesson = school.lesson("Rye", price=900, real=True)
        stack.sql(
            "INSERT INTO purchases (lesson_id, user_id, price_cents) VALUES (%s, %s, 900)", lesson, student.id
        )
        page.goto(f"/catalog/{lesson}")

    presser.press_all("locked", locked, skip=SIGN_OUT)
    presser.press_all("bought", bought, skip=SIGN_OUT)
    for address in ("", "?q=wheat", "?q=qqqq", f"/{free}", "/mine", "/courses", f"/courses/{course}"):
        presser.press_all(
            f"catalogue{address}", lambda address=address: page.goto(f"/catalog{address}"), skip=SIGN_OUT
        )
    assert presser.dead == []
    assert presser.count > 5


PLANT = f"""<button>Do it</button><form method=post><button>Send it</button></form><button id=far>Say it</button>
{"<br>" * 200}<p id=far-away></p></main>"""
FAR = """document.addEventListener("click", ({ target }) => {
  if (target.id === "far") document.getElementById("far-away").textContent = "Said.";
});"""


def test_a_dead_button_a_mute_form_and_an_answer_out_of_sight_are_found(
    visit: Visitor, instructor: Person
) -> None:
    """Planted into a page of the product, beside its own buttons."""
    page = visit(instructor, errors=True)
    presser = Presser(page)
    page.add_init_script(FAR)
    planted: list[str] = []

    def plant(route: Route) -> None:
        """The page with the plants; the same again for the form that is sent."""
        if route.request.method == "GET":
            planted.append(route.fetch().text().replace("</main>", PLANT))
        route.fulfill(body=planted[-1], content_type="text/html")

    page.route("**/notifications", plant)
    presser.press_all("planted", lambda: page.goto("/notifications"), skip=SIGN_OUT)
    assert presser.dead == [
        "planted / Do it: nothing changed",
        "planted / Send it: nothing changed",
        "planted / Say it: the answer is out of view",
    ]
