"""The support panel: Flask-Admin as a surface of lists and buttons over the domain, never an editor of state."""

from flask import Flask
from flask_admin import Admin
from flask_admin.theme import Bootstrap4Theme

from lessonadmin.admin.lists.audit import AuditView
from lessonadmin.admin.lists.batches import BatchView
from lessonadmin.admin.lists.courses import CourseView
from lessonadmin.admin.lists.deletions import DeletionView
from lessonadmin.admin.lists.events import EventView
from lessonadmin.admin.lists.lessons import LessonView
from lessonadmin.admin.lists.people import PersonView
from lessonadmin.admin.lists.purchases import PurchaseView
from lessonadmin.admin.lists.uploads import TrackingView
from lessonadmin.admin.lists.users import UserView
from lessonadmin.admin.pages import dashboard, reconciliation
from lessonadmin.admin.pages.doctor import DoctorPage
from lessonadmin.admin.pages.jobs import JobsPage
from lessonadmin.admin.pages.search import SearchPage
from lessonadmin.admin.pages.trash import TrashPage
from lessonadmin.db import db
from lessonadmin.domain.models import (
    AssetDeletion,
    AuditLog,
    Batch,
    Course,
    Lesson,
    MuxEvent,
    Purchase,
    Tracking,
    User,
)


def init_app(app: Flask) -> None:
    panel = Admin(
        name="Support panel",
        theme=Bootstrap4Theme(base_template="admin/panel.html"),
        index_view=dashboard.Dashboard(),
    )
    panel.add_view(LessonView(Lesson, db, name="Lessons", category="Content"))
    panel.add_view(CourseView(Course, db, name="Courses", category="Content"))
    panel.add_view(PurchaseView(Purchase, db, name="Purchases", category="Content"))
    panel.add_view(TrashPage(name="Trash", category="Content"))
    panel.add_view(TrackingView(Tracking, db, name="Uploads", category="Mux"))
    panel.add_view(EventView(MuxEvent, db, name="Events", category="Mux"))
    panel.add_view(DeletionView(AssetDeletion, db, name="Deletions", category="Mux"))
    panel.add_view(BatchView(Batch, db, name="Bulk actions", category="System"))
    panel.add_view(JobsPage(name="Jobs", category="System"))
    panel.add_view(DoctorPage(name="Doctor", category="System"))
    panel.add_view(reconciliation.ReconcilePage(name="Mux sync check", category="System"))
    panel.add_view(PersonView(User, db, name="People", category="People"))
    panel.add_view(UserView(User, db, name="Accounts", category="People"))
    panel.add_view(AuditView(AuditLog, db, name="Audit trail", category="People"))
    panel.add_view(SearchPage(name="Search"))
    panel.init_app(app)
