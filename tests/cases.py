"""Many cases in one test: `each_of` is written like `pytest.mark.parametrize`, and all cases run in one call of the test.

A test of its own costs pytest some milliseconds in each of its processes, many times what most small cases compute. Every
case that fails is reported, by its values. The fixtures are the same for all cases, so this is never for tests that leave
something behind in them: those that write rows, patch, or count what a server was asked.
"""

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import pytest

NAME_LENGTH = 200
Test = Callable[..., None]


def each_of(names: str | tuple[str, ...], cases: Iterable[Any]) -> Callable[[Test], Test]:
    """Calls the test with every one of these cases; several of these decorators are every combination."""
    single = isinstance(names, str)
    wanted = (names,) if isinstance(names, str) else names
    listed = [(case,) if single else tuple(case) for case in cases]
    assert listed, f"there is no case of {names}"

    def of_all(test: Test) -> Test:
        signature = inspect.signature(test)
        others = [one for name, one in signature.parameters.items() if name not in wanted]
        assert len(others) == len(signature.parameters) - len(wanted), (
            f"{test.__name__} does not ask for {names}"
        )

        @wraps(test)
        def run(**fixtures: Any) -> None:
            failed = [
                found for case in listed if (found := _failure(test, fixtures, wanted, case)) is not None
            ]
            if failed:
                raise ExceptionGroup(f"{len(failed)} of {len(listed)} cases fail", failed)

        run.__signature__ = signature.replace(parameters=others)  # type: ignore[attr-defined]
        return run

    return of_all


def _failure(
    test: Test, fixtures: dict[str, Any], names: tuple[str, ...], case: tuple[Any, ...]
) -> Exception | None:
    values = dict(zip(names, case, strict=True))
    try:
        test(**fixtures, **values)
    except (Exception, pytest.fail.Exception) as error:
        # what pytest.raises and pytest.fail raise is no Exception, and could not stand in a group of them
        found = (
            error
            if isinstance(error, Exception)
            else AssertionError(str(error)).with_traceback(error.__traceback__)
        )
        found.add_note(
            "case: " + ", ".join(f"{name}={repr(value)[:NAME_LENGTH]}" for name, value in values.items())
        )
        return found
    return None
