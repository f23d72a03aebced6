"""What instructors and Mux were told: written by the load as it happens, and compared with the end by `verdict`.

Only what was acknowledged binds the product. A request without an answer may have been carried out or not.
"""

import random
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Literal

Fate = Literal["publish", "unpublish", "remove", "delete"]
FATES: tuple[Fate, ...] = ("publish", "unpublish", "remove", "delete")
SHARES = (70, 10, 10, 10)  # of a hundred lessons


class Step(Enum):
    """What the instructor of a lesson waits for, or does next."""

    URL = "asks for an upload URL"
    FILE = "sends the file"
    PUBLISHED = "waits for the publication"
    ACT = "does what was planned with it"
    DONE = "has nothing more to do"


@dataclass
class Story:
    """A lesson that was saved (201), what is planned with it, and how far that has come."""

    lesson_id: str
    fate: Fate
    step: Step = Step.URL
    upload_id: str = ""
    asset_id: str = ""
    file_at: float = 0.0  # Mux has the file
    was_tried: bool = False  # the plan was asked for, and perhaps not answered
    asked_at: float = 0.0  # the plan was acknowledged
    next_try: float = 0.0
    saved_at: float = field(default_factory=time.time)


@dataclass
class Journal:
    """Everything that one run was told. `refusals`: answers that no fault excuses, such as a 500."""

    stories: list[Story] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)  # webhooks that the load itself sent
    refusals: list[str] = field(default_factory=list)
    unanswered: Counter[str] = field(default_factory=Counter)  # requests that have to be sent again

    def save(self, lesson_id: str, luck: random.Random) -> Story:
        """A lesson was saved; by lot it gets what will be done with it."""
        story = Story(lesson_id, luck.choices(FATES, SHARES)[0])
        self.stories.append(story)
        return story

    def until(self, moment: float | None) -> "Journal":
        """A copy as it is now. Of a lesson whose file or plan came after that moment, both ends are right."""
        said = [replace(one) for one in self.stories]
        if moment is not None:
            said = [one for one in said if 0 < one.file_at <= moment]
            for one in said:
                one.asked_at = one.asked_at if one.asked_at <= moment else 0.0
        return Journal(said, set(self.acknowledged), list(self.refusals))
