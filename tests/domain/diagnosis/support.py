"""A diagnosis of a lesson or course, from the database alone or after a look at Mux, and its button pressed."""

from sqlalchemy import func, update

from lessonadmin.db import Actor, db
from lessonadmin.domain.batches import batches, registry, scheduling
from lessonadmin.domain.diagnosis import diagnose, facts, mux_comparison
from lessonadmin.domain.diagnosis.diagnose import Finding
from lessonadmin.domain.models import Course, Lesson, Tracking
from tests.factories import make_user


def fresh(owner: Lesson | Course) -> Lesson | Course:
    db.session.rollback()
    return db.session.get_one(type(owner), owner.id, populate_existing=True)


def by_record(owner: Lesson | Course) -> Finding:
    return diagnose.diagnose(fresh(owner))[0]


def by_mux(owner: Lesson | Course) -> Finding:
    kind = "lesson" if isinstance(owner, Lesson) else "course"
    return diagnose.diagnose(fresh(owner), look=mux_comparison.look(kind, owner.id))[0]  # type: ignore[arg-type]


def press(finding: Finding, action: str | None = None) -> list[batches.Item]:
    """Its first button, or the one of this action."""
    button = next(one for one in finding.buttons if action in (None, one.action))
    assert button.action is not None
    action = registry.find(button.target or "", button.action)
    actor = Actor.user(make_user(role="support").id)
    return list(scheduling.run_now(action, button.ids, actor=actor).items)


def aged(owner: Lesson | Course, seconds: float = 7200) -> None:
    """As if its upload had begun that long ago."""
    earlier = Tracking.created_at - func.make_interval(0, 0, 0, 0, 0, 0, seconds)
    db.session.execute(update(Tracking).values(created_at=earlier))
    db.session.commit()


def assert_says(finding: Finding, cause: str, severity: str, action: str | None) -> None:
    assert (finding.cause, finding.severity) == (cause, severity)
    assert finding.sentence.strip().endswith((".", ")"))
    first = finding.buttons[0] if finding.buttons else None
    assert ((first.action or first.deed) if first else None) == action
    for button in finding.buttons:
        assert button.action is None or registry.find(button.target or "", button.action)


def compared(owner: Lesson | Course) -> dict[str, mux_comparison.Compared]:
    kind = "lesson" if isinstance(owner, Lesson) else "course"
    look = mux_comparison.look(kind, owner.id)  # type: ignore[arg-type]
    return {line.field: line for line in side_by_side(fresh(owner), look)}


def side_by_side(owner: Lesson | Course, look: mux_comparison.Look) -> list[mux_comparison.Compared]:
    return mux_comparison.compare(owner, look, facts.uploads_of(owner).all)


def causes(owner: Lesson | Course) -> list[str]:
    return [one.cause for one in diagnose.diagnose(fresh(owner))]
