"""The page of one lesson or course for support: its status and why, what to do, what happened, who noted what.

Besides the page: Mux beside the local rows (on demand), older parts of the timeline, the timeline as a text for a ticket, notes, and the
few words and numbers that staff may edit.
"""

from datetime import datetime
from typing import Any, cast

from flask import Response, flash, make_response, redirect, request

from lessonadmin import auth, config
from lessonadmin.admin.framework import mux_links
from lessonadmin.admin.framework.routes import expose
from lessonadmin.db import transaction
from lessonadmin.domain.accounts import rate_limits
from lessonadmin.domain.batches import preview, registry
from lessonadmin.domain.batches.registry import Action
from lessonadmin.domain.diagnosis import diagnose, facts, mux_comparison
from lessonadmin.domain.diagnosis.finding import Finding
from lessonadmin.domain.errors import Conflict, Invalid, Missing, Problem
from lessonadmin.domain.lessons import course_lists, courses, lessons, pictures
from lessonadmin.domain.models import Course, Kind, Lesson, Owner, User
from lessonadmin.domain.support import notes, timeline
from lessonadmin.domain.uploads import direct_upload, upload_again
from lessonadmin.domain.videos import video_status, wording
from lessonadmin.domain.videos.locking import LockedVideo
from lessonadmin.web import fragments, headers
from lessonadmin.web.forms import LessonForm, PanelCourseForm, panel_form
from lessonadmin.web.player import player_of

TIMELINE_PAGE_SIZE = 60
MAX_TICKET_LENGTH = 5_000
PanelForm = LessonForm | PanelCourseForm


