"""The REST door, asked as a script asks it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dataset.png import read_recipe
from tests.support.patience import PATIENCE
from tests.support.tiny_models import write_tiny_pack
from web.studio import Studio

pytest.importorskip("gradio", reason="the optional extra of the page is not installed")

from fastapi import FastAPI
from fastapi.testclient import TestClient

from web.door import build_router, guard_of


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    made = Studio(tmp_path / "visitors", write_tiny_pack(tmp_path / "models" / "tiny"))
    yield made
    made.close()


@pytest.fixture
def door(studio: Studio) -> TestClient:
    app = FastAPI()
    app.include_router(build_router(studio))
    return TestClient(app)


def ended(door: TestClient, token: str) -> dict[str, Any]:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        answer: dict[str, Any] = door.get(f"/api/jobs/{token}").json()
        if answer["status"] not in ("waiting", "running"):
            return answer
        time.sleep(0.05)
    raise AssertionError("the job did not end")


def test_a_job_is_begun_watched_and_its_images_fetched(door: TestClient, tmp_path: Path) -> None:
    begun = door.post("/api/jobs", json={"class": "NV", "count": 2, "steps": 3, "seed": 5})
    assert begun.status_code == 202
    answer = ended(door, begun.json()["id"])
    assert (answer["status"], answer["done"], len(answer["images"])) == ("completed", 2, 2)
    file = tmp_path / "fetched.png"
    file.write_bytes(door.get(answer["images"][0]).content)
    assert read_recipe(file).class_code == "NV"


def test_deleting_a_job_deletes_its_images(door: TestClient, studio: Studio) -> None:
    token = door.post("/api/jobs", json={"class": "NV", "steps": 2}).json()["id"]
    answer = ended(door, token)
    assert door.delete(f"/api/jobs/{token}").status_code == 204
    assert door.get(answer["images"][0]).status_code == 404
    assert not list(studio.root.rglob("*.png"))


@pytest.mark.parametrize(
    "wanted",
    [{}, {"class": "XYZ"}, {"class": "MEL", "count": 10_000}, {"class": "MEL", "steps": 0},
     {"class": "MEL", "sampler": "magic"}, {"class": "MEL", "seed": -1}],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_is_refused_in_words(door: TestClient, studio: Studio, wanted: dict[str, Any]) -> None:
    answer = door.post("/api/jobs", json=wanted)
    assert answer.status_code == 422
    assert answer.json()["detail"]
    assert not studio.root.exists() or not list(studio.root.iterdir())


@pytest.mark.parametrize("path", ["nobody", "nobody/images/0", "../../etc/passwd", "nobody/images/-1"])
def test_jobs_of_others_cannot_be_guessed(door: TestClient, path: str) -> None:
    assert door.get(f"/api/jobs/{path}").status_code == 404


def test_the_classes_and_the_description_are_told(door: TestClient) -> None:
    assert door.get("/api/models").json()["MEL"] is True
    described = door.get("/api/openapi.json").json()
    assert {"/api/jobs", "/api/jobs/{token}", "/api/models"} <= set(described["paths"])
    assert "swagger" in door.get("/api/docs").text


def test_with_a_password_nothing_is_told_without_it(studio: Studio) -> None:
    app = FastAPI()
    app.include_router(build_router(studio, guard_of("isicgui", "a long one")))
    door = TestClient(app)
    for path in ("/api/models", "/api/docs", "/api/openapi.json", "/api/jobs/x"):
        assert door.get(path).status_code == 401
        assert door.get(path, auth=("isicgui", "another")).status_code == 401
    assert door.get("/api/models", auth=("isicgui", "a long one")).status_code == 200
