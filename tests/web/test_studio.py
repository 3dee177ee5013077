"""What the page and the door stand on: jobs in a worker's process, and visitors who see nothing of each other."""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.errors import InputRefusedError, UsageError
from core.images import read_image
from core.jobs.client import WorkerDiedError
from dataset.png import read_recipe
from tests.support.tiny_models import write_tiny_pack
from web.serve import Address
from web.studio import MOST_IMAGES, MOST_STEPS, Form, Requests, Shown, Studio, Visitor
from web.texts import LANGUAGES, TEXTS, by_language


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_pack(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def studio(tmp_path: Path, models: Path) -> Iterator[Studio]:
    made = Studio(tmp_path / "visitors", models)
    yield made
    made.close()


def asked(studio: Studio, visitor: Visitor, count: int = 2, **form: object) -> list[Shown]:
    request = Requests(studio, visitor, Form("MEL", count, steps=3, **form)).from_noise()  # type: ignore[arg-type]
    return list(studio.follow(visitor, request))


def test_images_are_shown_in_the_making_and_when_they_are_finished(studio: Studio) -> None:
    visitor = studio.welcome()
    seen = asked(studio, visitor)
    assert [len(shown.images) for shown in seen][-1] == 2
    assert any(shown.preview is not None and 0 < shown.step < shown.steps for shown in seen)
    assert tuple(visitor.images) == seen[-1].images
    assert read_recipe(visitor.images[0]).class_code == "MEL"


def test_an_image_is_what_the_command_line_makes(studio: Studio, models: Path, tmp_path: Path) -> None:
    from core.generator.image_generator import ImageGenerator

    visitor = studio.welcome()
    asked(studio, visitor, count=1, seed=7)
    (sample,) = ImageGenerator(models=models).sample({"MEL": 1}, seed=7, steps=3)
    assert np.array_equal(read_image(visitor.images[0]), sample.pixels)


def test_variations_masks_and_ways_begin_from_what_was_uploaded(studio: Studio) -> None:
    visitor = studio.welcome()
    asked(studio, visitor)
    picture = read_image(visitor.images[0])
    mask = np.zeros(picture.shape[:2], np.uint8)
    mask[:4] = 255
    kinds = {
        "image2image": lambda ask: ask.variation(picture, 0.5),
        "inpaint": lambda ask: ask.inside(picture, mask),
        "interpolate": lambda ask: ask.between(visitor.images[0], visitor.images[1]),
    }
    for kind, make in kinds.items():
        (*_, last) = studio.follow(visitor, make(Requests(studio, visitor, Form("NV", 2, steps=3))))
        assert {read_recipe(path).start["kind"] for path in last.images} == {kind}
        if kind == "inpaint":
            assert np.array_equal(read_image(last.images[0])[4:], picture[4:])


def test_a_visitor_cannot_ask_for_another_ones_image(studio: Studio) -> None:
    one, other = studio.welcome(), studio.welcome()
    asked(studio, one, count=1)
    for ask in (lambda: studio.reproduce(other, one.images[0]), lambda: studio.explain(other, one.images[0])):
        with pytest.raises(InputRefusedError):
            ask()
    assert one.token != other.token
    assert one.folder.parent == other.folder.parent
    assert studio.reproduce(one, one.images[0]) == 0


def test_what_a_visitor_had_is_deleted_and_a_new_visit_begins_empty(studio: Studio) -> None:
    visitor = studio.welcome()
    asked(studio, visitor, count=1)
    visitor.take_in(np.zeros((4, 4, 3), np.uint8), "image")
    studio.forget(visitor.token)
    assert not visitor.folder.exists()
    again = studio.visitor(visitor.token)
    assert again.token != visitor.token
    assert not again.images
    studio.forget("nobody")


def test_closing_deletes_everybody(tmp_path: Path, models: Path) -> None:
    studio = Studio(tmp_path / "visitors", models)
    for _ in range(3):
        studio.welcome()
    studio.close()
    assert not list((tmp_path / "visitors").iterdir())


def test_an_archive_has_every_image_with_its_recipe(studio: Studio) -> None:
    visitor = studio.welcome()
    asked(studio, visitor)
    with zipfile.ZipFile(visitor.packed()) as archive:
        assert sorted(archive.namelist()) == ["0001_MEL.json", "0001_MEL.png", "0002_MEL.json", "0002_MEL.png"]
        assert archive.read("0001_MEL.png") == visitor.images[0].read_bytes()


def test_a_dead_engine_is_said_and_the_next_request_starts_another(studio: Studio) -> None:
    visitor = studio.welcome()
    request = Requests(studio, visitor, Form("MEL", MOST_IMAGES, steps=MOST_STEPS)).from_noise()
    following = studio.follow(visitor, request)
    while next(following).step < 2:
        pass
    studio._client.kill()
    with pytest.raises(WorkerDiedError):
        list(following)
    assert asked(studio, visitor, count=1)[-1].images


def test_visitors_wait_for_each_other_and_all_are_served(studio: Studio) -> None:
    visitors = [studio.welcome() for _ in range(3)]
    threads = [threading.Thread(target=asked, args=(studio, visitor, 1)) for visitor in visitors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(visitor.images) for visitor in visitors] == [1, 1, 1]


@pytest.mark.parametrize("form", [{"count": 0}, {"count": MOST_IMAGES + 1}, {"steps": MOST_STEPS + 1}, {"steps": -1}])
def test_more_than_is_good_for_all_is_refused(form: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        Form("MEL", **form)


@pytest.mark.parametrize(
    ("host", "password", "share", "is_allowed"),
    [
        ("127.0.0.1", "", False, True), ("localhost", "", False, True), ("::1", "", False, True),
        ("0.0.0.0", "", False, False), ("192.168.1.7", "", False, False), ("127.0.0.1", "", True, False),
        ("0.0.0.0", "short", False, False), ("0.0.0.0", "long enough", False, True), ("127.0.0.1", "x", False, False),
    ],
)  # fmt: skip
def test_others_than_this_computer_need_a_password(host: str, password: str, share: bool, is_allowed: bool) -> None:
    if is_allowed:
        Address(host, password=password, share=share)
    else:
        with pytest.raises(UsageError):
            Address(host, password=password, share=share)


def test_every_word_is_there_in_every_language() -> None:
    assert all(len(words) == len(LANGUAGES) and all(words) for words in TEXTS.values())
    spoken = by_language()
    assert set(spoken) == {"en", "ru", "zh", "zh-CN"}
    assert all(set(words) == set(TEXTS) for words in spoken.values())
