"""The annotation page in a real browser: labels are set and kept, and a hostile page can do nothing."""

import csv
import http.server
import shutil
import threading
import urllib.error
import urllib.request

import pytest
from annotator import ROOT, Mark, annotate, block, by_text, shown
from playwright.sync_api import expect

SITE = ROOT / "data" / "scrapes" / "marsad-sham"


@pytest.fixture
def pages(tmp_path):
    shutil.copytree(SITE, tmp_path / "pages")
    return tmp_path / "pages"


@pytest.fixture
def labels(tmp_path):
    return tmp_path / "labels.csv"


def rows(labels):
    with open(labels, encoding="utf-8", newline="") as lines:
        return {(row["page"], int(row["block"])): row["label"] for row in csv.DictReader(lines)}


def opened(browser, url, title=None):
    tab = browser.new_context(viewport={"width": 1400, "height": 800}).new_page()
    tab.goto(url)
    if title:
        tab.locator("#pages button", has_text=title).first.click()
        expect(tab.locator("#title")).to_contain_text(title)
    # Blocks have their labels on the page once the frame is loaded and the listeners are there.
    shown(tab)
    return tab


def accepted(tab, done):
    """Accepts the guesses of a page, and waits until the next one is there."""
    page = tab.locator("#pages [aria-current]").get_attribute("data-page")
    tab.keyboard.press("Enter")
    expect(tab.locator("#done")).to_contain_text(done)
    expect(tab.locator(f"#pages [aria-current][data-page='{page}']")).to_have_count(0)
    shown(tab)


def is_saved(tab):
    expect(tab.locator("#saved")).to_have_text("saved ✓")


def test_labels_set_by_mouse_and_keys_are_in_the_file_and_there_again(browser, pages, labels):
    name = "article-1001.html"
    with annotate(pages, labels) as url:
        tab = opened(browser, url, "إعادة تشغيل")
        block(tab, 22).click()
        tab.locator("#labels button", has_text="body").click()
        block(tab, 22).has("data-k", "set")
        is_saved(tab)
        assert rows(labels) == {(name, 22): "body"}
        # Keys, and more than one block with shift.
        tab.keyboard.press("j")
        tab.keyboard.press("Shift+ArrowDown")
        tab.keyboard.press("4")
        block(tab, 24).has("data-l", "caption")
        is_saved(tab)
        assert rows(labels) == {(name, 22): "body", (name, 23): "caption", (name, 24): "caption"}
        tab.keyboard.press("u")
        block(tab, 24).has("data-k", "guess")
        expect(tab.locator("#count")).to_contain_text("1 of")
        assert rows(labels) == {(name, 22): "body"}
        tab.reload()
        tab.locator("#pages button", has_text="إعادة تشغيل").first.click()
        expect(tab.locator("#title")).to_contain_text("إعادة تشغيل")
        shown(tab)
        block(tab, 22).has("data-k", "set")
        block(tab, 23).has("data-k", "guess")
    # And for another run of the program.
    with annotate(pages, labels) as url:
        tab = opened(browser, url, "إعادة تشغيل")
        block(tab, 22).has("data-k", "set")


def test_dragging_selects_and_the_rest_can_be_accepted(browser, pages, labels):
    with annotate(pages, labels) as url:
        tab = opened(browser, url, "إعادة تشغيل")
        block(tab, 23).scroll()
        middles = [block(tab, number).place() for number in (22, 23, 24)]
        # Playwright's own mouse asks every frame by script whether a drag began, and waits for ever for a frame that
        # runs none; so the events are Chromium's.
        mouse = tab.context.new_cdp_session(tab)

        def send(kind, place, buttons):
            event = {"type": kind, "x": place[0], "y": place[1], "button": "left", "buttons": buttons, "clickCount": 1}
            mouse.send("Input.dispatchMouseEvent", event)

        send("mousePressed", middles[0], 1)
        for middle in middles:
            send("mouseMoved", middle, 1)
        send("mouseReleased", middles[-1], 0)
        expect(tab.locator("#chosen")).to_have_text("3 selected")
        tab.keyboard.press("6")
        block(tab, 23).has("data-l", "comment")
        is_saved(tab)
        tab.keyboard.press("Enter")
        expect(tab.locator("#title")).not_to_contain_text("إعادة تشغيل")
        expect(tab.locator("#done")).to_contain_text("1 of 6 pages")
        found = rows(labels)
        blocks = {number for page, number in found if page == "article-1001.html"}
        assert blocks == set(range(max(blocks) + 1)) and len(blocks) > 50
        assert [found["article-1001.html", number] for number in (22, 23, 24)] == ["comment"] * 3


