"""The style sheet: what a palette cannot say."""

from __future__ import annotations

from gui.theme.tokens import CONTROL_HEIGHT, LIGHT, PRIMARY_HEIGHT, RADIUS, Tokens

_INNER = CONTROL_HEIGHT - 2
"""Height inside the border; Qt style sheets measure the content box."""


def style_sheet(t: Tokens) -> str:
    """Return the application's style sheet for a set of tokens."""
    return "\n".join((_surfaces(t), _controls(t), _buttons(t), _fields(t), _small_parts(t)))


def _surfaces(t: Tokens) -> str:
    return f"""
QMainWindow, QDialog {{ background: {t.window}; }}
QMainWindow::separator {{ background: transparent; width: 6px; height: 6px; }}
QMainWindow::separator:hover {{ background: {t.selection}; }}
QDockWidget > QWidget#panel, QFrame#panel {{ background: {t.panel}; border: 1px solid {t.hairline};
    border-radius: {RADIUS}px; }}
QFrame#banner {{ background: {t.selection}; border: 1px solid {t.accent}; border-radius: {RADIUS}px; }}
QFrame#tile {{ background: transparent; border: 1px solid transparent; border-radius: {RADIUS}px; }}
QFrame#tile[chosen="true"] {{ border-color: {t.accent}; }}
QFrame#coach {{ background: {t.raised}; border: 2px solid {t.accent}; border-radius: {RADIUS}px; }}
QTextBrowser[paper="true"] {{ background: {LIGHT.panel}; color: {LIGHT.text}; }}
QFrame#line {{ background: {t.hairline}; border: none; }}
QScrollArea, QScrollArea > QWidget > QWidget#scrolled {{ background: transparent; border: none; }}
QToolBar {{ background: {t.window}; border: none; padding: 4px 0; }}
QStatusBar {{ background: {t.window}; border-top: 1px solid {t.hairline}; }}
QStatusBar::item {{ border: none; }}
QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; }}
QToolTip {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.hairline}; padding: 4px 6px; }}
QLabel[role="title"] {{ font-weight: 600; }}
QLabel[role="muted"] {{ color: {t.muted}; }}
QLabel[role="problem"] {{ color: {t.none}; }}
QLabel[role="heading"] {{ font-weight: 600; font-size: 15pt; }}
"""


def _buttons(t: Tokens) -> str:
    return f"""
QPushButton, QToolButton {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.hairline};
    border-radius: {RADIUS}px; min-height: {_INNER}px; padding: 0 10px; }}
QToolButton {{ padding: 0 6px; }}
QPushButton:hover, QToolButton:hover {{ border-color: {t.control_line}; }}
QPushButton:pressed, QToolButton:pressed, QToolButton:open {{ background: {t.selection}; }}
QPushButton:disabled, QToolButton:disabled {{ color: {t.disabled}; background: transparent; }}
QPushButton:focus, QToolButton:focus {{ border: 1px solid {t.accent}; }}
QToolButton:checked, QPushButton:checked {{ background: {t.selection}; border-color: {t.accent}; }}
*[chooser="true"] {{ border-color: {t.control_line}; }}
*[chooser="true"]:focus {{ border-color: {t.accent}; }}
*[chooser="true"]:disabled {{ border-color: {t.hairline}; }}
QToolButton[flat="true"], QPushButton[flat="true"] {{ background: transparent; border-color: transparent; }}
QToolButton[flat="true"]:hover, QPushButton[flat="true"]:hover {{ background: {t.selection}; }}
QToolButton[flat="true"]:focus, QPushButton[flat="true"]:focus {{ border-color: {t.accent}; }}
QToolButton[flat="true"]:checked, QPushButton[flat="true"]:checked {{ background: {t.selection};
    border-color: {t.accent}; }}
QToolButton:checked:focus, QPushButton:checked:focus, QToolButton[flat="true"]:checked:focus,
    QPushButton[flat="true"]:checked:focus {{ border-color: {t.text}; }}
QToolButton[fold="true"] {{ text-align: left; }}
QToolButton[fold="true"]:checked {{ background: transparent; border-color: transparent; }}
QToolButton[fold="true"]:focus {{ border-color: {t.accent}; }}
QToolButton::menu-indicator, QPushButton::menu-indicator {{ image: none; width: 0; }}
QToolButton[arrow="true"], QPushButton[arrow="true"] {{ padding: 0 18px 0 8px; }}
QToolButton[arrow="true"]::menu-indicator, QPushButton[arrow="true"]::menu-indicator {{
    image: url(icons:down.svg); width: 8px; height: 8px;
    subcontrol-origin: border; subcontrol-position: right center; right: 7px; }}
QPushButton#primary {{ background: {t.accent}; color: {t.on_accent}; border: 1px solid {t.accent};
    min-height: {PRIMARY_HEIGHT - 2}px; font-weight: 600; padding: 0 16px; }}
QPushButton#primary:hover {{ background: {t.accent_hover}; border-color: {t.accent_hover}; }}
QPushButton#primary:focus {{ border: 3px double {t.on_accent}; min-height: {PRIMARY_HEIGHT - 6}px; padding: 0 14px; }}
QPushButton#primary:disabled {{ background: {t.hairline}; color: {t.disabled}; border-color: {t.hairline}; }}
QPushButton[tight="true"] {{ padding: 0 6px; }}
QPushButton[tall="true"] {{ min-height: {PRIMARY_HEIGHT - 2}px; }}
"""


