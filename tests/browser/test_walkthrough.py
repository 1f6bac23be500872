"""What README's "Labelling a new site" says: ten pages labelled in the browser are data/walkthrough/labels.csv."""

import sys

from annotator import ROOT, annotate

sys.path.insert(0, str(ROOT / "docs"))
import walkthrough  # noqa: E402


def test_ten_pages_of_a_new_site_are_labelled(browser, tmp_path):
    right = ROOT / walkthrough.SITE / "labels.csv"
    labels = tmp_path / "labels.csv"
    with annotate(walkthrough.SITE / "pages", labels) as url:
        tab = browser.new_context(viewport={"width": 1400, "height": 800}).new_page()
        tab.goto(url)
        corrections, places = walkthrough.label(tab, walkthrough.truth(right))
    # Blocks that the model guesses right are accepted as they are; it is a few dozen labels, not seven hundred.
    blocks = len(right.read_text(encoding="utf-8").splitlines()) - 1
    assert corrections + places < blocks / 5
    assert labels.read_bytes() == right.read_bytes()
