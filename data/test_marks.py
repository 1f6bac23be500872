"""Labels that are made of marks are those that the marks say, of the blocks that the program cuts."""

import csv
import os
import subprocess
import sys
from pathlib import Path

DATA = Path(__file__).parent
LUBB = Path(os.environ.get("CARGO_TARGET_DIR", DATA.parent / "target")) / "debug" / "lubb"

PAGE = """<!DOCTYPE html><html lang="ar"><head><title>جسر</title></head><body>
<ul><li>الرئيسية</li></ul>
<h1 data-l="headline">جسر جديد</h1>
<div class="text" data-l='body'><p>افتتح الجسر أمس بعد عامين من العمل.</p><p>قال <span data-l=meta>المدير</span> إن العمل انتهى.</p>
<aside data-l="related"><a href="/x">جسر آخر</a></aside></div>
</body></html>"""


def run(folder, page):
    (folder / "in").mkdir()
    (folder / "in" / "page.html").write_text(page, encoding="utf-8")
    return subprocess.run([sys.executable, DATA / "marks.py", LUBB, folder / "in", folder / "out"], capture_output=True, text=True)


def test_each_block_has_the_label_of_most_of_its_letters(tmp_path):
    done = run(tmp_path, PAGE)
    assert done.returncode == 0, done.stderr
    with open(tmp_path / "out" / "labels.csv", encoding="utf-8", newline="") as lines:
        labels = [row["label"] for row in csv.DictReader(lines)]
    assert labels == ["nav", "headline", "body", "body", "related"]
    assert "data-l" not in (tmp_path / "out" / "page.html").read_text(encoding="utf-8")


def test_a_page_with_an_unknown_mark_is_named_and_left_out(tmp_path):
    done = run(tmp_path, PAGE.replace("data-l=meta", "data-l=metta"))
    assert done.returncode == 1
    assert "page.html: unknown label 'metta'" in done.stderr
    assert not (tmp_path / "out" / "page.html").exists()
