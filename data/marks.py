"""Makes pages and labels of pages that were written with marks.

    python data/marks.py LUBB MARKED OUT

Each element of a page in the folder MARKED may have an attribute `data-l` with a label, which holds for the text in it
that no element further in has a label for; text without any is `nav`. OUT gets the pages without the marks and their
`labels.csv`, whose blocks are those that the program LUBB cuts. A page whose blocks are not found in its marked text
is named and left out.
"""

import csv
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import html5lib
from draft_labels import COLUMNS, rows

LABELS = {"body", "headline", "meta", "caption", "related", "comment", "widget", "nav"}
MARK = re.compile(r"""\s+data-l=(?:"[^"]*"|'[^']*'|[^\s>]+)""")


def letters(page):
    """The page's text without white space, and the label of each letter."""
    tree = html5lib.parse(page, namespaceHTMLElements=False)
    text, labels = [], []

    def add(string, label):
        string = "".join((string or "").split())
        text.append(string)
        labels.extend([label] * len(string))

    def walk(node, label):
        inner = node.get("data-l", label)
        if inner not in LABELS:
            raise ValueError(f"unknown label {inner!r}")
        if isinstance(node.tag, str) and node.tag not in ("script", "style"):
            add(node.text, inner)
            for child in node:
                walk(child, inner)
                add(child.tail, inner)

    walk(tree.find("body"), "nav")
    return "".join(text), labels


def label_of_blocks(page, blocks):
    """The label that most of each block's letters have. Blocks come in the order of the page, but for what is cut out
    of a sentence, so that a block is first looked for behind the one before, then word by word in what is left."""
    text, labels = letters(page)
    used = bytearray(len(text))
    cursor = 0

    def find(string, start):
        at = text.find(string, start)
        while at >= 0 and any(used[at : at + len(string)]):
            at = text.find(string, at + 1)
        return at

    for block in blocks:
        whole = "".join(block.split())
        at = find(whole, max(0, cursor - 3000))
        found = [(at, whole)] if at >= 0 else []
        if not found:
            start = max(0, cursor - 3000)
            for word in block.split():
                at = find(word, start)
                if at < 0:
                    raise ValueError(f"not in the marked text: {word!r} of {block[:60]!r}")
                found.append((at, word))
                start = at + len(word)
        votes = Counter()
        for at, string in found:
            used[at : at + len(string)] = b"\1" * len(string)
            votes.update(labels[at : at + len(string)])
            cursor = at + len(string)
        yield votes.most_common(1)[0][0]


def main():
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    lubb, marked, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    out.mkdir(parents=True, exist_ok=True)
    sources = {path.name: path.read_text(encoding="utf-8") for path in sorted(marked.glob("*.html"))}
    for name, page in sources.items():
        (out / name).write_text(MARK.sub("", page), encoding="utf-8")
    applied = subprocess.run([lubb, "apply", out, "--blocks", "--out", "-"], check=True, stdout=subprocess.PIPE)
    labelled, failed = [], 0
    for document in map(json.loads, applied.stdout.decode().splitlines()):
        name = document["id"]
        if name not in sources:
            continue
        blocks = [block["text"] for block in document["blocks"]]
        try:
            labels = list(label_of_blocks(sources[name], blocks))
        except ValueError as error:
            print(f"left out: {name}: {error}", file=sys.stderr)
            (out / name).unlink()
            failed += 1
            continue
        for block, label in zip(document["blocks"], labels):
            block["label"] = label
        labelled.append(document)
        print(name, dict(Counter(labels)))
    with open(out / "labels.csv", "w", encoding="utf-8", newline="") as table:
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(COLUMNS[:4])
        writer.writerows(row[:4] for row in rows(sorted(labelled, key=lambda document: document["id"])))
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
