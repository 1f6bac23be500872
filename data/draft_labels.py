"""Drafts a labels.csv from a model's own labels, to be corrected by hand.

    lubb apply PAGES -o blocks.jsonl --blocks
    python data/draft_labels.py blocks.jsonl > PAGES/labels.csv

Correct the column `label` in any editor of tables that keeps UTF-8, and give the folder to `lubb train --gold`.
The column `text` is for reading only; a row that is removed is a block without a label.
"""

import csv
import json
import sys

import xxhash

COLUMNS = ["page", "block", "label", "text_hash", "url", "text"]


def rows(documents):
    for document in documents:
        if document.get("error"):
            print(f"left out: {document['error']}", file=sys.stderr)
            continue
        if "blocks" not in document:
            raise SystemExit(f"{document['id']}: no blocks; run `lubb apply` with --blocks")
        for at, block in enumerate(document["blocks"]):
            digest = xxhash.xxh3_64_hexdigest(block["text"].encode())
            yield [document["id"], at, block["label"], digest, document["url"], block["text"]]


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as lines:
        table = rows(json.loads(line) for line in lines if line.strip())
        sys.stdout.reconfigure(encoding="utf-8", newline="")
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(table)


if __name__ == "__main__":
    main()
