"""A few stories written by hand for the machine: the same steps and the same laws, without chance. They are where its
long walks would get to in the end, so that a planted fault is found in a second and not in a minute.
"""

from collections.abc import Callable

from tests.domain.videos.machine import VideoMachine

Step = Callable[[VideoMachine], object]

STORIES: dict[str, tuple[Step, ...]] = {
    "it plays": (lambda m: m.bring_a_video(0, "ready", heard=True),),
    "nobody told us": (lambda m: m.bring_a_video(0, "ready", heard=False), lambda m: m.lose()),
    "told twice and mixed": (
        lambda m: m.bring_a_video(0, "ready", heard=False),
        lambda m: m.deliver_all_shuffled_and_doubled(3),
    ),
    "replaced": (lambda m: m.replace(0, "ready", undone=False),),
    "replaced and brought back": (lambda m: m.replace(0, "ready", undone=True),),
    "a replacement that failed": (lambda m: m.replace(0, "errored", undone=False),),
    "taken back while it was processed": (
        lambda m: m.bring_a_video(0, "preparing", heard=True),
        lambda m: m.unpublish(0),
        lambda m: m.processing_ends(0, "ready"),
        lambda m: m.deliver_all(),
    ),
    "taken back, and told again": (
        lambda m: m.bring_a_video(0, "ready", heard=True),
        lambda m: m.unpublish(0),
        lambda m: m.replay(3),
    ),
    "ready while somebody typed": (
        lambda m: m.bring_a_video(0, "preparing", heard=True),
        lambda m: m.type_something(0, 0),
        lambda m: m.processing_ends(0, "ready"),
        lambda m: m.deliver_all(),
        lambda m: m.sweep_after(1),
        lambda m: m.sweep_after(40),
    ),
    "ready while somebody typed in two tabs and took it back in one": (
        lambda m: m.bring_a_video(0, "preparing", heard=True),
        lambda m: m.type_something(0, 0),
        lambda m: m.type_something(0, 1),
        lambda m: m.processing_ends(0, "ready"),
        lambda m: m.deliver_all(),
        lambda m: m.take_it_back(0, 0),
        lambda m: m.take_it_back(0, 1),
    ),
    "ready before its time": (
        lambda m: m.plan(0, 70, None),
        lambda m: m.bring_a_video(0, "ready", heard=True),
        lambda m: m.sweep_after(10),
        lambda m: m.sweep_after(70),
    ),
    "ready after its time": (
        lambda m: m.plan(0, 10, None),
        lambda m: m.bring_a_video(0, "preparing", heard=True),
        lambda m: m.sweep_after(20),
        lambda m: m.processing_ends(0, "ready"),
        lambda m: m.deliver_all(),
    ),
    "taken back at its time": (
        lambda m: m.plan(0, 10, 70),
        lambda m: m.bring_a_video(0, "ready", heard=True),
        lambda m: m.sweep_after(20),
        lambda m: m.sweep_after(70),
    ),
    "the clock was down over both its times": (
        lambda m: m.plan(0, 10, 70),
        lambda m: m.bring_a_video(0, "ready", heard=True),
        lambda m: m.sweep_after(200),
    ),
    "Mux was away while we looked": (
        lambda m: m.bring_a_video(0, "preparing", heard=True),
        lambda m: m.sweep_after(300, "network"),
        lambda m: m.sweep_after(300, "rate_limit"),
    ),
    "Mux was away while we deleted": (
        lambda m: m.bring_a_video(0, "ready", heard=True),
        lambda m: m.delete_video(0, 1),
        lambda m: m.sweep_after(1, "server_error"),
    ),
    "Mux refused to delete what it worked on, and its webhooks were lost": (
        lambda m: m.bring_a_video(0, "preparing", heard=True),
        lambda m: m.delete_video(0, 0),
        lambda m: m.sweep_after(1),
        lambda m: m.processing_ends(0, "ready"),
        lambda m: m.lose(),
        lambda m: m.dust_settles(True),
    ),
    "overtaken": (
        lambda m: m.bring_a_video(0, "preparing", heard=True),
        lambda m: m.bring_a_video(0, "ready", heard=True),
        lambda m: m.processing_ends(0, "ready"),
        lambda m: m.deliver_all(),
    ),
    "handed over before the file came": (
        lambda m: m.bring_a_video(0, "ready", heard=True),
        lambda m: m.upload(0),
        lambda m: m.hand_everything_over(0),
        lambda m: m.file_arrives(0),
        lambda m: m.deliver_all(),
        lambda m: m.processing_ends(0, "ready"),
        lambda m: m.deliver_all(),
        lambda m: m.sweep_after(40),
    ),
    "held and taken over": (
        lambda m: m.upload(0),
        lambda m: m.hand_everything_over(0),
        lambda m: m.file_arrives(0),
        lambda m: m.deliver_all(),
        lambda m: m.take_over(0),
        lambda m: m.processing_ends(0, "ready"),
        lambda m: m.deliver_all(),
    ),
    "deleted in the dashboard": (
        lambda m: m.bring_a_video(0, "ready", heard=True),
        lambda m: m.delete_in_the_dashboard(0),
        lambda m: m.deliver_all(),
    ),
}


def tell(machine: type[VideoMachine], steps: tuple[Step, ...]) -> None:
    """One story, judged after each step and when the dust has settled."""
    told = machine()
    try:
        told.school()
        told.always()
        for step in steps:
            step(told)
            told.always()
    finally:
        told.teardown()
