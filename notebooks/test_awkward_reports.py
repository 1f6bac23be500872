"""The notebooks on what users have: names in other scripts, failed pages, no labelled blocks, wrong files."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

HERE = Path(__file__).parent
PAGES = "id,set,group,lang,host,words,precision,recall,f1,shingle_precision,shingle_recall,with,without,score,error\n"


def run(report, monkeypatch, name="accuracy", variable="LUBB_REPORT"):
    """The outputs of the executed notebook."""
    monkeypatch.setenv(variable, str(report))
    notebook = nbformat.read(HERE / f"{name}.ipynb", as_version=4)
    NotebookClient(notebook, resources={"metadata": {"path": str(HERE)}}).execute()
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


def test_features_of_blocks_without_labels_and_of_one_language(tmp_path, monkeypatch):
    rows = [f"s,صفحة {at % 7},a.example,,{at},,{at % 3 == 0:d},{at % 3 + at / 100},{at % 2},1" for at in range(90)]
    # A page whose reference could not be aligned: nothing is known of its blocks.
    rows.append("s,b,b.example,ar-EG,0,,,1,1,1")
    header = "set,page,host,lang,block,label,body,graded,yes_no,constant"
    (tmp_path / "features.csv").write_text("\n".join([header, *rows]), encoding="utf-8")
    shown = text(run(tmp_path / "features.csv", monkeypatch, "features", "LUBB_FEATURES"))
    assert "(none)" in shown and "90" in shown


@pytest.mark.parametrize(
    ("name", "variable", "said"),
    [
        ("features", "LUBB_FEATURES", "made.csv: not there; make it with `lubb features"),
        ("active_learning", "LUBB_CURVE", "made.csv: not there; make it with `python notebooks/learning_curve.py"),
    ],
)
def test_a_file_that_is_not_there_is_named(tmp_path, monkeypatch, name, variable, said):
    with pytest.raises(Exception, match=said):
        run(tmp_path / "made.csv", monkeypatch, name, variable)


def test_a_csv_that_is_no_curve_is_named(tmp_path, monkeypatch):
    (tmp_path / "other.csv").write_text("pages,f1\n1,0.5\n", encoding="utf-8")
    with pytest.raises(Exception, match="no learning curve, columns .* are missing"):
        run(tmp_path / "other.csv", monkeypatch, "active_learning", "LUBB_CURVE")
