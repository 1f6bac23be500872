"""One browser for all tests, and an end to each of them."""

import signal

import pytest
from annotator import launch
from playwright.sync_api import sync_playwright

# No test takes a minute where the machine has nothing else to do.
LONGEST = 900


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def limit():
    """Ends a test that waits for ever: Playwright has no timeout for what a page is asked by script."""

    def end(*_):
        raise TimeoutError(f"the test took more than {LONGEST} s")

    signal.signal(signal.SIGALRM, end)
    signal.alarm(LONGEST)
    yield
    signal.alarm(0)
