"""Links, pipes and second names planted where a command writes: refused in words or replaced, never written through."""

from __future__ import annotations

import os
from itertools import product

import pytest

from tests.e2e.commands import COMMANDS, make_world
from tests.e2e.test_broken_off import Trial, Worker
from tests.support.sentinel import PIPE, make_sentinel, untouched

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

FOLDERS = {
    "train autoencoder": ("samples", "pack"),
    "train classifier": ("plots", "model"),
    "train diffusion": ("samples", "best", "pack"),
    "utility": ("runs", "runs/real"),
    "trajectory": (".work", "MEL_0000_2133561722"),
    "models download": (".download", ".download/unpacked"),
    "models judge": ("generated", "generated/guidance-1.5"),
}
APPENDED = {
    "train autoencoder": ("training.log", "log.jsonl", "training_history.csv", ".last.pt.tmp", "lock", "last.pt"),
    "train classifier": ("training.log", "log.jsonl", "training_history.csv", ".last.pt.tmp", "lock", "config.json"),
    "train diffusion": ("training.log", "log.jsonl", "training_history.csv", ".last.pt.tmp", "lock", "last.pt"),
    "utility": ("lock", "results.json"),
    "trajectory": (".work/lock", "request.json", "analysis.json"),
    "models download": (".download/lock", ".download/lock.json", ".download/unpacked/color_statistics.json"),
}
REPLACED = {
    "evaluate": ("results.json", "report.html", "report.pdf"),
    "curate": ("curation.json", "curation.csv"),
    "explain": ("analysis.json", "report.html"),
    "models download": ("color_statistics.json", "isicgui-models.json"),
    "models import": ("model.safetensors", "classifier.json"),
    "models card": ("README.md", "SHA256SUMS", "judgement.json"),
    "models sheet": ("sheet.png",),
    "models judge": ("judgement.json", "samples.png", "memorisation.json", "memorisation_pairs.png"),
}
"""Files that are written anew as a whole: a link in their place is refused or replaced, its target stays."""

PLANTS = ("link to folder", "link to file", "link to nothing", PIPE)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def worker(tmp_path_factory):
    worker = Worker(tmp_path_factory.mktemp("worker"))
    yield worker
    worker.close()


@pytest.fixture
def watched(tmp_path):
    return make_sentinel(tmp_path / "watched")


@pytest.fixture
def trial(worker, world, tmp_path):
    return lambda name: Trial(worker, world, COMMANDS[name], tmp_path / "trial")


def plant(kind, path, watched):
    """Put a link into the watched tree, or a pipe, at a path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == PIPE:
        os.mkfifo(path)
    else:
        target = {"link to folder": "folder", "link to file": "file.txt", "link to nothing": "nowhere"}[kind]
        path.symlink_to(watched / target)


def cases(places):
    return [(name, place) for name, found in places.items() for place in found]


@pytest.mark.parametrize(("name", "place"), cases(FOLDERS) + cases(APPENDED))
def test_what_leads_elsewhere_in_the_folder_of_a_run_is_refused_before_it_begins(name, place, trial, watched, tmp_path):
    this = trial(name)
    for kind in PLANTS:
        plant(kind, this.out / place, watched)
        with untouched(watched):
            code, said, _ = this.run()
        assert code in (2, 3, 4), said  # what says of a run that it is one may be missed, or refused, as that first
        assert "Traceback" not in said
        assert place.split("/")[-1] in said or code == 2
        (this.out / place).unlink()


@pytest.mark.parametrize(
    ("name", "turn"), [(name, turn) for name in REPLACED for turn in range(4 if name.startswith("models") else 1)]
)
def test_links_at_files_that_are_written_as_a_whole_are_not_followed(name, turn, trial, watched):
    this = trial(name)
    for place, kind in zip(REPLACED[name], PLANTS[turn:] + PLANTS[:turn], strict=False):
        plant(kind, this.out / place, watched)
    with untouched(watched):
        code, said, _ = this.run()
    assert code in (0, 2, 4), said
    assert "Traceback" not in said


SECOND_NAMES = {
    "train classifier": ("log.jsonl",),
    "utility": ("results.json",),
    "models download": (".download/unpacked/color_statistics.json", ".download/lock.json", "isicgui-models.json"),
    "models card": ("README.md", "judgement.json"),
    "models sheet": ("sheet.png",),
    "models judge": ("judgement.json", "memorisation.json"),
}


@pytest.mark.parametrize(("name", "place"), cases(SECOND_NAMES))
def test_a_second_name_elsewhere_keeps_its_content(name, place, trial, watched):
    this = trial(name)
    (this.out / place).parent.mkdir(parents=True, exist_ok=True)
    (watched / "second").write_text("")
    os.link(watched / "second", this.out / place)
    with untouched(watched):
        code, said, _ = this.run()
    assert code == 0, said


@pytest.mark.parametrize("kind", PLANTS)
def test_an_export_goes_to_no_link(kind, trial, watched):
    this = trial("export")
    plant(kind, this.out, watched)
    with untouched(watched):
        code, said, _ = this.run()
    assert code in (2, 4), said
    assert "Traceback" not in said


NEW_FOLDERS = ("evaluate", "curate", "explain", "trajectory", "models download", "models import", "models judge")


@pytest.mark.parametrize(("name", "kind"), product(NEW_FOLDERS, (PIPE, "link to file")))
def test_an_output_folder_that_is_none_is_refused(name, kind, trial, watched):
    this = trial(name)
    plant(kind, this.out, watched)
    with untouched(watched):
        code, said, _ = this.run()
    assert code in (2, 3, 4), said
    assert "Traceback" not in said