class CasePages:
    """For the view of lessons or courses; `target` is what the domain calls them."""

    target = ""

    @expose("/details/")
    def details_view(self) -> Any:
        owner = self._owner()
        look = self._look(owner) if request.args.get("look") == "1" else None
        values = self._case(owner if look is None else self._owner(), look)
        if fragments.wanted():
            return fragments.answer(self._drawn_page("admin/row/case.html", values), name="case")
        headers.needs_widgets()
        return self._drawn_page("admin/row/details.html", values | self._more(owner, values))

    @expose("/story/")
    def timeline_view(self) -> Any:
        """What happened before a moment; a fragment for the open page, a page of its own otherwise."""
        owner = self._owner()
        told = timeline.timeline_of(self._kind, owner.id, before=_moment("before"), limit=TIMELINE_PAGE_SIZE)
        values = {"owner": owner, "told": told, "kind": self._kind}
        if fragments.wanted():
            return fragments.answer(self._drawn_page("admin/row/timeline.html", values), name="story")
        return self._drawn_page("admin/row/timeline_page.html", values)

    @expose("/story.txt")
    def ticket_view(self) -> Response:
        owner = self._owner()
        told = timeline.timeline_of(self._kind, owner.id, limit=MAX_TICKET_LENGTH)
        response = make_response(timeline.as_text(owner, told))
        response.mimetype = "text/plain"
        name = f"{self._kind}-{str(owner.id)[:8]}.txt"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    @expose("/edit/", methods=("GET", "POST"))
    def edit_view(self) -> Any:
        owner = self._owner()
        if request.method == "GET":
            return self._edit_page(owner, panel_form(owner))
        form = panel_form(owner, request.form)
        try:
            with transaction(auth.current_actor()):
                save(auth.current_user(), owner, form)
        except (Invalid, Conflict) as problem:
            return self._edit_page(self._owner(), form, problem)
        flash(f"The {self._kind} is saved.", "success")
        return redirect(self.get_url(".details_view", id=owner.id))  # type: ignore[attr-defined]

    @expose("/upload-again", methods=("POST",))
    def upload_again_view(self) -> Any:
        """Ask the instructor for another upload; `again` comes from a page that says when they were asked before."""
        owner = self._owner(request.form.get("id", ""))
        try:
            asked = upload_again.ask(owner, again="again" in request.form, actor=auth.current_actor())
        except Conflict as problem:
            flash(problem.message, "warning")
        else:
            how = "in the app and by mail" if config.current().mail_url else "in the app"
            flash(f"Asked {asked.name} {how}." if asked else "The instructor was asked already.", "success")
        return self._back_to(owner)

    @expose("/cancel-upload", methods=("POST",))
    def cancel_upload_view(self) -> Any:
        owner = self._owner(request.form.get("id", ""))
        cancelled = direct_upload.cancel_current(owner, actor=auth.current_actor())
        said = ("The upload is cancelled.", "success") if cancelled else ("No upload is running.", "warning")
        flash(*said)
        return self._back_to(owner)

    def _back_to(self, owner: Owner) -> Any:
        return redirect(self.get_url(".details_view", id=owner.id))  # type: ignore[attr-defined]

    # What they are made of

    @property
    def _kind(self) -> Kind:
        return cast(Kind, self.target)

    def _owner(self, row_id: str | None = None) -> Owner:
        found = self.get_one(request.args.get("id", "") if row_id is None else row_id)  # type: ignore[attr-defined]
        if found is None:
            raise Missing
        return cast(Owner, found)

    def _look(self, owner: Owner) -> mux_comparison.Look:
        with transaction(auth.current_actor()):
            rate_limits.other_question(auth.current_actor())
        return mux_comparison.look(self._kind, owner.id)

    def _drawn_page(self, template: str, values: dict[str, Any]) -> str:
        return str(self.render(template, **values))  # type: ignore[attr-defined]

    def _case(self, owner: Owner, look: mux_comparison.Look | None) -> dict[str, Any]:
        uploads = facts.uploads_of(owner)
        return {
            "owner": owner,
            "kind": self._kind,
            "uploads": uploads,
            "look": look,
            "findings": diagnose.diagnose(owner, look=look, uploads=uploads),
            "compared": mux_comparison.compare(owner, look, uploads.all) if look is not None else [],
            "table": registry.TABLE,
            "here": self.get_url(".details_view", id=owner.id),  # type: ignore[attr-defined]
        }

    def _more(self, owner: Owner, values: dict[str, Any]) -> dict[str, Any]:
        told = timeline.timeline_of(
            self._kind, owner.id, limit=TIMELINE_PAGE_SIZE, uploads=values["uploads"].all
        )
        return {
            "told": told,
            "noted": self._noted(owner, told),
            "captions": video_status.captions_of(LockedVideo(owner, list(values["uploads"].all)).shown),
            "language": "" if isinstance(owner, Lesson) else wording.language_name(owner.language),
            "sections": course_lists.sections(auth.current_user(), [owner])[owner.id]
            if isinstance(owner, Course)
            else [],
            "player": player_of(owner),
            "covered_by": pictures.covering([owner]).get(owner.id) if isinstance(owner, Course) else None,
            "mux_url": mux_links.asset(owner.mux_asset_id),
            "offered": self._offered(owner, values["findings"]),
            "late": video_status.late(LockedVideo(owner, list(values["uploads"].all)), values["uploads"].now),
        }

    def _offered(self, owner: Owner, findings: list[Finding]) -> list[Action]:
        """What would change something now and is not offered beside a finding already."""
        there = {button.action for one in findings for button in one.buttons if owner.id in button.ids}
        return [one for one in preview.useful(self.target, owner.id) if one.name not in there]

    def _noted(self, owner: Owner, told: timeline.Timeline) -> list[tuple[str, datetime, str]]:
        """Who noted what and when, newest first; out of the timeline, unless it goes on before what was read."""
        if told.older is None:
            found = [(one.who, one.at, one.detail) for one in told.entries if one.source == "note"]
            return list(reversed(found))
        if not isinstance(owner, Lesson):
            return []
        return [
            (note.author.email if note.author else "a removed account", note.created_at, note.text)
            for note in notes.of(owner.id)
        ]

    def _edit_page(self, owner: Owner, form: PanelForm, problem: Problem | None = None) -> Any:
        html = self._drawn_page(
            "admin/row/edit.html",
            {
                "owner": owner,
                "form": form,
                "problem": problem,
                "stored": panel_form(owner),
                "courses": course_lists.offered(owner.creator_id, owner) if isinstance(owner, Lesson) else [],
                "kind": self._kind,
            },
        )
        status = 200 if problem is None else 409 if isinstance(problem, Conflict) else 400
        return make_response(html, status)


class NotedPages(CasePages):
    """For the view of lessons, of which staff also note something down."""

    @expose("/note", methods=("POST",))
    def note_view(self) -> Any:
        owner = self._owner(request.form.get("id", ""))
        try:
            with transaction(auth.current_actor()):
                notes.add(auth.current_user(), owner.id, request.form.get("text", ""))
        except Invalid as problem:
            flash(problem.message, "error")
        else:
            flash("The note is added.", "success")
        return redirect(f"{self.get_url('.details_view', id=owner.id)}#notes")  # type: ignore[attr-defined]


def save(user: User, owner: Owner, form: PanelForm) -> None:
    """Through the domain, in the open transaction; Invalid for what is wrong, Conflict if there is a newer version."""
    wanted, version = form.changes(), form.version.data
    if isinstance(form, LessonForm):
        lessons.edit(user, owner.id, wanted, version=version)
        return
    courses.edit_and_give(user, owner.id, wanted, version=version, to_email=form.teacher.data or "")


def _moment(name: str) -> datetime | None:
    text = request.args.get(name, "")[:40].replace(" ", "+")
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None