def _fields(t: Tokens) -> str:
    return f"""
QLineEdit, QComboBox, QAbstractSpinBox {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.control_line};
    border-radius: {RADIUS}px; min-height: {_INNER}px; padding: 0 6px;
    selection-background-color: {t.accent}; selection-color: {t.on_accent}; }}
QLineEdit:hover, QComboBox:hover, QAbstractSpinBox:hover {{ border-color: {t.muted}; }}
QLineEdit:focus, QComboBox:focus, QAbstractSpinBox:focus {{ border: 1px solid {t.accent}; }}
QLineEdit[refused="true"] {{ border-color: {t.none}; }}
QLineEdit:disabled, QComboBox:disabled, QAbstractSpinBox:disabled {{ color: {t.disabled};
    background: transparent; border-color: {t.hairline}; }}
QAbstractSpinBox {{ padding: 0 2px 0 6px; }}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ background: transparent; border: none; width: 14px; }}
QAbstractSpinBox::up-button:hover, QAbstractSpinBox::down-button:hover {{ background: {t.selection}; }}
QAbstractSpinBox::up-arrow {{ image: url(icons:up.svg); width: 8px; height: 8px; }}
QAbstractSpinBox::down-arrow {{ image: url(icons:down.svg); width: 8px; height: 8px; }}
QComboBox::drop-down {{ border: none; width: 20px; }}
QComboBox[tight="true"] {{ padding: 0 0 0 4px; }}
QComboBox[tight="true"]::drop-down {{ width: 16px; }}
QComboBox::down-arrow {{ image: url(icons:down.svg); width: 8px; height: 8px; }}
QComboBox QAbstractItemView {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.hairline};
    selection-background-color: {t.selection}; selection-color: {t.text}; outline: none; }}
"""


