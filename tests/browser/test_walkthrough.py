"""What README's "Labelling a new site" says: ten pages labelled in the browser are data/walkthrough/labels.csv, and the default
model adapted to them reads the pages held out better than the default one."""

import csv
import json
import sys

from annotator import ROOT, annotate

sys.path.insert(0, str(ROOT / "docs"))
import walkthrough  # noqa: E402


def test_a_new_site_is_labelled_and_read_better_after_it(browser, tmp_path):
    right = ROOT / walkthrough.SITE / "labels.csv"
    labels = tmp_path / "labels.csv"
    with annotate(walkthrough.SITE / "pages", labels) as url:
        tab = browser.new_context(viewport={"width": 1400, "height": 800}).new_page()
        tab.goto(url)
        corrections, places = walkthrough.label(tab, walkthrough.truth(right))
    # Not every block is labelled by hand, whatever the default model guesses.
    blocks = len(right.read_text(encoding="utf-8").splitlines()) - 1
    assert 0 < corrections + places < blocks / 2
    assert labels.read_bytes() == right.read_bytes()

    walkthrough.retrain(labels, tmp_path)
    articles = [json.loads(line) for line in (tmp_path / "articles.jsonl").read_text(encoding="utf-8").splitlines()]
    held_out = sorted((ROOT / walkthrough.SITE / "held-out").iterdir())
    assert sorted(article["id"] for article in articles) == [page.name for page in held_out]
    assert all(article["text"] and not article.get("error") for article in articles)
    with open(tmp_path / "report" / "comparison.csv", encoding="utf-8", newline="") as lines:
        compared = next(row for row in csv.DictReader(lines) if row["by"] == "all")
    # The interval of the paired difference is above nothing.
    assert int(compared["pages"]) == len(held_out) and float(compared["low"]) > 0
