"""The devices that can be chosen, in words."""

from __future__ import annotations

from gui.common.engine_model import EngineModel
from gui.common.memory import MemoryModel
from gui.i18n import tr, translate
from gui.i18n.numbers import GIB


def device_entries(engine: EngineModel, memory: MemoryModel) -> list[tuple[str, str]]:
    """Return key and words of every device that can be chosen, `auto` first."""
    if engine.info is None:
        return [("auto", tr("Automatic device")), ("cpu", "CPU")]
    named = {device.key: translate(device.name) for device in engine.info.devices}
    short = named[engine.info.automatic].split(" · ")[0]
    for key, found in memory.devices.items():
        if key in named:
            words = tr("{free:.1f} of {total:.0f} GB free")
            named[key] += f" · {words.format(free=found.free / GIB, total=found.total / GIB)}"
    return [("auto", tr("Automatic: {device}").format(device=short)), *named.items()]
