"""Loaded before any test imports torch; no test writes into the folders of whoever runs it."""

import pytest

import core  # noqa: F401  # sets how torch's threads wait


@pytest.fixture(autouse=True, scope="session")
def _home_of_the_tests(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ISICGUI_HOME", str(tmp_path_factory.mktemp("home")))
        yield
