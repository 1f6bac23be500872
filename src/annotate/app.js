// The page on which blocks are labelled. The server holds pages and labels; this shows them and sends changes.

const $ = (id) => document.getElementById(id);
const frame = $("view");
const pageOf = new URL(".", location.href).pathname;

let pages = []; // id, title, host, score, blocks, labelled, version
let queue = [];
let labels = [];
let at = -1; // the page shown
let blocks = []; // text, tag, label, guess, p, was
let rows = []; // the list's rows, one a block
let marks = []; // the page's elements, some a block
let now = 0;
let anchor = 0;
let chosen = new Set();
let undos = []; // lists of edits, the last change last
let sending = Promise.resolve();

class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function ask(path, body) {
  const init = body === undefined ? {} : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  let response;
  try {
    response = await fetch(pageOf + path, init);
  } catch {
    throw new Refused(0, "lubb does not answer; is `lubb annotate` still running? What was saved is in the file.");
  }
  const text = await response.text();
  const answer = text.startsWith("{") ? JSON.parse(text) : {};
  if (!response.ok) throw new Refused(response.status, answer.error ?? `lubb answers ${response.status}`);
  return answer;
}

const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

function notice(message) {
  $("notice").textContent = message ?? "";
  $("notice").hidden = !message;
}

let toastTimer;
function toast(message) {
  $("toast").textContent = message;
  $("toast").hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => ($("toast").hidden = true), 3500);
}

function saved(message, bad = false) {
  $("saved").textContent = message;
  $("saved").classList.toggle("bad", bad);
}

// Pages

async function loadPages() {
  const answer = await ask("api/pages");
  ({ pages, labels } = answer);
  queue = answer.queue;
  if (!$("labels").children.length) {
    labels.forEach((label, number) => {
      const button = element("button", { title: `Label the selected blocks ${label} (${number + 1})` });
      button.append(element("kbd", { textContent: number + 1 }), label);
      button.dataset.l = label;
      button.onclick = () => setLabel(label);
      $("labels").append(button);
    });
  }
  showPages();
}

const isDone = (page) => page.labelled === page.blocks;

function pageButton(number) {
  const page = pages[number];
  const button = element("button");
  const state = isDone(page) ? element("span", { className: "done", textContent: "✓ done" }) : page.labelled ? `${page.labelled}/${page.blocks}` : `F1 ${page.score.toFixed(2)}`;
  button.append(element("div", { className: "t", textContent: page.title, dir: "auto" }));
  button.append(element("div", { className: "m" }, element("span", { textContent: page.host, title: page.id }), element("span", {}, state)));
  button.dataset.page = number;
  if (number === at) button.setAttribute("aria-current", "page");
  button.onclick = () => openPage(number);
  return button;
}

function showPages() {
  const done = pages.filter(isDone).length;
  const all = pages.reduce((sum, page) => sum + page.blocks, 0);
  const labelled = pages.reduce((sum, page) => sum + page.labelled, 0);
  $("bar").style.width = `${(100 * labelled) / Math.max(all, 1)}%`;
  $("done").textContent = `${done} of ${pages.length} pages, ${labelled} of ${all} blocks`;
  if ($("search").value.trim()) return;
  $("pages-title").textContent = "Pages, the least sure first";
  $("pages").replaceChildren(...queue.map((number) => element("li", {}, pageButton(number))));
}

async function openPage(number, block) {
  const answer = await ask(`api/page/${number}`);
  const same = number === at;
  at = number;
  pages[at].version = answer.version;
  pages[at].score = answer.score;
  blocks = answer.blocks;
  pages[at].labelled = blocks.filter((b) => b.label).length;
  document.title = `${pages[at].title} · lubb annotate`;
  $("title").textContent = pages[at].title;
  $("host").textContent = pages[at].host;
  $("host").title = answer.url ?? pages[at].id;
  $("sure").textContent = `expected F1 ${answer.score.toFixed(2)}`;
  notice();
  if (!same) marks = [];
  showBlocks();
  showPages();
  document.querySelector("#pages [aria-current]")?.scrollIntoView({ block: "nearest" });
  if (block === undefined) block = same ? Math.min(now, blocks.length - 1) : Math.max(0, blocks.findIndex((b) => !b.label));
  if (!same) frame.src = `view/${number}`;
  select(block);
}

