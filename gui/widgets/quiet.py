"""Showing a value in a control is not choosing it: a rounded or limited value must not come back as a choice."""

from __future__ import annotations

from PyQt5.QtCore import QSignalBlocker
from PyQt5.QtWidgets import QAbstractButton, QDoubleSpinBox, QSlider, QSpinBox

__all__ = ["show_number", "show_switch"]


def show_number(control: QSpinBox | QDoubleSpinBox | QSlider, value: float) -> None:
    """Show a number that stands already, as nearly as the control can."""
    with QSignalBlocker(control):
        if isinstance(control, QDoubleSpinBox):
            control.setValue(value)
        else:
            control.setValue(round(value))


def show_switch(control: QAbstractButton, on: bool) -> None:
    """Show whether something is on already."""
    with QSignalBlocker(control):
        control.setChecked(on)