def test_the_same_place_is_labelled_on_all_pages_of_the_site_and_undone(browser, pages, labels):
    with annotate(pages, labels) as url:
        tab = opened(browser, url, "إعادة تشغيل")
        block(tab, 18).click()
        tab.keyboard.press("3")
        is_saved(tab)
        tab.keyboard.press("s")
        expect(tab.locator("#toast")).to_contain_text("5 blocks on 5 pages")
        assert sorted(rows(labels)) == [(f"article-100{n}.html", 18) for n in range(1, 7)]
        assert set(rows(labels).values()) == {"meta"}
        tab.keyboard.press("u")
        expect(tab.locator("#done")).to_contain_text(", 1 of")
        assert list(rows(labels)) == [("article-1001.html", 18)]


def test_a_stale_tab_changes_nothing_and_reloads(browser, pages, labels):
    with annotate(pages, labels) as url:
        first = opened(browser, url, "إعادة تشغيل")
        second = opened(browser, url, "إعادة تشغيل")
        block(first, 22).click()
        first.keyboard.press("1")
        is_saved(first)
        block(second, 22).click()
        second.keyboard.press("8")
        expect(second.locator("#toast")).to_contain_text("Changed in another tab")
        shown(second)
        block(second, 22).has("data-l", "body")
        assert rows(labels) == {("article-1001.html", 22): "body"}
        # It goes on from there.
        second.keyboard.press("8")
        block(second, 22).has("data-l", "nav")
        is_saved(second)
        assert rows(labels) == {("article-1001.html", 22): "nav"}


def test_search_finds_blocks_and_pages(browser, pages, labels):
    with annotate(pages, labels) as url:
        tab = opened(browser, url)
        tab.keyboard.press("/")
        tab.keyboard.type("سامر الخطاب")
        expect(tab.locator("#pages-title")).to_contain_text("blocks found")
        tab.keyboard.press("Enter")
        expect(tab.locator("#title")).to_contain_text("إعادة تشغيل")


def test_retraining_uses_the_labels_and_shows_what_they_changed(browser, pages, labels, tmp_path):
    model = tmp_path / "own.lubb"
    training = ["--train-arg=--rounds=10", "--train-arg=--folds=3"]
    with annotate(pages, labels, "--with", "data/labelled", "--model-out", model, *training) as url:
        tab = opened(browser, url)
        accepted(tab, "1 of 6 pages")
        tab.locator("#retrain").click()
        # One page says too little, and the button says so.
        expect(tab.locator("#train")).to_contain_text("label more pages", timeout=300_000)
        assert not model.exists()
        tab.keyboard.press("Escape")
        expect(tab.locator("#train-box")).to_be_hidden()
        accepted(tab, "2 of 6 pages")
        accepted(tab, "3 of 6 pages")
        tab.locator("#retrain").click()
        expect(tab.locator("#train")).to_contain_text("guesses changed", timeout=300_000)
        expect(tab.locator("#train")).to_contain_text("word F1 of 3 labelled pages")
        assert model.stat().st_size > 10_000


HOSTILE = """<!doctype html><html><head><title>Hostile page</title><base href="{evil}/base/">
<meta http-equiv="refresh" content="0;url={evil}/refresh"><link rel="stylesheet" href="{evil}/style.css">
<style>@import "{evil}/import.css"; body {{ background: url({evil}/background) }}
@font-face {{ font-family: f; src: url({evil}/font) }} p {{ font-family: f }}
#overlay {{ position: fixed; inset: 0; z-index: 99999 }}</style>
<script>top.hacked = 1; parent.document.title = "hacked"; fetch("{evil}/script")</script></head>
<body onload="top.hacked = 2"><h1 onclick="top.hacked = 3">A hostile page</h1>
<p>One paragraph with <a id="link" href="javascript:top.hacked=4">a link that runs</a> and
<a id="out" href="{evil}/link" target="_top">one that leads away</a>.</p>
<img src="{evil}/image" onerror="top.hacked = 5"><img src="x" onerror="top.hacked = 6" alt="broken">
<form id="form" action="{evil}/form" method="post"><input name="a" autofocus onfocus="top.hacked = 7">
<button id="send" formaction="{evil}/button">Send it now</button></form>
<iframe src="{evil}/frame" srcdoc="<script>top.hacked = 8</script>"></iframe><object data="{evil}/object"></object>
<embed src="{evil}/embed"><video src="{evil}/video" poster="{evil}/poster"></video>
<svg onload="top.hacked = 9"><use href="{evil}/use"></use><script>top.hacked = 10</script></svg>
<p id="styled" style="background: url({evil}/inline)">A paragraph with a style of its own.</p>
<div id="overlay">An overlay over all of it</div><textarea autofocus onfocus="top.hacked = 11">in a text area</textarea>
<math><mtext><table><mglyph><style><img src=x onerror="top.hacked = 12"></style></mglyph></table></mtext></math>
<noscript><p title="</noscript><img src=x onerror=top.hacked=13>">in noscript</p></noscript></body></html>"""


