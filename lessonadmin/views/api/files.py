"""Files of a lesson over JSON: their list, adding one part by part, removing and restoring it. A browser downloads at `download_url`."""

import uuid
from datetime import datetime
from typing import Annotated

from flask import url_for
from pydantic import BaseModel, ConfigDict, Field, Strict

from lessonadmin import auth, config
from lessonadmin.db import transaction
from lessonadmin.domain import permissions
from lessonadmin.domain.lesson_files import files
from lessonadmin.domain.models import LessonFile
from lessonadmin.views.api.endpoints import Answer, endpoint
from lessonadmin.views.api.requests import Base64File, Text

TAG = "Files"
PATH = "/lessons/<uuid:lesson_id>/files"
ONE = f"{PATH}/<uuid:file_id>"


class FileNew(BaseModel):
    """A file that is to be added."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[Text, Field(min_length=1, max_length=1000)]
    size: Annotated[int, Strict(), Field(ge=0, le=2**53, description="Bytes.")]


class FilePart(BaseModel):
    """A part of a file."""

    model_config = ConfigDict(extra="forbid")

    number: Annotated[int, Strict(), Field(ge=0, le=10_000, description="The first part has 0.")]
    data: Annotated[Base64File, Field(description="`part_bytes` of the file, the last part less; in base64.")]


class FileResponse(BaseModel):
    """A file that students download."""

    id: uuid.UUID
    name: str
    size: int
    created_at: datetime
    download_url: Annotated[str, Field(description="For a browser that is signed in.")]

    @classmethod
    def of(cls, file: LessonFile) -> "FileResponse":
        path = url_for("catalog.download_file", lesson_id=file.lesson_id, file_id=file.id)
        return cls(
            id=file.id,
            name=file.name,
            size=file.size,
            created_at=file.created_at,
            download_url=config.current().public_url + path,
        )


class FileList(BaseModel):
    """All files of a lesson, the oldest first."""

    items: list[FileResponse]


class FileUploadResponse(BaseModel):
    """A file whose parts are expected within a day."""

    id: uuid.UUID
    name: str
    size: int
    part_bytes: int
    missing: Annotated[list[int], Field(description="The numbers of the parts that are to be sent.")]


@endpoint(
    "GET",
    PATH,
    tag=TAG,
    answers={200: FileList},
    problems={403: "`purchase_required`: buy the lesson first."},
)
def list_files(lesson_id: uuid.UUID) -> Answer:
    """List the files of a lesson.

    For all who may play the lesson.
    """
    lesson = permissions.lesson_to_play(auth.current_user(), lesson_id)
    return 200, FileList(items=[FileResponse.of(file) for file in files.of_lesson(lesson)])


@endpoint("POST", PATH, tag=TAG, who="teaching", body=FileNew, answers={201: FileUploadResponse})
def add_file(lesson_id: uuid.UUID, body: FileNew) -> Answer:
    """Begin to add a file.

    Then send the parts that are missing, in any order, and finish it. The same name and size again go on with a file that did not arrive whole. The
    files of a lesson may have 25 MB together.
    """
    user = auth.current_user()
    with transaction(auth.current_actor()):
        file = files.begin(user, lesson_id, name=body.name, size=body.size)
    return 201, FileUploadResponse(
        id=file.id,
        name=file.name,
        size=file.size,
        part_bytes=files.PART_BYTES,
        missing=files.missing_parts(file),
    )


@endpoint(
    "POST",
    f"{ONE}/parts",
    tag=TAG,
    who="teaching",
    body=FilePart,
    answers={204: None},
    problems={503: "`storage_full`: the server has no space now."},
)
def add_file_part(lesson_id: uuid.UUID, file_id: uuid.UUID, body: FilePart) -> Answer:
    """Send a part of a file.

    The same part again replaces it.
    """
    with transaction(auth.current_actor()):
        files.receive(auth.current_user(), lesson_id, file_id, body.number, body.data)
    return 204, None


@endpoint(
    "POST",
    f"{ONE}/finish",
    tag=TAG,
    who="teaching",
    answers={200: FileResponse},
    problems={409: "`file_incomplete`: a part is missing."},
)
def finish_file(lesson_id: uuid.UUID, file_id: uuid.UUID) -> Answer:
    """Finish a file: students may download it."""
    with transaction(auth.current_actor()):
        file = files.finish(auth.current_user(), lesson_id, file_id)
    return 200, FileResponse.of(file)


@endpoint("DELETE", ONE, tag=TAG, who="teaching", answers={204: None})
def remove_file(lesson_id: uuid.UUID, file_id: uuid.UUID) -> Answer:
    """Remove a file.

    It can be restored as long as the trash keeps lessons.
    """
    with transaction(auth.current_actor()):
        files.remove(auth.current_user(), lesson_id, file_id)
    return 204, None


@endpoint("POST", f"{ONE}/restore", tag=TAG, who="teaching", answers={200: FileResponse})
def restore_file(lesson_id: uuid.UUID, file_id: uuid.UUID) -> Answer:
    """Restore a file that was removed."""
    with transaction(auth.current_actor()):
        file = files.restore(auth.current_user(), lesson_id, file_id)
    return 200, FileResponse.of(file)