function neighbour(step) {
  const place = queue.indexOf(at);
  const next = queue[place + step];
  if (next === undefined) toast(step > 0 ? "That was the last page." : "That is the first page.");
  else openPage(next);
}

// Blocks

function showBlocks() {
  rows = blocks.map((block, number) => {
    const row = element("li", { id: `b${number}` });
    row.setAttribute("role", "option");
    row.append(element("span", { className: "n", textContent: number }), element("span", { className: "chip" }), element("span", { className: "x", textContent: block.text, dir: "auto" }));
    if (block.was) row.append(element("span", { className: "was", textContent: `before: ${block.was}` }));
    row.onmousedown = (event) => startDrag(event, number);
    row.onmouseenter = (event) => drag(event, number);
    return row;
  });
  $("blocks").replaceChildren(...rows);
  blocks.forEach((_, number) => paint(number));
  count();
}

function count() {
  const done = blocks.filter((block) => block.label).length;
  $("count").textContent = `${done} of ${blocks.length} blocks labelled`;
  $("chosen").textContent = chosen.size > 1 ? `${chosen.size} selected` : "";
}

/// Shows a block's label in the list and on the page.
function paint(number) {
  const { label, guess, p } = blocks[number];
  const chip = rows[number].children[1];
  chip.dataset.l = label ?? guess;
  chip.className = label ? "chip set" : "chip";
  chip.replaceChildren(label ?? guess);
  if (!label) chip.append(element("small", { textContent: `${Math.round(p * 100)}` }));
  chip.title = label ? "labelled" : `the model's guess, ${Math.round(p * 100)} % sure`;
  for (const mark of marks[number] ?? []) {
    mark.dataset.l = label ?? guess;
    mark.dataset.k = label ? "set" : "guess";
  }
  paintChosen(number);
}

function paintChosen(number) {
  const is = chosen.has(number);
  rows[number]?.setAttribute("aria-selected", is);
  rows[number]?.classList.toggle("now", number === now);
  for (const mark of marks[number] ?? []) {
    is ? mark.setAttribute("data-s", "") : mark.removeAttribute("data-s");
    number === now ? mark.setAttribute("data-now", "") : mark.removeAttribute("data-now");
  }
}

function select(number, { range = false, add = false, scroll = true } = {}) {
  if (number < 0 || number >= blocks.length) return;
  const before = new Set(chosen).add(now);
  if (range) {
    chosen = new Set();
    for (let block = Math.min(anchor, number); block <= Math.max(anchor, number); block++) chosen.add(block);
  } else if (add) {
    chosen.has(number) ? chosen.delete(number) : chosen.add(number);
    anchor = number;
  } else {
    chosen = new Set([number]);
    anchor = number;
  }
  now = number;
  for (const block of new Set([...before, ...chosen, now])) if (block < blocks.length) paintChosen(block);
  $("blocks").setAttribute("aria-activedescendant", `b${now}`);
  if (scroll) {
    rows[now].scrollIntoView({ block: "nearest" });
    show(marks[now]?.[0]);
  }
  count();
}

/// Scrolls the page to an element if it is not seen.
function show(mark) {
  const box = mark?.getBoundingClientRect();
  if (box && (box.top < 0 || box.bottom > frame.clientHeight)) mark.scrollIntoView({ block: "center" });
}

function startDrag(event, number) {
  if (event.button !== 0) return;
  event.preventDefault();
  select(number, { range: event.shiftKey, add: event.ctrlKey || event.metaKey, scroll: false });
  if (event.view === window) show(marks[number]?.[0]);
  else rows[number].scrollIntoView({ block: "nearest" });
}

function drag(event, number) {
  if (event.buttons === 1 && number !== now) select(number, { range: true, scroll: false });
}

