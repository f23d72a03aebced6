"""Text that would do something if a page took it for more than text, and a school in which every field is filled with it."""

import json
import uuid

from tests.browser.school import School
from tests.browser.stack import Person, Stack

ELSEWHERE = "evil.example"
# Of what a template would make of this, the product is looked for.
PRODUCT = str(1337 * 1337)
PAYLOADS = (
    "<script>alert(1)</script>", "</title><script>alert(2)</script>", "</script><script>alert(3)</script>", "\"><script>alert(4)</script>",
    "'><script>alert(5)</script>", "<img src=x onerror=alert(6)>", "<img src=//evil.example/6.png>", "\" onmouseover=alert(7) x=\"",
    "' onfocus=alert(8) autofocus x='", "<svg onload=alert(9)>", "<svg><script>alert(10)</script></svg>", "<body onload=alert(11)>",
    "<iframe src=//evil.example/12>", "<iframe srcdoc='<script>alert(13)</script>'>", "<object data=//evil.example/14>", "<embed src=//evil.example/15>",
    "<link rel=stylesheet href=//evil.example/16.css>", "<style>@import '//evil.example/17.css'</style>", "<style>*{display:none}</style>",
    "<base href=//evil.example/>", "<meta http-equiv=refresh content='0;url=//evil.example/20'>", "<form action=//evil.example/21><button>x</button></form>",
    "<input autofocus onfocus=alert(22)>", "<a href=javascript:alert(23)>x</a>", "javascript:alert(24)", "<details open ontoggle=alert(25)>",
    "<video src=//evil.example/26 onerror=alert(26)>", "<audio src onerror=alert(27)>", "<marquee onstart=alert(28)>", "<math><mi xlink:href=javascript:alert(29)>",
    "<template><script>alert(30)</script></template>", "<noscript><p title=\"</noscript><img src=x onerror=alert(31)>\">", "--><script>alert(32)</script>",
    "]]><script>alert(33)</script>", "{{1337*1337}}", "{%raw%}{{1337*1337}}", "${1337*1337}", "#{1337*1337}", "<%= 1337*1337 %>", "%3Cscript%3Ealert(39)%3C/script%3E",
    "&lt;script&gt;alert(40)&lt;/script&gt;", "&#60;script&#62;alert(41)", "\\u003cscript\\u003ealert(42)", "<scr<script>ipt>alert(43)</scr</script>ipt>",
    "<ScRiPt/x>alert(44)</sCrIpT>", "<img/src=x/onerror=alert(45)>", "<a data-js=dialog data-url=//evil.example/46 href=#>x</a>", "<div data-js=live data-url=//evil.example/47></div>",
    "<button data-js=copy data-value=x onclick=alert(48)>x</button>", "<dialog open>49</dialog>", "<textarea></textarea><script>alert(50)</script>", "</textarea><script>alert(51)</script>",
    "</select><script>alert(52)</script>", "</td></tr></table><script>alert(53)</script>", "';alert(54);//", "\";alert(55);//", "`;alert(56);//",
    "<x style=position:fixed;inset:0>57", "%s%n%x{0}{name}", "\u202egnp.exe\u202c", "A" * 150, "\U0001f600\u0301\u0301\u0301\u0301\u0301", "=cmd|'/C calc'!A0",
    "![x](//evil.example/60.png)", "[x](javascript:alert(61))", "[x][y]\n\n[y]: javascript:alert(62)",
)  # fmt: skip
ALL = " ".join(PAYLOADS)


def chunks(length: int) -> list[str]:
    """All of them in as few texts as hold them."""
    found = [""]
    for payload in PAYLOADS:
        if len(found[-1]) + len(payload) + 1 > length:
            found.append("")
        found[-1] = f"{found[-1]} {payload}".strip()
    return found


