"""How far two readings of the same pages agree: Cohen's kappa over blocks, for all labels together and for each.

    python data/agreement.py FIRST.csv SECOND.csv [FIRST.csv SECOND.csv ...]

Both are labels.csv files; pages that only one of them has are left out. Kappa is the agreement beyond chance (Cohen
1960, "A coefficient of agreement for nominal scales"): for one label, of "has it" against "has it not".
"""

import csv
import sys
from collections import Counter

LABELS = ["body", "headline", "meta", "caption", "related", "comment", "widget", "nav"]


def read(path):
    with open(path, encoding="utf-8", newline="") as lines:
        return {(row["page"], row["block"], row["text_hash"]): row["label"] for row in csv.DictReader(lines)}


def kappa(pairs):
    """Of pairs of marks; 1 where both readings give one and the same mark everywhere."""
    agreed = sum(a == b for a, b in pairs) / len(pairs)
    first, second = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    chance = sum(first[mark] * second[mark] for mark in first) / len(pairs) ** 2
    return 1.0 if chance == 1 else (agreed - chance) / (1 - chance)


def main():
    files = sys.argv[1:]
    if not files or len(files) % 2:
        raise SystemExit(__doc__)
    pairs, pages = [], set()
    for one, other in zip(files[::2], files[1::2]):
        first, second = read(one), read(other)
        both = first.keys() & second.keys()
        pairs += [(first[key], second[key]) for key in sorted(both)]
        pages |= {(one, page) for page, _, _ in both}
    if not pairs:
        raise SystemExit("the files have no block in common")
    agreed = sum(a == b for a, b in pairs) / len(pairs)
    print(f"{len(pages)} pages, {len(pairs)} blocks, agreement {agreed:.3f}, kappa {kappa(pairs):.3f}")
    for label in LABELS:
        marks = [(a == label, b == label) for a, b in pairs]
        print(f"{label:9} {sum(a for a, _ in marks):6} {sum(b for _, b in marks):6}  {kappa(marks):.3f}")


if __name__ == "__main__":
    main()