def _controls(t: Tokens) -> str:
    return f"""
QAbstractItemView, QPlainTextEdit, QTextEdit {{ background: {t.panel}; border: 1px solid {t.hairline};
    border-radius: {RADIUS}px; }}
QAbstractItemView[plain="true"], QPlainTextEdit[plain="true"] {{ border: none; }}
QAbstractItemView:focus, QPlainTextEdit:focus, QTextEdit:focus {{ border: 1px solid {t.accent}; }}
QAbstractItemView::item:selected {{ background: {t.selection}; color: {t.text}; }}
QGraphicsView {{ border: 2px solid transparent; }}
QGraphicsView:focus {{ border-color: {t.accent}; }}
QTreeView::branch:selected {{ background: {t.selection}; }}
QTreeView[roomy="true"]::item, QListView[roomy="true"]::item {{ height: 24px; }}
QCheckBox {{ spacing: 8px; }}
QCheckBox::indicator {{ width: 14px; height: 14px; border: 1px solid {t.control_line}; border-radius: 4px;
    background: {t.raised}; }}
QCheckBox::indicator:hover, QCheckBox::indicator:focus {{ border-color: {t.accent}; }}
QCheckBox::indicator:checked {{ background: {t.accent}; border-color: {t.accent};
    image: url(icons:check-{t.name}.svg); }}
QCheckBox::indicator:checked:focus {{ background: {t.raised}; border: 2px solid {t.accent};
    image: url(icons:check-{t.inverse}.svg); }}
QCheckBox::indicator:disabled {{ border-color: {t.hairline}; background: transparent; }}
QRadioButton {{ spacing: 8px; }}
QRadioButton::indicator {{ width: 14px; height: 14px; border: 1px solid {t.control_line}; border-radius: 8px;
    background: {t.raised}; }}
QRadioButton::indicator:hover, QRadioButton::indicator:focus {{ border: 2px solid {t.accent}; border-radius: 9px; }}
QRadioButton::indicator:checked {{ width: 8px; height: 8px; border: 4px solid {t.accent}; border-radius: 8px;
    background: {t.on_accent}; }}
QRadioButton::indicator:checked:focus {{ width: 6px; height: 6px; border: 6px solid {t.accent}; border-radius: 9px; }}
QRadioButton::indicator:disabled {{ border-color: {t.hairline}; background: transparent; }}
QRadioButton:disabled {{ color: {t.disabled}; }}
QMenu {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.hairline}; padding: 4px; }}
QMenu::item {{ padding: 6px 24px 6px 12px; border-radius: 4px; }}
QMenu::item:selected {{ background: {t.selection}; }}
QMenu::item:disabled {{ color: {t.disabled}; }}
QMenu::separator {{ height: 1px; background: {t.hairline}; margin: 4px 8px; }}
QProgressBar {{ background: {t.hairline}; border: none; border-radius: 4px; min-height: 8px; max-height: 8px; }}
QProgressBar::chunk {{ background: {t.accent}; border-radius: 4px; }}
QTabBar::tab {{ background: transparent; color: {t.muted}; border: none; border-bottom: 2px solid transparent;
    padding: 6px 10px; }}
QTabBar::tab:selected {{ color: {t.text}; border-bottom: 2px solid {t.accent}; }}
QTabBar::tab:hover {{ color: {t.text}; }}
QTabBar::tab:focus {{ border-bottom: 2px solid {t.text}; }}
QTabBar::tab:disabled {{ color: {t.disabled}; }}
"""


def _small_parts(t: Tokens) -> str:
    return f"""
QScrollBar {{ background: transparent; border: none; }}
QScrollBar:vertical {{ width: 10px; }}
QScrollBar:horizontal {{ height: 10px; }}
QScrollBar::handle {{ background: {t.hairline}; border-radius: 4px; margin: 1px; }}
QScrollBar::handle:vertical {{ min-height: 32px; }}
QScrollBar::handle:horizontal {{ min-width: 32px; }}
QScrollBar::handle:hover {{ background: {t.control_line}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QSlider {{ min-height: 20px; }}
QSlider::groove:horizontal {{ height: 4px; background: {t.hairline}; border-radius: 2px; }}
QSlider::sub-page:horizontal {{ background: {t.accent}; border-radius: 2px; }}
QSlider::handle:horizontal {{ background: {t.raised}; border: 2px solid {t.accent}; width: 12px; height: 12px;
    margin: -6px 0; border-radius: 8px; }}
QSlider::handle:horizontal:focus {{ background: {t.accent}; }}
QSlider::sub-page:horizontal:disabled {{ background: {t.disabled}; }}
QSlider::handle:horizontal:disabled {{ border-color: {t.disabled}; }}
QHeaderView::section {{ background: {t.panel}; color: {t.muted}; border: none; padding: 4px 8px 4px 2px; }}
"""