// The page itself: its frame runs no script; these listeners are of this document.
frame.onload = () => {
  const page = frame.contentDocument;
  if (!page || at < 0) return;
  marks = blocks.map(() => []);
  for (const mark of page.querySelectorAll("[data-b]")) marks[mark.dataset.b]?.push(mark);
  if (blocks.length && !page.querySelector("[data-b]")) {
    notice(page.body?.textContent?.slice(0, 300) || "The page cannot be shown; its blocks are in the list.");
    return;
  }
  const block = (event) => event.target.closest?.("[data-b]")?.dataset.b;
  page.addEventListener("mousedown", (event) => block(event) !== undefined && startDrag(event, Number(block(event))));
  page.addEventListener("mouseover", (event) => block(event) !== undefined && drag(event, Number(block(event))));
  page.addEventListener("click", (event) => event.preventDefault());
  page.addEventListener("dragstart", (event) => event.preventDefault());
  page.addEventListener("keydown", onKey);
  styleView();
  // Blocks that the page hides can be labelled in the list only. All are measured before any is painted: a block that is
  // painted makes the browser lay the whole page out again for the next one's place, the square of their number.
  const hidden = marks.map((of) => !of.some((mark) => mark.getClientRects().length));
  blocks.forEach((_, number) => {
    rows[number].classList.toggle("off", hidden[number]);
    if (hidden[number]) rows[number].title = "not seen on the page";
    paint(number);
  });
  show(marks[now]?.[0]);
};

let ownStyle = true;
function styleView() {
  const root = frame.contentDocument?.documentElement;
  const style = frame.contentDocument?.getElementById("lubb-own");
  if (!root) return;
  if (style?.sheet) style.sheet.disabled = !ownStyle;
  root.dataset.theme = document.documentElement.dataset.theme;
  frame.classList.toggle("plain", root.classList.contains("lubb-plain"));
  $("style").setAttribute("aria-pressed", ownStyle);
}

// Changes

/// Sends changes one after the other, so that each knows the version that the one before it made.
function change(make) {
  sending = sending.then(async () => {
    saved("saving …");
    try {
      const undo = await make();
      if (undo) {
        for (const edit of undo) pages[edit.page].version = edit.version;
        saved("saved ✓");
      } else saved("");
      return undo;
    } catch (error) {
      if (error.status === 409) {
        saved("");
        await loadPages();
        await openPage(at);
        toast("Changed in another tab meanwhile: reloaded. Your last change was not made.");
      } else {
        saved("not saved", true);
        notice(error.message);
      }
      return undefined;
    }
  });
  return sending;
}

/// What a change did, seen on the page that is shown and in the counts.
function took(edits) {
  for (const { page, changes } of edits) {
    if (page !== at) continue;
    for (const [block, label] of changes) {
      blocks[block].label = label;
      paint(block);
    }
    pages[at].labelled = blocks.filter((block) => block.label).length;
  }
  count();
  showPages();
}

function sendLabels(changes) {
  const page = at;
  return change(async () => {
    const edits = [{ page, version: pages[page].version, changes }];
    const { undo } = await ask("api/labels", edits);
    undos.push(undo);
    if (page !== at) pages[page].labelled += changes.length;
    took(edits);
    return undo;
  });
}

function setLabel(label) {
  const changes = [...chosen].filter((block) => blocks[block].label !== label).map((block) => [block, label]);
  if (changes.length) sendLabels(changes);
}

function samePlace() {
  const page = at;
  const block = blocks[now];
  const label = block.label ?? block.guess;
  const wanted = [...chosen];
  return change(async () => {
    const { undo } = await ask("api/place", { page, version: pages[page].version, blocks: wanted, label });
    const many = undo.reduce((sum, edit) => sum + edit.changes.length, 0);
    if (undo.length) {
      undos.push(undo);
      await loadPages();
      await openPage(at);
    }
    toast(many ? `${label}: ${many} blocks on ${undo.length} ${undo.length === 1 ? "page" : "pages"} of ${pages[page].host}. U undoes it.` : "All blocks at this place have this label already.");
    return undo;
  });
}

async function accept() {
  const changes = blocks.flatMap((block, number) => (block.label ? [] : [[number, block.guess]]));
  if (changes.length && !(await sendLabels(changes))) return;
  const next = queue.find((number) => number !== at && !isDone(pages[number]));
  if (next === undefined) toast("All pages are labelled.");
  else await openPage(next);
}

