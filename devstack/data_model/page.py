"""The page: parts with their diagrams, every table, who writes what, and what the database does by itself."""

import inspect
from collections.abc import Iterator, Mapping
from itertools import chain

from sqlalchemy import Table

from devstack import places
from devstack.data_model import tables, triggers, writers
from devstack.errors import SetupError
from lessonadmin.db import Base
from lessonadmin.domain import models

HEAD = """# Data model

Drawn by `bin/data-model` from the models (`lessonadmin/domain/models/`), the syntax trees and a migrated database;
`bin/check data-model` says when it is not current. Do not edit it by hand.

In the diagrams stand keys and the columns that tell rows apart; the tables below them have every column. "Only written by" names
the one module that may change the column (`tests/structure/test_one_writer.py` finds any other); its path begins in
`lessonadmin/domain/`. Every time comes from the database's clock, every key is a UUID in the order of creation
([why](decisions/08-ids-in-order.md)), and every state is held by a check.
"""
PARTS: Mapping[str, tuple[str, str]] = {
    "Lessons and their videos": (
        (
            "The columns about the video in `lessons` and `courses` are a projection of the uploads in `mux_asset_tracking`. What must"
            " still happen at Mux is a row of `asset_deletions` or `upload_cancellations` until it is done: the outbox."
        ),
        "courses course_sections lessons editing_holds mux_asset_tracking caption_tracks transcripts asset_deletions upload_cancellations purchases lesson_views counted_days kept_sums lesson_sums day_sums staff_notes preview_links lesson_progress lesson_files lesson_file_parts search_words",
    ),
    "Accounts": (
        "People, and how they prove who they are. Secrets are stored as hashes.",
        "users user_sessions known_browsers api_tokens account_links sign_in_failures pending_sign_ins authenticator_apps passkeys passkey_challenges recovery_codes provider_identities throttles security_counts",
    ),
    "What Mux and people did": (
        "Events as Mux sent them, calls to Mux, the audit trail, and what people are told.",
        "waiting_events mux_events mux_calls audit_log announcements notifications",
    ),
    "Bulk actions": (
        "A batch is what was asked for, its items are what is left to do.",
        "batches batch_items",
    ),
    "Reconciliation": (
        "One run reads everything that Mux has; its findings are the differences.",
        "reconcile_runs reconcile_findings",
    ),
    "Operation": (
        "Signs of life, the shared budget of calls, alarms, and counts by the hour.",
        "heartbeats mux_budget alarms hourly_figures error_references",
    ),
    "The support panel": (
        "What each member of staff keeps of it.",
        "saved_filters",
    ),
}
# What a row is, where the model's own first line is not about that.
ROWS = {
    "users": "An account.",
    "courses": "A course: lessons in order, and a preview video of its own.",
    "lessons": "A lesson, its price, its publication, and the state of its video.",
    "mux_asset_tracking": "An upload: one file on its way to Mux, and what became of it.",
    "mux_events": "A webhook event, stored before anything is done about it.",
    "batches": "A bulk action.",
    "batch_items": "One row that a bulk action is about.",
}
WRITERS = """Modules that make, change or remove rows by a statement or a new object. A module that loads a row may also assign
its other columns. `lessonadmin/domain/maintenance/retention.py` removes the rows of all tables that have an end
([how long they are kept](operate.md#what-is-kept-and-how-long))."""
TRIGGERS = {
    "audit_is_append_only": "refuses every change of an audit row, and every removal of one younger than a year",
    "audit_is_not_emptied": "refuses to truncate the audit trail",
    "audit_is_dated_by_the_database": "dates every audit row by the database's clock, whatever was given",
    "tracking_belongs_to": "sets `owner_id` of an upload to the owner of its lesson or course",
    "purchase_belongs_to": "sets `owner_id` of a purchase to the owner of its lesson",
    "lesson_view_belongs_to": "sets `owner_id` of what was watched to the owner of its lesson",
    "lesson_views_that_come": "adds what was watched to the sums of its lesson in each span and of its day",
    "lesson_views_that_change": "brings the sums of a lesson in each span and of a day up to date",
    "lesson_views_that_go": "takes what was watched away from the sums of its lesson in each span and of its day",
    "lesson_views_are_emptied": "marks all sums as not kept, so that they are made anew",
    "lesson_changes_hands": "gives the uploads and the purchases of a lesson, and what was watched of it, to its new owner",
    "course_changes_hands": "gives the uploads of a course to its new owner",
    "transcript_goes_with_captions": "removes the transcript of captions that are removed",
    "transcripts_go_with_upload": "removes the transcripts of an upload whose video is deleted at Mux",
    "search_words_of_lessons": "adds the words of a lesson's title and description that are not known yet",
    "search_words_of_courses": "adds the words of a course's title and description that are not known yet",
    "search_words_of_instructors": "adds the words of an instructor's name that are not known yet",
}
FUNCTIONS = {
    "search_folded": "a word without accents, in small letters",
    "search_grams": "the different pieces of three letters of a word",
    "add_search_words": "adds those of the given words that a search can be about and that are not known yet",
    "remove_old_audit_rows": "removes audit rows that are older than the given days and than a year, also for a role that may not delete",
}


