"""The first page of the support panel: is everything alive, and where is what."""

from flask_admin import AdminIndexView, expose

from lessonadmin.domain import vital_signs


class Dashboard(AdminIndexView):  # type: ignore[misc]  # Flask-Admin ships no types
    def __init__(self) -> None:
        super().__init__(name="Operations", endpoint="admin", url="/admin")

    @expose("/")  # type: ignore[untyped-decorator]
    def index(self) -> str:
        return str(self.render("admin/index.html", signs=vital_signs.check()))