function undo() {
  return change(async () => {
    const edits = undos.at(-1);
    if (!edits) {
      toast("Nothing to undo.");
      return undefined;
    }
    for (const edit of edits) edit.version = pages[edit.page].version;
    const { undo } = await ask("api/labels", edits);
    undos.pop();
    for (const edit of undo) pages[edit.page].version = edit.version;
    await loadPages();
    const page = edits.some((edit) => edit.page === at) ? at : edits[0].page;
    await openPage(page, page === at ? undefined : edits[0].changes[0][0]);
    return undo;
  });
}

// Search

let searchTimer;
async function search() {
  const words = $("search").value.trim();
  if (!words) return showPages();
  const answer = await ask(`api/search?q=${encodeURIComponent(words)}`);
  if (words !== $("search").value.trim()) return;
  const has = (text) => text.toLowerCase().includes(words.toLowerCase());
  const titles = queue.filter((number) => has(pages[number].title) || has(pages[number].id) || has(pages[number].host));
  const hits = answer.found.map(({ page, block, text }) => {
    const button = element("button");
    const place = text.toLowerCase().indexOf(words.toLowerCase());
    const shown = element("div", { className: "t", dir: "auto" });
    if (place < 0) shown.append(text);
    else shown.append(text.slice(0, place), element("mark", { textContent: text.slice(place, place + words.length) }), text.slice(place + words.length));
    button.append(shown, element("div", { className: "m" }, element("span", { textContent: pages[page].title, dir: "auto" }), element("span", { textContent: `block ${block}` })));
    button.onclick = () => openPage(page, block);
    return button;
  });
  $("pages-title").textContent = `${titles.length} pages, ${answer.total} blocks found`;
  $("pages").replaceChildren(...[...titles.map(pageButton), ...hits].map((button) => element("li", {}, button)));
}

// Training

let watching;
async function watch() {
  const answer = await ask("api/retrain");
  const box = $("train");
  if (answer.state === "running") {
    box.replaceChildren(element("p", { textContent: "Training. Labelling can go on meanwhile." }), element("pre", { textContent: answer.log.slice(-12).join("\n") }));
    watching = setTimeout(() => watch().catch(failed), 700);
    return;
  }
  $("retrain").disabled = false;
  $("retrain").textContent = "Retrain";
  if (answer.state === "failed") {
    box.replaceChildren(element("p", { className: "bad", textContent: answer.message }));
  } else if (answer.state === "done") {
    trained(answer);
    await loadPages();
    await openPage(at);
  }
}

function trained(answer) {
  const figure = (value, what) => element("div", {}, element("b", { textContent: value }), element("span", { textContent: what }));
  const share = (right) => (answer.labelled ? `${((100 * right) / answer.labelled).toFixed(1)} %` : "–");
  const figures = element("div", { className: "figures" });
  figures.append(figure(`${answer.changed}`, `of ${answer.blocks} guesses changed`));
  figures.append(figure(`${share(answer.right_before)} → ${share(answer.right_after)}`, `of ${answer.labelled} labelled blocks guessed right (the new model has seen them)`));
  if (answer.out_of_fold) figures.append(figure(answer.out_of_fold[0].toFixed(3), `word F1 of ${answer.out_of_fold[1]} labelled pages, by models that did not see them`));
  const table = element("table");
  table.append(element("tr", {}, ...["page", "guesses changed", "expected F1"].map((textContent) => element("th", { textContent }))));
  for (const change of answer.pages.slice(0, 100)) {
    const open = element("button", { textContent: pages[change.page].title, dir: "auto" });
    open.onclick = () => {
      $("train-box").close();
      openPage(change.page);
    };
    const scores = `${change.score_before.toFixed(2)} → ${change.score_after.toFixed(2)}`;
    table.append(element("tr", {}, element("td", {}, open), element("td", { textContent: change.changed }), element("td", { textContent: scores })));
  }
  const log = element("details", {}, element("summary", { textContent: "What the training said" }), element("pre", { textContent: answer.log.join("\n") }));
  const where = answer.model ? `The new model is in use here, and saved as ${answer.model}.` : "The new model is in use here until lubb annotate ends; start it with --model-out to save it.";
  $("train").replaceChildren(figures, element("p", { textContent: where }), element("div", { className: "list" }, table), log);
}