class HostileSchool:
    """What an instructor, a student, Mux and staff may have written, as rows; ids by name."""

    def __init__(self, stack: Stack, instructor: Person, student: Person, admin: Person) -> None:
        school, titles = School(stack, instructor), chunks(195)
        self.lessons, self.courses, self.ids = [], [], {}
        for number, title in enumerate(titles):
            course = school.course(title, description=ALL)
            lesson = school.lesson(title, price=900 * (number % 2), course=course, description=ALL)
            self.courses.append(course)
            self.lessons.append(lesson)
        first = self.lessons[0]
        failed = school.on_its_way(
            titles[1], "error", filename=titles[2], error_type="asset_errored", error_message=ALL[:2000]
        )
        for title in titles:
            school.on_its_way(title, "uploading", filename=title)
            for person in (instructor, student, admin):
                school.notice(person, "video_failed", title, lesson_id=first)
        self.ids |= {
            "failed": failed,
            "event": str(uuid.uuid4()),
            "deletion": str(uuid.uuid4()),
            "batch": str(uuid.uuid4()),
            "audit": str(uuid.uuid4()),
        }
        names = chunks(75)
        rows: list[tuple[str, dict[str, object]]] = [
            (
                "purchases",
                {"lesson_id": lesson, "user_id": student.id, "owner_id": instructor.id, "price_cents": 900},
            )
            for lesson in self.lessons[:3]
        ]
        rows += [
            ("api_tokens", {"user_id": person.id, "name": name, "secret_hash": f"{uuid.uuid4()}"})
            for person in (instructor, admin)
            for name in names[:18]
        ]
        rows += [
            (
                "user_sessions",
                {
                    "user_id": person.id,
                    "secret_hash": f"{uuid.uuid4()}",
                    "user_agent": ua[:300],
                    "address": "203.0.113.9",
                },
            )
            for person in (instructor, admin)
            for ua in titles
        ]
        rows += [
            (
                "saved_filters",
                {"user_id": admin.id, "list_slug": slug, "name": name[:60], "query": f"search={n}"},
            )
            for slug in ("lesson", "user", "event")
            for n, name in enumerate(names[:10])
        ]
        rows += [("staff_notes", {"lesson_id": first, "author_id": admin.id, "text": ALL[:1500]})]
        rows += [
            (
                "mux_events",
                {
                    "id": self.ids["event"],
                    "mux_event_id": f"{titles[3]}{uuid.uuid4()}",
                    "type": titles[4],
                    "object_id": titles[5],
                    "target_type": "lesson",
                    "target_id": first,
                    "outcome": "failed",
                    "error": ALL,
                    "payload": json.dumps(
                        {"type": ALL, "data": {"passthrough": ALL, "errors": {"messages": list(PAYLOADS)}}}
                    ),
                },
            )
        ]
        rows += [
            (
                "mux_events",
                {
                    "mux_event_id": f"{uuid.uuid4()}",
                    "type": title,
                    "error": title,
                    "outcome": "failed",
                    "payload": "{}",
                },
            )
            for title in titles
        ]
        rows += [
            (
                "asset_deletions",
                {
                    "id": self.ids["deletion"],
                    "mux_asset_id": f"{titles[6]}{uuid.uuid4()}",
                    "reason": titles[7],
                    "target_type": "lesson",
                    "target_id": first,
                    "last_error": ALL,
                    "due_at": "tomorrow",
                },
            )
        ]
        rows += [
            (
                "batches",
                {
                    "id": self.ids["batch"],
                    "action": "publish",
                    "status": "done",
                    "total": 1,
                    "failed": 1,
                    "reason": ALL[:900],
                    "created_by": admin.id,
                    "finished_at": "now",
                },
            )
        ]
        rows += [
            (
                "batch_items",
                {
                    "batch_id": self.ids["batch"],
                    "target_id": first,
                    "status": "failed",
                    "error": ALL,
                    "finished_at": "now",
                },
            )
        ]
        rows += [
            (
                "audit_log",
                {
                    "id": self.ids["audit"],
                    "actor_type": "user",
                    "actor_id": admin.id,
                    "action": "lesson.updated",
                    "target_type": "lesson",
                    "target_id": first,
                    "detail": json.dumps(
                        {
                            "before": {"title": ALL},
                            "after": {"title": titles[0]},
                            "reason": ALL,
                            titles[1]: titles[2],
                        }
                    ),
                },
            )
        ]
        rows += [
            (
                "mux_calls",
                {
                    "operation": titles[1],
                    "outcome": titles[2],
                    "detail": titles[3],
                    "target_type": "lesson",
                    "target_id": first,
                },
            )
        ]
        rows += [("alarms", {"kind": f"hostile-{uuid.uuid4()}", "message": ALL})]
        school.insert(*((table, columns) for table, columns in rows))
        stack.sql(
            "UPDATE users SET name = %s WHERE id = ANY(%s)", titles[8], [instructor.id, student.id, admin.id]
        )
