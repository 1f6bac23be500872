"""What each part of the model adds: trains without it, and tells the word F1 out of fold by host as a Markdown table.

    cargo build --release
    python models/ablation.py DATA [-o ablation.md] [--rounds 100] [--rows 60000] [--parts text lexicon decision ...]

DATA is the folder that models/train.sh takes. Fewer rounds and rows than the default model's keep a training to a minute
or two; the first row of the table is the whole model under the same settings.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SETS = ["wcxb-dev", "news-en", "news-world", "news-ar", "labelled"]
PARTS = "text structure context declared groups media visibility wording lexicon stage-one head decision".split()
# What is told of a training besides parts that are left out.
OTHERS = {
    "--bare 0": ["--bare", "0"],
    "--long 0": ["--long", "0"],
    "--stages 3": ["--stages", "3"],
    "--bags 1": ["--bags", "1"],
    "--classifier boost": ["--classifier", "boost"],
    "--classifier logistic": ["--classifier", "logistic"],
    "--fold-by group": ["--fold-by", "group"],
}


def train(lubb, data, flags):
    """The word F1 of each set, by its name."""
    gold = [data / name for name in SETS[:4]] + [ROOT / "data/labelled", *sorted((ROOT / "data/annotations").glob("*.csv"))]
    with tempfile.TemporaryDirectory() as folder:
        command = [lubb, "train", "--no-flat", "--gold", *gold, "--pages", *(data / name for name in SETS[:4])]
        command += ["--out", f"{folder}/model.lubb", "--report", f"{folder}/report", *flags]
        command += [] if "--bare" in flags else ["--bare", "3"]
        command += [] if "--long" in flags else ["--long", "6"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
        summary = json.loads(Path(folder, "report/summary.json").read_text(encoding="utf-8"))
    return {row["set"]: row["f1"] for row in summary["sets"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("-o", "--out", type=Path, help="write the table to this file too, row by row")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--parts", nargs="+", default=PARTS + list(OTHERS), choices=PARTS + list(OTHERS), metavar="PART")
    parser.add_argument("--lubb", type=Path, default=ROOT / "target/release/lubb", help="the program")
    args = parser.parse_args()
    missing = [args.data / name for name in SETS[:4] if not (args.data / name).is_dir()] + [args.lubb] * (not args.lubb.is_file())
    if missing:
        parser.error(f"{missing[0]} is not there")
    settings = ["--rounds", str(args.rounds), "--rows", str(args.rows)]
    lines = [f"| | {' | '.join(SETS)} |", f"|---|{'--:|' * len(SETS)}"]

    def tell(line):
        lines.append(line)
        print(line, flush=True)
        if args.out:
            args.out.write_text("\n".join(lines) + "\n", encoding="utf-8")

    whole = train(args.lubb, args.data, settings)
    print("\n".join(lines))
    tell(f"| the whole model | {' | '.join(f'{whole[name]:.4f}' for name in SETS)} |")
    for part in args.parts:
        f1 = train(args.lubb, args.data, settings + OTHERS.get(part, ["--without", part]))
        name = f"`{part}`" if part in OTHERS else f"without {part}"
        tell(f"| {name} | {' | '.join(f'{f1[name] - whole[name]:+.4f}' for name in SETS)} |")


if __name__ == "__main__":
    main()
