"""Makes the pictures of the annotation page in this folder.

    cargo build && pip install -r tests/browser/requirements.txt && python docs/screenshots.py
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent / "tests" / "browser"))
from annotator import annotate, launch  # noqa: E402


def shot(browser, url, name, theme, search, keys):
    context = browser.new_context(viewport={"width": 1200, "height": 700}, color_scheme=theme)
    page = context.new_page()
    page.goto(url)
    page.locator("#pages button", has_text=search).first.click()
    page.frame_locator("#view").locator("[data-l]").first.wait_for()
    for key in keys:
        page.keyboard.press(key)
    page.wait_for_timeout(300)
    page.screenshot(path=DOCS / name)
    context.close()


def main():
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = launch(playwright)
        with annotate("data/scrapes", Path(folder) / "labels.csv") as url:
            down = ["j"] * 6
            shot(browser, url, "annotate-arabic.png", "light", "إعادة تشغيل", [*down, *down, *down, "2", "j", "3", "j", "8", "j", "4", *["Shift+ArrowDown"] * 4])
            shot(browser, url, "annotate-light.png", "light", "ferry", [*down, "8"])
            shot(browser, url, "annotate-dark.png", "dark", "محطة رأس", [*down, "8"])


if __name__ == "__main__":
    main()
