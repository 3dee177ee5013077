"""The REST door: the same jobs for scripts, described by an OpenAPI page at `/api/docs`."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, HTTPException, status
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from fastapi.responses import FileResponse, HTMLResponse
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from pydantic import BaseModel, Field

from core.cancel import CancelToken, StopMode
from core.errors import ISICGUIError
from core.models.discovery import discover
from core.samplers import DEFAULT_SAMPLER
from core.version import __version__
from web.studio import MOST_IMAGES, MOST_STEPS, Form, Requests, Studio, Visitor, in_words

MOST_JOBS: Final = 64
"""That are remembered; the oldest finished ones are forgotten, with their images."""

Status = Literal["waiting", "running", "completed", "stopped", "failed"]


class Wanted(BaseModel):
    """Images that are asked for."""

    code: Annotated[str, Field(alias="class", description="Class code, such as MEL.", examples=["MEL"])]
    count: Annotated[int, Field(ge=1, le=MOST_IMAGES)] = 1
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 42
    sampler: str = DEFAULT_SAMPLER
    steps: Annotated[int | None, Field(ge=1, le=MOST_STEPS)] = None
    guidance: Annotated[float | None, Field(ge=0, le=50)] = None


class Answer(BaseModel):
    """What a job has come to."""

    id: str
    status: Status
    done: int = 0
    message: str = ""
    images: list[str] = Field(default_factory=list, description="Addresses of the finished images, PNG with recipe.")


@dataclass(eq=False)
class _Job:
    visitor: Visitor
    cancel: CancelToken = field(default_factory=CancelToken)
    status: Status = "waiting"
    message: str = ""

    def answer(self) -> Answer:
        images = [f"/api/jobs/{self.visitor.token}/images/{number}" for number in range(len(self.visitor.images))]
        return Answer(id=self.visitor.token, status=self.status, done=len(images), message=self.message, images=images)


class Door:
    """Jobs by their id, which cannot be guessed."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._jobs: dict[str, _Job] = {}

    def begin(self, wanted: Wanted) -> Answer:
        """Begin a job and return at once."""
        visitor = self._studio.welcome()
        form = Form(wanted.code, wanted.count, wanted.seed, wanted.sampler, wanted.steps, wanted.guidance)
        try:
            request = Requests(self._studio, visitor, form).from_noise()
        except ISICGUIError as error:
            self._studio.forget(visitor.token)
            raise HTTPException(422, in_words(error)) from error
        self._make_room()
        job = self._jobs[visitor.token] = _Job(visitor)
        threading.Thread(target=self._carry_out, args=(job, request), daemon=True).start()
        return job.answer()

    def _carry_out(self, job: _Job, request: object) -> None:
        try:
            for _ in self._studio.follow(job.visitor, request, job.cancel):  # type: ignore[arg-type]
                job.status = "running"
            job.status = "completed" if job.cancel.mode is None else "stopped"
        except ISICGUIError as error:
            job.status, job.message = "failed", in_words(error)

    def _make_room(self) -> None:
        over = [token for token, job in self._jobs.items() if job.status in ("completed", "stopped", "failed")]
        for token in over[: max(0, len(self._jobs) - MOST_JOBS + 1)]:
            self.forget(token)
        if len(self._jobs) >= MOST_JOBS:
            raise HTTPException(429, "Too many jobs are waiting. Ask again later.")

    def job(self, token: str) -> _Job:
        """Return a job, or answer that there is none."""
        if token not in self._jobs:
            raise HTTPException(404, "There is no such job.")
        return self._jobs[token]

    def stop(self, token: str) -> Answer:
        """Stop a job after the image that is being made."""
        job = self.job(token)
        job.cancel.request(StopMode.AFTER_IMAGE)
        return job.answer()

    def forget(self, token: str) -> None:
        """Stop a job and delete its images."""
        self.job(token).cancel.request(StopMode.NOW)
        del self._jobs[token]
        self._studio.forget(token)

    def image(self, token: str, number: int) -> Path:
        """Return a finished image."""
        images = self.job(token).visitor.images
        if not 0 <= number < len(images):
            raise HTTPException(404, "There is no such image.")
        return images[number]


def guard_of(user: str, password: str) -> Callable[..., None]:
    """Return the dependency that asks for name and password."""
    asks = HTTPBasic(realm="ISICGUI")

    def check(given: HTTPBasicCredentials = Depends(asks)) -> None:  # noqa: B008  how FastAPI asks for it
        is_known = secrets.compare_digest(given.username.encode(), user.encode())
        if not (secrets.compare_digest(given.password.encode(), password.encode()) and is_known):
            raise HTTPException(
                status.HTTP_401_UNAUTHORIZED, "Wrong name or password.", headers={"WWW-Authenticate": "Basic"}
            )

    return check


def build_router(studio: Studio, guard: object = None) -> APIRouter:
    """Return the routes below `/api`; `guard` is a dependency that every one of them has."""
    door = Door(studio)
    router = APIRouter(prefix="/api", dependencies=[] if guard is None else [Depends(guard)])  # type: ignore[arg-type]

    @router.get("/models")
    def models() -> dict[str, bool]:
        """Which classes can be generated."""
        return {code: model.available for code, model in discover(studio.models).classes.items()}

    @router.post("/jobs", status_code=202)
    def begin(wanted: Wanted) -> Answer:
        """Begin to generate images; jobs wait for each other."""
        return door.begin(wanted)

    @router.get("/jobs/{token}")
    def look(token: str) -> Answer:
        """How far a job is, and where its images are."""
        return door.job(token).answer()

    @router.post("/jobs/{token}/stop")
    def stop(token: str) -> Answer:
        """Stop after the image that is being made."""
        return door.stop(token)

    @router.delete("/jobs/{token}", status_code=204)
    def forget(token: str) -> None:
        """Stop the job and delete its images."""
        door.forget(token)

    @router.get("/jobs/{token}/images/{number}", response_class=FileResponse)
    def image(token: str, number: int) -> FileResponse:
        """One image, with its recipe inside."""
        path = door.image(token, number)
        return FileResponse(path, media_type="image/png", filename=f"{path.parent.name}_{path.name}")

    @router.get("/openapi.json", include_in_schema=False)
    def openapi() -> dict[str, object]:
        return get_openapi(title="ISICGUI", version=__version__, routes=router.routes)

    @router.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return get_swagger_ui_html(openapi_url="openapi.json", title="ISICGUI")

    return router
