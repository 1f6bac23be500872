"""Runs one of the Python tools over prepared pages; `run.py` starts it in the environment that it made.

    python runner.py NAME PAGES [TEXTS]

PAGES has a JSON object a line: id, url, html. Prints one line of JSON with what it took, writes the texts to TEXTS.
The clock runs over the extraction alone, and only after the first page was done once.
"""

import json
import logging
import sys
import time


def tool(name):
    if name == "resiliparse":
        from resiliparse.extract.html2text import extract_plain_text

        return lambda page: extract_plain_text(page["html"], main_content=True)
    if name == "trafilatura":
        from trafilatura import extract

        return lambda page: extract(page["html"], url=page["url"])
    if name == "readability-lxml":
        from readability import Document
        from resiliparse.extract.html2text import extract_plain_text

        # It gives the article as HTML; the fastest tool there is makes text of it.
        return lambda page: extract_plain_text(Document(page["html"]).summary())
    raise SystemExit(f"{name}: no such tool; there are resiliparse, trafilatura and readability-lxml")


def main():
    name, path, *texts = sys.argv[1:]
    logging.disable()
    extract = tool(name)

    def text_of(page):
        try:
            return extract(page) or ""
        except Exception:  # A tool that fails on a page has no text for it, and goes on.
            return None

    with open(path, encoding="utf-8") as lines:
        pages = [json.loads(line) for line in lines]
    text_of(pages[0])
    wall, processor = time.perf_counter(), time.process_time()
    found = [text_of(page) for page in pages]
    processor, wall = time.process_time() - processor, time.perf_counter() - wall
    if texts:
        with open(texts[0], "w", encoding="utf-8") as out:
            for page, text in zip(pages, found):
                # Half a surrogate pair is not text; as JSON it would be refused.
                text = text and text.encode("utf-8", "replace").decode("utf-8")
                out.write(json.dumps({"id": page["id"], "text": text}, ensure_ascii=False) + "\n")
    print(json.dumps({
        "pages": len(pages), "processor": processor, "wall": wall,
        "failed": sum(text is None for text in found),
        "empty": sum(not (text or "").strip() for text in found),
        "chars": sum(len(text or "") for text in found),
    }))


if __name__ == "__main__":
    main()
