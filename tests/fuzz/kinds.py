"""All kinds of files that the program reads, by name; a new reader gets its line in one of these tables."""

from __future__ import annotations

from tests.fuzz.case import Kind
from tests.fuzz.data_kinds import DATA_KINDS
from tests.fuzz.folder_kinds import FOLDER_KINDS
from tests.fuzz.model_kinds import MODEL_KINDS
from tests.fuzz.training_kinds import TRAINING_KINDS
from tests.fuzz.window_kinds import WINDOW_KINDS

KINDS: dict[str, Kind] = {**FOLDER_KINDS, **MODEL_KINDS, **DATA_KINDS, **TRAINING_KINDS, **WINDOW_KINDS}