def draw() -> str:
    """The whole page as the product is today."""
    return text(Base.metadata.tables, triggers.read())


def text(all_tables: Mapping[str, Table], database: triggers.InDatabase) -> str:
    left_out = set(all_tables) - {name for _, names in PARTS.values() for name in names.split()}
    if left_out:
        raise SetupError(
            f"No part of the page has the tables {', '.join(sorted(left_out))} (devstack/data_model)."
        )
    found = writers.find(places.ROOT, by_model())
    parts = chain.from_iterable(_part(title, all_tables, found) for title in PARTS)
    return "\n".join(chain([HEAD], parts, _writers(all_tables, found), _triggers(database))) + "\n"


def by_model() -> dict[str, str]:
    """The table of each model."""
    return {one.class_.__name__: str(one.local_table.name) for one in Base.registry.mappers}  # type: ignore[attr-defined]


def _part(title: str, all_tables: Mapping[str, Table], found: Mapping[str, set[str]]) -> Iterator[str]:
    words, names = PARTS[title]
    chosen = [all_tables[name] for name in names.split()]
    yield from (f"## {title}", "", words, "")
    yield from tables.diagram(chosen)
    for table in chosen:
        yield from ("", f"### {table.name}", "", _row(table.name), "")
        yield from tables.columns(table)
        if rules := list(tables.rules(table)):
            yield from ("", *rules)
    yield ""


def _row(table: str) -> str:
    model = next(name for name, its in by_model().items() if its == table)
    said = ROWS.get(table) or (inspect.getdoc(getattr(models, model)) or "").split("\n\n")[0]
    return f"Model `{model}`. {' '.join(said.split())}"


def _writers(all_tables: Mapping[str, Table], found: Mapping[str, set[str]]) -> Iterator[str]:
    yield from ("## Who writes which table", "")
    yield WRITERS
    yield from ("", "| table | only writer of | rows are written by |", "|---|---|---|")
    for name in sorted(found):
        only = writers.ONLY_WRITERS.get(name, {})
        columns = [column.name for column in all_tables[name].columns]
        said = "; ".join(f"`{module}`: {_listed(its, columns)}" for module, its in only.items())
        yield f"| `{name}` | {said} | {', '.join(f'`{module}`' for module in sorted(found[name]))} |"
    yield ""


def _listed(guarded: str, columns: list[str]) -> str:
    """The columns that the table has of those that one module writes in lessons and courses alike."""
    return "all" if guarded == "*" else ", ".join(f"`{one}`" for one in guarded.split() if one in columns)


def _triggers(database: triggers.InDatabase) -> Iterator[str]:
    yield from (
        "## What the database does by itself",
        "",
        "| table | trigger | what it does | when |",
        "|---|---|---|---|",
    )
    for one in database.triggers:
        when = one.definition.split(f"TRIGGER {one.name} ")[1].split(" EXECUTE ")[0].replace("|", "\\|")
        yield f"| `{one.table}` | `{one.name}` | {TRIGGERS[one.name]} | `{when}` |"
    used = {one.function for one in database.triggers}
    for name in sorted(set(database.functions) - used):
        yield from ("", f"The function `{name}` {FUNCTIONS[name]}.")
    yield from (
        "",
        "```sql",
        *(definition.strip() for _, definition in sorted(database.functions.items())),
        "```",
    )
