"""The driver's own work, on tools made up for it: turns, checks, ratios, scores and the table. Nothing is installed."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import run
from tools import Command

# Says what a runner would say, with the times that it was given, and notes that it ran.
TOOL = """
import json, pathlib, sys
name, pages, *texts = sys.argv[2:]
settings = json.loads(sys.argv[1])
log = pathlib.Path(pages).parent / "log"
turn = log.read_text().count(name + " ") if log.exists() else 0
with open(log, "a") as out:
    out.write(f"{name} {len(texts)}\\n")
if settings.get("status"):
    sys.exit("no such model")
for path in texts:
    pathlib.Path(path).write_text('{"id": "a", "text": "some text"}\\n')
print("a warning that a library prints")
row = {"pages": 10, "processor": settings["processor"][turn], "wall": 2 * settings["processor"][turn],
       "failed": 1, "empty": 2, "chars": 90}
print(json.dumps(row | settings.get("row", {})))
"""


def fake(tmp_path, **settings):
    script = tmp_path / "tool.py"
    script.write_text(TOOL)
    return Command([sys.executable, script, run.json.dumps(settings)], version="1.2")


def measure(tmp_path, commands, rounds=3):
    pages = {"file": tmp_path / "pages.jsonl", "pages": 10, "bytes": 20_000_000}
    return run.measure(commands, pages, rounds, tmp_path, lambda line: None), pages


def test_tools_take_turns_and_ratios_are_to_the_same_round(tmp_path):
    commands = {
        "lubb": fake(tmp_path, processor=[2.0, 4.0, 1.0]),
        "slow": fake(tmp_path, processor=[4.0, 12.0, 2.5]),
        "fast": fake(tmp_path, processor=[1.0, 1.0, 1.0]),
    }
    took, pages = measure(tmp_path, commands)
    log = (tmp_path / "log").read_text().split("\n")
    assert log[:6] == ["lubb 1", "slow 1", "fast 1", "lubb 0", "slow 0", "fast 0"]
    f1 = {"lubb": {"all": 0.9, "article": 0.95, "forum": 0.8}, "slow": {"all": 0.8, "article": 0.9, "forum": 0.7},
          "fast": {"all": 0.25, "article": 0.5, "forum": 0.0}}
    lines = run.table(took, pages, f1, {name: command.version for name, command in commands.items()}).splitlines()
    assert lines[0].startswith("| tool | version | F1 | article | forum | processor time / lubb's |")
    assert lines[2] == "| fast | 1.2 | 0.250 | 0.500 | 0.000 | 0.50 (0.25-1.00) | 0.50 (0.25-1.00) | 20.0 | 10.0 | 2 | 1 |"
    assert lines[3] == "| lubb | 1.2 | 0.900 | 0.950 | 0.800 | 1 | 1 | 10.0 | 5.0 | 2 | 1 |"
    assert lines[4] == "| slow | 1.2 | 0.800 | 0.900 | 0.700 | 2.50 (2.00-3.00) | 2.50 (2.00-3.00) | 5.0 | 2.5 | 2 | 1 |"
    assert len({line.count("|") for line in lines}) == 1


def test_without_references_or_lubb_the_table_has_no_f1_and_no_ratios(tmp_path):
    took, pages = measure(tmp_path, {"slow": fake(tmp_path, processor=[4.0])}, rounds=1)
    lines = run.table(took, pages, {}, {"slow": "1.2"}).splitlines()
    assert "F1" not in lines[0] and lines[2] == "| slow | 1.2 | - | - | 5.0 | 2.5 | 2 | 1 |"


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"row": {"empty": 6}}, "slow: gave no text for 6 of 10 pages"),
        ({"row": {"chars": 0}}, "slow: gave no text"),
        ({"row": {"pages": 9}}, "slow: worked on 9 of 10 pages"),
        ({"row": {"processor": 0}}, "slow: took no processor time"),
        ({"status": 1}, "slow: ended with status 1\nno such model"),
    ],
)
def test_a_tool_that_did_not_do_the_work_is_an_error(tmp_path, settings, message):
    with pytest.raises(run.Failed, match=message):
        measure(tmp_path, {"slow": fake(tmp_path, processor=[1.0], **settings)}, rounds=1)


def test_f1_is_the_mean_over_the_measured_pages_by_kind(tmp_path):
    lubb = tmp_path / "lubb"
    lubb.write_text("#!/bin/sh\nwhile [ $# -gt 1 ]; do shift; done\nmkdir -p $1\n"
                    "printf 'id,group,f1\\na,news,0.5\\nb,news,0.7\\nc,,0.9\\nd,shop,0.1\\n' > $1/pages.csv\n")
    lubb.chmod(0o755)
    found = run.scores(lubb, tmp_path, tmp_path / "t.jsonl", tmp_path / "report", {"a", "b", "c"})
    assert found == {"all": pytest.approx(0.7), "news": pytest.approx(0.6)}
