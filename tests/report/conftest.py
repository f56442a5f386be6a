# SPDX-License-Identifier: Apache-2.0
"""The browser that the tests of a page share."""

import pytest

import pages


@pytest.fixture(scope="module")
def downloads(tmp_path_factory):
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def opened(downloads):
    with pages.browser(downloads) as browser:
        yield browser
