"""Makes the pictures of the annotation page and of the report in this folder.

    cargo build && pip install -r tests/browser/requirements.txt && python docs/screenshots.py

The report's are of invented pages only: those of data/labelled, which the default model was trained on, and the six held
out of data/walkthrough, which it never saw.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path.insert(0, str(ROOT / "tests" / "browser"))
from annotator import LUBB, annotate, launch, shown  # noqa: E402


def shot(browser, url, name, theme, search, keys):
    context = browser.new_context(viewport={"width": 1200, "height": 700}, color_scheme=theme)
    page = context.new_page()
    page.goto(url)
    page.locator("#pages button", has_text=search).first.click()
    page.locator("#title", has_text=search).wait_for()
    shown(page)
    for key in keys:
        page.keyboard.press(key)
    page.wait_for_timeout(300)
    page.screenshot(path=DOCS / name)
    context.close()


def report_shots(browser, folder):
    site = Path("data/walkthrough")
    evaluate = [LUBB, "evaluate", "--gold", "data/labelled", site / "held-out.csv", "--pages", "data/labelled", site / "held-out"]
    subprocess.run([*evaluate, "-o", folder, "--worst", "40"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    address = (folder / "report.html").as_uri()
    for theme in ["light", "dark"]:
        context = browser.new_context(viewport={"width": 1200, "height": 900}, color_scheme=theme)
        page = context.new_page()
        page.goto(address)
        page.screenshot(path=DOCS / f"report-{theme}.png", full_page=True, clip={"x": 0, "y": 0, "width": 1200, "height": 1500})
        # An Arabic page: what was wrongly kept, and why.
        blocks = page.locator("details.page", has_text="48220.html").first
        page.evaluate("for (const page of document.querySelectorAll('details.page')) page.open = false")
        blocks.locator("> summary").click()
        page.evaluate("scrollTo(0, 0)")
        place = blocks.bounding_box()
        clip = {"x": 0, "y": place["y"] - 90, "width": 1200, "height": min(place["height"] + 110, 1100)}
        page.screenshot(path=DOCS / f"report-pages-{theme}.png", full_page=True, clip=clip)
        context.close()


def main():
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = launch(playwright)
        report_shots(browser, Path(folder) / "report")
        with annotate("data/scrapes", Path(folder) / "labels.csv") as url:
            down = ["j"] * 6
            shot(browser, url, "annotate-arabic.png", "light", "إعادة تشغيل", [*down, *down, *down, "2", "j", "3", "j", "8", "j", "4", *["Shift+ArrowDown"] * 4])
            shot(browser, url, "annotate-light.png", "light", "ferry", [*down, "8"])
            shot(browser, url, "annotate-dark.png", "dark", "محطة رأس", [*down, "8"])


if __name__ == "__main__":
    main()
