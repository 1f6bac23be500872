"""The notebook on reports with what users have: names in other scripts, failed pages, no labelled blocks."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).with_name("accuracy.ipynb")
PAGES = "id,set,group,lang,host,words,precision,recall,f1,shingle_precision,shingle_recall,with,without,score,error\n"


def run(report, monkeypatch):
    """The outputs of the executed notebook."""
    monkeypatch.setenv("LUBB_REPORT", str(report))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, resources={"metadata": {"path": str(NOTEBOOK.parent)}}).execute()
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def text(outputs):
    return "\n".join(str(output.get("data", {}).get("text/plain", "")) for output in outputs)


def pictures(outputs):
    return sum("image/png" in output.get("data", {}) for output in outputs)


def test_names_in_any_script(tmp_path, monkeypatch):
    ids = ["عاجل/أخبار-الخليج.html", "$a_1^{$", "0012", "NA", "הארץ\u200f (1)", "ニュース.html", "x" * 300]
    rows = [f"{name},مجموعة,,,موقع{at}.example,9,0.5,0.5,0.{at},,,,,0.{at},\n" for at, name in enumerate(ids)]
    rows.append('bad.html,مجموعة,,,b.example,9,0,0,0,,,,,,"bad.html: empty, ""truly"""\n')
    (tmp_path / "pages.csv").write_text(PAGES + "".join(rows), encoding="utf-8")
    (tmp_path / "labels.csv").write_text("set,label,precision,recall,f1,support,given\n", encoding="utf-8")
    (tmp_path / "confusion.csv").write_text("set,gold,predicted,blocks\n", encoding="utf-8")
    outputs = run(tmp_path, monkeypatch)
    shown = text(outputs)
    assert all(name in shown for name in ["عاجل/أخبار-الخليج.html", "$a_1^{$", "0012", "NA"])
    assert pictures(outputs) == 5


def test_the_sample_report_has_every_plot(monkeypatch):
    assert pictures(run("sample-report", monkeypatch)) == 7


def test_a_folder_without_a_report_is_named(tmp_path, monkeypatch):
    with pytest.raises(Exception, match="no pages.csv there; make it with `lubb evaluate"):
        run(tmp_path, monkeypatch)
