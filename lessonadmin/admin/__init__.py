"""The support panel: Flask-Admin as a surface of lists and buttons over the domain, never an editor of state."""

from flask import Flask
from flask_admin import Admin
from flask_admin.theme import Bootstrap4Theme

from lessonadmin.admin import dashboard, reconcile


def init_app(app: Flask) -> None:
    panel = Admin(
        name="Support panel",
        theme=Bootstrap4Theme(base_template="admin/panel.html"),
        index_view=dashboard.Dashboard(),
    )
    panel.add_view(reconcile.ReconcilePage(name="Mux and we", category="Machine room"))
    panel.init_app(app)
