"""Every job that can be enqueued is there, and nothing enqueues a name that is not in the list."""

import ast
import inspect
from importlib import import_module
from pathlib import Path

import pytest

from devstack.places import ROOT
from lessonadmin.redis_queue.job_list import JOBS, QUEUES
from tests.cases import each_of


def resolve(name: str) -> object:
    module, _, function = name.rpartition(".")
    return getattr(import_module(module), function)


@each_of("name", JOBS)
def test_every_job_resolves_to_a_function_that_takes_texts(name: str) -> None:
    job = resolve(name)
    assert inspect.isfunction(job)
    kinds = {parameter.annotation for parameter in inspect.signature(job).parameters.values()}
    assert kinds <= {str, "str"}, "arguments are JSON texts: ids, no rows"


def test_of_the_test_a_name_that_is_not_there_is_found() -> None:
    with pytest.raises((ImportError, AttributeError)):
        resolve("lessonadmin.jobs.videos.no_such_job")


def names_in(file: Path) -> list[str]:
    """Dotted names of jobs that stand in this file as texts."""
    tree = ast.parse(file.read_text())
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.startswith("lessonadmin.jobs.")
        and " " not in node.value
    ]


def test_every_name_in_the_code_is_in_the_list_and_every_name_in_the_list_is_used() -> None:
    named = {
        name
        for file in (ROOT / "lessonadmin").rglob("*.py")
        if file.name not in ("job_list.py", "schedule.py")
        for name in names_in(file)
    }
    assert named - set(JOBS) == set()
    assert set(JOBS) - named == set()


@each_of("name", JOBS.values())
def test_every_job_goes_to_a_queue_that_workers_serve(name: str) -> None:
    assert name in QUEUES