async function retrain() {
  $("train-box").showModal();
  $("retrain").disabled = true;
  $("retrain").textContent = "Training …";
  await ask("api/retrain", null).catch((error) => {
    if (error.status !== 409) throw error;
  });
  clearTimeout(watching);
  await watch();
}

function failed(error) {
  notice(error.message);
}

// Keys

function theme() {
  const root = document.documentElement;
  root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  styleView();
}

function unsure() {
  const open = blocks.map((block, number) => [block.p, number]).filter(([, number]) => !blocks[number].label);
  if (!open.length) return toast("Every block has a label.");
  const others = open.filter(([, number]) => number !== now);
  select((others.length ? others : open).reduce((a, b) => (b[0] < a[0] ? b : a))[1]);
}

function onKey(event) {
  const inBox = event.target.matches?.("input, dialog *");
  if (event.key === "Escape" && event.target === $("search")) {
    $("search").value = "";
    showPages();
    return $("search").blur();
  }
  if (event.target === $("search") && event.key === "Enter") return $("pages").querySelector("button")?.click();
  if (inBox || document.querySelector("dialog[open]") || event.altKey) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") return event.preventDefault(), undo();
  if (event.ctrlKey || event.metaKey) return;
  const onButton = event.target.matches?.("button");
  // The key's place, too, so that letters work on keyboards of other scripts.
  const letter = /^Key[A-Z]$/.test(event.code) ? event.code[3].toLowerCase() : event.key;
  const key = /^[a-z]$/i.test(event.key) ? event.key.toLowerCase() : letter;
  const digit = /^(Digit|Numpad)[0-9]$/.test(event.code) && !event.shiftKey ? Number(event.code.at(-1)) : NaN;
  const range = { range: event.shiftKey };
  const keys = {
    j: () => select(now + 1, range),
    ArrowDown: () => select(now + 1, range),
    k: () => select(now - 1, range),
    ArrowUp: () => select(now - 1, range),
    Home: () => select(0, range),
    End: () => select(blocks.length - 1, range),
    a: () => (select(0), select(blocks.length - 1, { range: true })),
    Escape: () => select(now),
    f: unsure,
    n: () => neighbour(1),
    p: () => neighbour(-1),
    s: samePlace,
    u: undo,
    v: () => ((ownStyle = !ownStyle), styleView()),
    t: theme,
    Delete: () => setLabel(null),
    "/": () => $("search").focus(),
    "?": () => $("help-box").showModal(),
    ...(onButton ? {} : { Enter: accept }),
  };
  let work = keys[key] ?? keys[event.key];
  if (digit === 0) work = () => setLabel(null);
  if (digit >= 1 && digit <= labels.length) work = () => setLabel(labels[digit - 1]);
  if (!work) return;
  event.preventDefault();
  Promise.resolve(work()).catch(failed);
}

document.addEventListener("keydown", onKey);
const press = (id, work) => ($(id).onclick = () => ($(id).blur(), Promise.resolve(work()).catch(failed)));
press("undo", undo);
press("retrain", retrain);
press("style", () => ((ownStyle = !ownStyle), styleView()));
press("theme", theme);
press("help", () => $("help-box").showModal());
press("clear", () => setLabel(null));
press("place", samePlace);
press("accept", accept);
for (const button of document.querySelectorAll(".close")) button.onclick = () => button.closest("dialog").close();
$("search").oninput = () => {
  clearTimeout(searchTimer);
  searchTimer = setTimeout(() => search().catch(failed), 150);
};
const dark = matchMedia("(prefers-color-scheme: dark)");
document.documentElement.dataset.theme = dark.matches ? "dark" : "light";
dark.onchange = () => {
  document.documentElement.dataset.theme = dark.matches ? "dark" : "light";
  styleView();
};

try {
  await loadPages();
  await openPage(queue[0]);
} catch (error) {
  failed(error);
}
