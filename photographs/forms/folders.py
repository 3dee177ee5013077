"""One folder for each class, see `photographs.image_folders`."""

from __future__ import annotations

from core.message import Message
from photographs.image_folders import has_class_folders, read_class_folders
from photographs.label_forms import LABEL_FORMS, LabelForm

LABEL_FORMS.add(
    LabelForm(
        "imagefolder",
        Message("Class folders"),
        "one folder for each class, named by its code or its full name, maybe inside train/, val/ and test/.",
        lambda contents: (contents.folder,) if has_class_folders(contents.folder) else (),
        lambda folders: read_class_folders(folders[0]),
    )
)
