"""Does what README's "Labelling a new site" describes, on the ten and six pages of data/walkthrough.

    cargo build --release && pip install -r tests/browser/requirements.txt && python docs/walkthrough.py OUT

The ten pages are labelled in the browser: each guess that data/walkthrough/labels.csv contradicts is corrected with the
keys that a person would use. Then `lubb adapt`, `lubb apply` and `lubb evaluate` run, and say what that gained on the six
pages held out. OUT gets labels.csv, the model, the articles and the report.
"""

import csv
import os
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
SITE = Path("data/walkthrough")
sys.path.insert(0, str(ROOT / "tests" / "browser"))
# The program of the figures is the one that users have.
os.environ.setdefault("LUBB", str(ROOT / "target" / "release" / "lubb"))
from annotator import LUBB, annotate, block, launch, shown  # noqa: E402

LABELS = "elements => elements.map((element) => element.dataset.l)"


def truth(file):
    """The labels of a file: for each page a label for each block."""
    pages = {}
    with open(ROOT / file, encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            pages.setdefault(row["page"], {})[int(row["block"])] = row["label"]
    return {page: [labels[block] for block in range(len(labels))] for page, labels in pages.items()}


def label(tab, right):
    """Labels the pages in the order in which they are offered. How often a label was set, and how often it was given to
    the same place on all pages."""
    labels = tab.locator("#labels button").evaluate_all(LABELS)
    ids = tab.evaluate("fetch('api/pages').then((r) => r.json()).then(({ pages }) => pages.map((page) => page.id))")
    chips = tab.locator("#blocks .chip")
    rows = tab.locator("#blocks li")
    corrections = places = 0
    for done in range(len(right)):
        page = ids[int(tab.locator("#pages [aria-current]").get_attribute("data-page"))]
        wanted = right[page]
        expect(rows).to_have_count(len(wanted))
        shown(tab, len(wanted) - 1)
        # Each time more blocks are right than before.
        while True:
            given = chips.evaluate_all(LABELS)
            wrong = next((at for at, label in enumerate(given) if label != wanted[at]), None)
            if wrong is None:
                break
            # All blocks from here on with the same right label, right guesses between them included.
            end = wrong
            while end + 1 < len(wanted) and wanted[end + 1] == wanted[wrong]:
                end += 1
            rows.nth(wrong).click(position={"x": 8, "y": 8})
            if end > wrong:
                rows.nth(end).click(position={"x": 8, "y": 8}, modifiers=["Shift"])
            tab.keyboard.press(str(labels.index(wanted[wrong]) + 1))
            expect(chips.nth(wrong)).to_have_attribute("data-l", wanted[wrong])
            expect(tab.locator("#saved")).to_have_text("saved ✓")
            corrections += 1
            # Below the article a place holds the same on all pages; between its paragraphs it does not.
            if done == 0 and not block(tab, wrong).evaluate("Boolean(mark.closest('.tx'))"):
                before = chips.evaluate_all(LABELS)
                # The page says what came of it when all is loaded again; often every such block has the label already.
                tab.locator("#toast").evaluate("toast => (toast.textContent = '')")
                tab.keyboard.press("s")
                expect(tab.locator("#toast")).to_contain_text("blocks")
                expect(tab.locator("#saved")).to_have_text("saved ✓")
                after = chips.evaluate_all(LABELS)
                lost = next((at for at, label in enumerate(after) if label != wanted[at] == before[at]), None)
                if lost is None:
                    places += 1
                else:
                    # Two lists of the page are at one place.
                    tab.keyboard.press("u")
                    expect(chips.nth(lost)).to_have_attribute("data-l", before[lost])
                    expect(tab.locator("#saved")).to_have_text("saved ✓")
        tab.keyboard.press("Enter")
        expect(tab.locator("#done")).to_contain_text(f"{done + 1} of {len(right)} pages")
        if done + 1 < len(right):
            expect(tab.locator(f"#pages [aria-current][data-page='{ids.index(page)}']")).to_have_count(0)
    return corrections, places


def retrain(labels, out):
    """Adapts the default model to the labels and says what that gained on the pages held out. OUT gets my.lubb, articles.jsonl, report."""
    model = out / "my.lubb"
    for command in [
        ["adapt", "--gold", labels, "data/labelled", "--pages", SITE / "pages", "-o", model],
        ["apply", SITE / "held-out", "-o", out / "articles.jsonl", "--model", model],
        ["evaluate", "--gold", SITE / "held-out.csv", "--pages", SITE / "held-out", "-o", out / "report", "--model", model]
        + ["--compare", "models/default.lubb", "--format", "md"],
    ]:
        subprocess.run([LUBB, *command], cwd=ROOT, check=True, timeout=1800)


def main(out):
    out.mkdir(parents=True, exist_ok=True)
    labels = out / "labels.csv"
    labels.unlink(missing_ok=True)
    with sync_playwright() as playwright, annotate(SITE / "pages", labels) as url:
        tab = launch(playwright).new_page(viewport={"width": 1400, "height": 800})
        tab.goto(url)
        corrections, places = label(tab, truth(SITE / "labels.csv"))
    print(f"labelled 10 pages: a label set {corrections} times, {places} times for the same place on all pages", flush=True)
    retrain(labels, out)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: walkthrough.py OUT, a folder for the labels, the model, the articles and the report")
    main(Path(sys.argv[1]).resolve())