@pytest.fixture
def evil():
    """A server that must not be asked for anything."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        do_POST = do_GET

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}", asked
    server.shutdown()


def test_a_hostile_page_can_do_nothing(browser, tmp_path, labels, evil):
    address, asked = evil
    folder = tmp_path / "hostile"
    folder.mkdir()
    (folder / "hostile.html").write_text(HOSTILE.format(evil=address))
    with annotate(folder, labels) as url:
        tab = browser.new_context(viewport={"width": 1400, "height": 800}).new_page()
        # Chromium also tells of requests that the policy stopped before they left; only these got an answer.
        answered = []
        tab.on("response", lambda response: answered.append(response.url))
        dialogs = []
        tab.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        tab.goto(url)
        shown(tab)
        for text in ["A hostile page", "a link that runs", "one that leads away", "Send it now", "in a text area"]:
            by_text(tab, text).click()
            tab.wait_for_timeout(50)
        tab.wait_for_timeout(500)
        assert tab.evaluate("window.hacked") is None
        assert "hacked" not in tab.title() and tab.url == url and not dialogs
        assert asked == [] and [address for address in answered if not address.startswith(url)] == []
        # Nothing lies over the blocks, and labels are set as on any page.
        tab.keyboard.press("8")
        is_saved(tab)
        assert list(rows(labels).values()) == ["nav"]
        # Were markup to come through after all, the policies would still stop it.
        policy = urllib.request.urlopen(f"{url}view/0").headers["content-security-policy"]
        assert "default-src 'none'" in policy and "script-src 'none'" in policy and "allow-scripts" not in policy


def test_a_huge_page_is_shown_and_labelled(browser, tmp_path, labels):
    folder = tmp_path / "huge"
    folder.mkdir()
    paragraphs = "".join(f"<p>Paragraph {n} of a page that is far too long. {'Words. ' * 60}</p>" for n in range(5_000))
    (folder / "huge.html").write_text(f"<title>Huge</title><h1>Huge</h1>{paragraphs}")
    # Two seconds where the machine has nothing else to do; but a busy one may be twenty times slower.
    with annotate(folder, labels) as url:
        tab = browser.new_context(viewport={"width": 1400, "height": 800}).new_page()
        tab.goto(url)
        shown(tab, 5_000, 120)
        tab.keyboard.press("End")
        tab.keyboard.press("8")
        block(tab, 5_000).has("data-k", "set", 120)
        expect(tab.locator("#saved")).to_have_text("saved ✓", timeout=60_000)
        assert rows(labels) == {("huge.html", 5_000): "nav"}


def test_only_the_address_with_its_token_and_name_is_answered(pages, labels):
    def status(url, **headers):
        try:
            return urllib.request.urlopen(urllib.request.Request(url, headers=headers)).status
        except urllib.error.HTTPError as error:
            return error.code

    with annotate(pages, labels) as url:
        root = url.rsplit("/", 2)[0]
        assert status(url) == 200
        assert status(f"{root}/") == 404 and status(f"{root}/{'0' * 32}/api/pages") == 404
        assert status(url, Host="evil.example") == 403
        assert status(f"{url}api/pages", **{"Sec-Fetch-Site": "cross-site"}) == 403


def test_a_theme_follows_the_system_and_arabic_stands_right(browser, pages, labels):
    with annotate(pages, labels) as url:
        tab = browser.new_context(color_scheme="dark").new_page()
        tab.goto(url)
        shown(tab)
        assert tab.evaluate("document.documentElement.dataset.theme") == "dark"
        assert Mark(tab, "page.documentElement").evaluate("getComputedStyle(mark).direction") == "rtl"
        text = tab.locator("#blocks .x").first
        assert text.evaluate("text => getComputedStyle(text).direction") == "rtl"


def test_columns_of_others_in_the_label_file_are_kept(browser, pages, labels):
    with annotate(pages, labels) as url:
        tab = opened(browser, url, "إعادة تشغيل")
        block(tab, 22).click()
        tab.keyboard.press("1")
        is_saved(tab)
    header, row = labels.read_text(encoding="utf-8").splitlines()
    labels.write_text(f"who,{header}\nRana,{row}\n", encoding="utf-8")
    with annotate(pages, labels) as url:
        tab = opened(browser, url, "إعادة تشغيل")
        block(tab, 23).click()
        tab.keyboard.press("8")
        is_saved(tab)
        with open(labels, encoding="utf-8", newline="") as lines:
            assert [(row["block"], row["who"]) for row in csv.DictReader(lines)] == [("22", "Rana"), ("23", "")]
