"""Labels drafted from the program's blocks name the same blocks as the labels that come with the sample pages."""

import csv
import os
import subprocess
import sys
from pathlib import Path

DATA = Path(__file__).parent
LUBB = Path(os.environ.get("CARGO_TARGET_DIR", DATA.parent / "target")) / "debug" / "lubb"


def test_drafts_have_the_places_and_hashes_of_the_sample_labels(tmp_path):
    blocks = tmp_path / "blocks.jsonl"
    subprocess.run([LUBB, "apply", DATA / "labelled", "-o", blocks, "--blocks", "--quiet"], check=True)
    draft = subprocess.run([sys.executable, DATA / "draft_labels.py", blocks], check=True, capture_output=True)
    (tmp_path / "labels.csv").write_bytes(draft.stdout)

    def places(path):
        with open(path, encoding="utf-8", newline="") as lines:
            return {(row["page"], row["block"], row["text_hash"]) for row in csv.DictReader(lines)}

    assert places(tmp_path / "labels.csv") == places(DATA / "labelled" / "labels.csv")
