//! Labelled pages as `train`, `adapt` and `evaluate` need them: read, cut into blocks, aligned, merged.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use lubb::gold::{self, GoldPage, GoldSet, Reference, align, folds, typed};
use lubb::label::Label;
use lubb::model::Labels;
use lubb::model::train::Example;
use lubb::page::{Page, host_of};
use lubb::report::{self, Outcome, PageRow};
use rayon::prelude::*;

/// How many pages a page weighs whose blocks somebody labelled: labels were read one by one, a reference is aligned. Of the
/// default model's training pages 528 are such, 215 of them our own. With 73 of these that weighed 3,
/// listings were worse (word F1 0.728 against 0.756); with 152, 3 was better than 2 on all sets of real pages (`wcxb-dev`
/// 0.8817 against 0.8800, `news-en` 0.9474 against 0.9446); with 215 it is not (0.8796 against 0.8804, 0.9427 against 0.9458).
const LABELLED_WEIGHT: f32 = 2.0;

/// Where labelled pages are, the same for all commands that read them.
#[derive(Debug, clap::Args)]
pub struct Gold {
    /// Labelled pages: folders in WCXB's or AEB's layout, folders with gold.jsonl, labels.csv or ID.lines.tsv files, or
    /// such a file itself
    #[arg(long, required_unless_present = "rules", num_args = 1.., value_name = "PATH")]
    gold: Vec<PathBuf>,
    /// Folders to look in for the pages that a labels.csv names, if they are not beside it, and for pages that rules label
    #[arg(long, num_args = 1.., value_name = "DIR")]
    pages: Vec<PathBuf>,
    /// Rules that label the pages in the folders of --pages by host and CSS selector; `lubb rules check` shows how
    #[arg(long, num_args = 1.., value_name = "RULES", requires = "pages")]
    rules: Vec<PathBuf>,
}

/// A labelled page with all that is known of its blocks.
pub struct LabelledPage {
    /// What is known of the page as a whole.
    pub gold: GoldPage,
    /// The page.
    pub page: Page,
    /// For each block the share of it that is body; empty where the reference could not be aligned.
    pub body: Vec<f32>,
    /// For each block its label, where someone gave one; empty if none.
    pub kinds: Vec<Option<Label>>,
    /// Whether labels are missing for so much of the page that they do not say what its article is: they teach the kinds
    /// of blocks only, and the page has no score.
    pub partial: bool,
    /// The typed reference, where the page has one besides its text.
    pub typed: Option<GoldPage>,
    /// Word F1 of the aligned blocks against the reference text.
    oracle: Option<f64>,
    /// Labels that fit no block.
    unmatched: usize,
    hash: u64,
}

impl Gold {
    /// Reads every set. What cannot be used is told on standard error.
    pub fn read(&self) -> Result<Vec<GoldPage>> {
        let mut pages = Vec::new();
        let by_hand = self.gold.iter().map(|path| (path, self.read_set(path)));
        let by_rules = self.rules.iter().map(|path| (path, self.read_rules(path)));
        for (path, set) in by_hand.chain(by_rules) {
            let set =
                set.with_context(|| format!("reading labelled pages from {}{}", path.display(), self.hint(path)))?;
            for problem in &set.problems {
                super::say(&format!("left out: {problem}"));
            }
            pages.extend(set.pages);
        }
        Ok(pages)
    }

    /// Makes sure that no labels are written over: `file` is to be written.
    pub fn spare(&self, file: &Path) -> Result<()> {
        let same = |input: &Path| input.canonicalize().is_ok_and(|input| file.canonicalize().is_ok_and(|f| f == input));
        match self.files().find(|input| same(input)) {
            Some(_) => bail!("{}: holds the labels that are read; name another output", file.display()),
            None => Ok(()),
        }
    }

    /// The same for a report.
    pub fn spare_from_report(&self, dir: &Path) -> Result<()> {
        report::FILES.iter().try_for_each(|file| self.spare(&dir.join(file)))
    }

    /// The files that may hold labels.
    fn files(&self) -> impl Iterator<Item = PathBuf> {
        let of = |path: &PathBuf| match path.is_dir() {
            true => ["labels.csv", "gold.jsonl", "ground-truth.json"].map(|file| path.join(file)).to_vec(),
            false => vec![path.clone()],
        };
        self.gold.iter().chain(&self.rules).flat_map(of)
    }

    /// Labels name pages that are mostly in another folder.
    fn hint(&self, path: &Path) -> &'static str {
        let labels = path.extension().is_some_and(|e| e == "csv") && path.is_file();
        if labels && self.pages.is_empty() { " (without --pages, which names the folder of their pages)" } else { "" }
    }

    fn read_rules(&self, path: &Path) -> Result<GoldSet> {
        Ok(gold::rules::Rules::read(path)?.gold(&self.pages)?)
    }

    fn read_set(&self, path: &Path) -> Result<GoldSet> {
        let csv = if path.is_dir() { path.join("labels.csv") } else { path.to_owned() };
        if csv.extension().is_none_or(|e| e != "csv") || !csv.is_file() || self.pages.is_empty() {
            return Ok(gold::read(path)?);
        }
        // The folder that has most of the pages is the one that the labels were made on.
        let mut best = gold::read_labels_csv(&csv, None);
        for root in &self.pages {
            let found = gold::read_labels_csv(&csv, Some(root));
            let count = |set: &Result<GoldSet, _>| set.as_ref().map_or(0, |s| s.pages.len());
            if count(&found) > count(&best) {
                best = found;
            }
        }
        Ok(best?)
    }
}

/// Cuts and aligns pages in parallel, and joins typed labels to the page that has a text for the same bytes.
pub fn align_all(golds: Vec<GoldPage>) -> Result<Vec<LabelledPage>> {
    let read: Vec<Result<LabelledPage, String>> =
        golds.into_par_iter().map(|g| LabelledPage::of(g).map_err(|e| e.to_string())).collect();
    let mut pages: Vec<LabelledPage> = Vec::new();
    let mut place: HashMap<u64, usize> = HashMap::new();
    for page in read {
        let page = match page {
            Ok(page) => page,
            Err(error) => {
                super::say(&format!("left out: {error}"));
                continue;
            }
        };
        say_unmatched(&page.gold, page.unmatched);
        match place.get(&page.hash).map(|at| &mut pages[*at]) {
            Some(first) if first.oracle.is_some() != page.oracle.is_some() => {
                let (typed, text) = if page.oracle.is_none() { (&page, &*first) } else { (&*first, &page) };
                let (whole, mut typed_gold) = (!typed.partial, typed.gold.clone());
                // Told apart from the scores of the same set's texts.
                typed_gold.set.push_str(" (typed)");
                let (gold, body, oracle) = (text.gold.clone(), text.body.clone(), text.oracle);
                (first.gold, first.body, first.oracle) = (gold, body, oracle);
                first.typed = first.typed.take().or(whole.then_some(typed_gold));
                first.partial = false;
                fill(&mut first.kinds, &page.kinds);
            }
            // Rules complete what somebody labelled by hand, or the other way round; what came first counts.
            Some(first) if first.oracle.is_none() && page.oracle.is_none() => {
                fill(&mut first.kinds, &page.kinds);
                if first.partial && !page.partial {
                    (first.gold, first.partial) = (page.gold, false);
                }
                first.body = body_of(&page.page, &first.kinds);
            }
            _ => {
                place.insert(page.hash, pages.len());
                pages.push(page);
            }
        }
    }
    if pages.is_empty() {
        bail!("no labelled page could be read");
    }
    join_sites(&mut pages);
    Ok(pages)
}

/// Pages without an address count as sites of their own; those that declare a host that another page has, too, are of
/// its site, or a model would be scored on a site that it saw.
fn join_sites(pages: &mut [LabelledPage]) {
    let declared = |page: &LabelledPage| match page.gold.url {
        Some(_) => None,
        None => page.page.declared_url().and_then(host_of),
    };
    let declared: Vec<Option<String>> = pages.iter().map(declared).collect();
    let mut of_site: HashMap<String, usize> = HashMap::new();
    for (page, declared) in pages.iter().zip(&declared) {
        *of_site.entry(folds::site(declared.as_ref().unwrap_or(&page.gold.host)).to_owned()).or_default() += 1;
    }
    for (page, declared) in pages.iter_mut().zip(declared) {
        if let Some(host) = declared.filter(|host| of_site.get(folds::site(host)).is_some_and(|pages| *pages > 1)) {
            page.gold.host = host;
        }
    }
}

impl LabelledPage {
    fn of(gold: GoldPage) -> Result<LabelledPage, gold::GoldError> {
        let hash = gold.hash()?;
        let page = gold.page()?;
        let mut labelled = LabelledPage {
            gold,
            page,
            body: Vec::new(),
            kinds: Vec::new(),
            partial: false,
            typed: None,
            oracle: None,
            unmatched: 0,
            hash,
        };
        match &labelled.gold.reference {
            Reference::Text(reference) => {
                let found = align(&labelled.page, reference);
                if found.is_usable() || reference.trim().is_empty() {
                    // The decision at one half is the alignment's; the shares only grade what is on either side of it.
                    let share =
                        |(share, content): (&f32, &bool)| if *content { share.max(0.5) } else { share.min(0.49) };
                    labelled.body = found.shares.iter().zip(&found.content).map(share).collect();
                }
                labelled.oracle = Some(found.f1);
            }
            reference => {
                let found = typed::block_labels(&labelled.page, reference).unwrap_or_default();
                labelled.unmatched = found.unmatched;
                let found = found.labels;
                labelled.partial = is_partial(&labelled.page, &found);
                labelled.body = body_of(&labelled.page, &found);
                labelled.kinds = found;
            }
        }
        Ok(labelled)
    }
}

impl LabelledPage {
    /// How many blocks are known to be body, those of a page that is labelled in part included.
    fn body_blocks(&self) -> usize {
        let labelled = self.kinds.iter().filter(|label| **label == Some(Label::Body)).count();
        if self.body.is_empty() { labelled } else { self.body.iter().filter(|share| **share >= 0.5).count() }
    }

    /// Whether its labels do not say what its article is, and nothing else does.
    pub fn has_no_score(&self) -> bool {
        self.partial && self.typed.is_none()
    }

    /// The scores of some labels of the page: against its text or labels, and against its typed reference where there are both.
    pub fn scores(&self, labels: &Labels) -> Vec<PageRow> {
        let prediction = Outcome::of_labels(&self.page, labels.clone()).prediction;
        let golds = std::iter::once(&self.gold).filter(|_| !self.partial).chain(&self.typed);
        golds.map(|gold| PageRow::new(gold, &prediction)).collect()
    }
}

/// Labels where there are none yet.
fn fill(labels: &mut Vec<Option<Label>>, more: &[Option<Label>]) {
    labels.resize(labels.len().max(more.len()), None);
    labels.iter_mut().zip(more).for_each(|(label, other)| *label = label.or(*other));
}

/// Each block's share of body by its labels; nothing if they are too few to say.
fn body_of(page: &Page, labels: &[Option<Label>]) -> Vec<f32> {
    match is_partial(page, labels) {
        true => Vec::new(),
        false => labels.iter().map(|label| if *label == Some(Label::Body) { 1.0 } else { 0.0 }).collect(),
    }
}

/// The pages whose labels say what the article is, and can be scored; how many others there are is told.
pub fn whole(golds: Vec<GoldPage>) -> Vec<GoldPage> {
    let is_whole = |gold: &GoldPage| match (&gold.reference, gold.page()) {
        (Reference::Blocks(labels), Ok(page)) => {
            let found = typed::resolve(&page, labels);
            (!is_partial(&page, &found.labels), found.unmatched)
        }
        // What cannot be read is a page without a text, and scored as such.
        _ => (true, 0),
    };
    let all = golds.len();
    let found: Vec<(bool, usize)> = golds.par_iter().map(is_whole).collect();
    golds.iter().zip(&found).for_each(|(gold, (_, unmatched))| say_unmatched(gold, *unmatched));
    let kept: Vec<GoldPage> =
        golds.into_iter().zip(found).filter(|(_, (keep, _))| *keep).map(|(gold, _)| gold).collect();
    say_partial(all - kept.len(), all);
    kept
}

/// Tells of pages whose labels do not say what the article is.
pub fn say_partial(partial: usize, all: usize) {
    if partial > 0 {
        super::say(&format!("{partial} of {all} pages have labels for a part of their text only, and no score"));
    }
}

/// Tells of labels that were set when the page had other blocks.
fn say_unmatched(gold: &GoldPage, unmatched: usize) {
    if unmatched > 0 {
        let name = format!("{}/{}", gold.set, gold.id);
        super::say(&format!("{name}: {unmatched} labels fit no block; the page has changed since, label it anew"));
    }
}

/// Whether a page's labels leave out more than a tenth of its text. A few blocks without a label are chrome that was not
/// worth one; on a page that is half labelled, or labelled by a rule for its comments alone, they may be the article.
fn is_partial(page: &Page, labels: &[Option<Label>]) -> bool {
    let (mut all, mut missing) = (0u64, 0u64);
    for (block, label) in page.blocks.iter().zip(labels) {
        all += u64::from(block.chars);
        missing += if label.is_none() { u64::from(block.chars) } else { 0 };
    }
    missing * 10 > all
}

/// The folds of an adaptation: by page, since it is their sites that the model is to know. The same page in two sets is one.
pub fn folds_by_page(pages: &[LabelledPage], folds: usize, seed: u64) -> Vec<usize> {
    let mut names: HashMap<u64, String> = HashMap::new();
    let name = |page: &LabelledPage| {
        names.entry(page.hash).or_insert_with(|| format!("{}/{}", page.gold.set, page.gold.id)).clone()
    };
    let names: Vec<String> = pages.iter().map(name).collect();
    folds::by_host(&names, &vec![1.0; pages.len()], folds, seed)
}

/// The pages to learn from, each with its fold.
pub fn examples(pages: &[LabelledPage], folds: &[usize]) -> Vec<Example> {
    let mut sites: Vec<&str> = pages.iter().map(|page| folds::site(&page.gold.host)).collect();
    sites.sort_unstable();
    sites.dedup();
    let example = |(page, fold): (&LabelledPage, &usize)| Example {
        id: page.gold.id.clone(),
        set: page.gold.set.clone(),
        fold: *fold,
        host: sites.binary_search(&folds::site(&page.gold.host)).unwrap_or(0),
        page: page.page.clone(),
        body: page.body.clone(),
        kinds: page.kinds.clone(),
        weight: if page.kinds.is_empty() { 1.0 } else { LABELLED_WEIGHT },
        hash: page.hash,
    };
    pages.iter().zip(folds).map(example).collect()
}

/// Says how well the labels reproduce the references, set by set, and which pages they cannot.
pub fn describe(pages: &[LabelledPage], out: &mut dyn Write) -> std::io::Result<()> {
    let mut sets: Vec<&str> = pages.iter().map(|p| p.gold.set.as_str()).collect();
    sets.dedup();
    sets.sort_unstable();
    sets.dedup();
    writeln!(out, "{:<24} {:>6} {:>9} {:>9} {:>7} {:>10}", "set", "pages", "blocks", "body", "typed", "oracle F1")?;
    for set in sets {
        let of_set: Vec<&LabelledPage> = pages.iter().filter(|p| p.gold.set == set).collect();
        let blocks: usize = of_set.iter().map(|p| p.page.blocks.len()).sum();
        let body: usize = of_set.iter().map(|p| p.body_blocks()).sum();
        let typed = of_set.iter().filter(|p| p.kinds.iter().any(Option::is_some)).count();
        let oracle: Vec<f64> = of_set.iter().filter_map(|p| p.oracle).collect();
        let mean = oracle.iter().sum::<f64>() / oracle.len().max(1) as f64;
        let oracle = if oracle.is_empty() { "-".to_owned() } else { format!("{mean:.4}") };
        writeln!(out, "{set:<24} {:>6} {blocks:>9} {body:>9} {typed:>7} {oracle:>10}", of_set.len())?;
    }
    let is_lost = |p: &&LabelledPage| p.body.is_empty() && p.oracle.is_some_and(|f1| f1 < 0.5);
    let lost: Vec<&LabelledPage> = pages.iter().filter(is_lost).collect();
    if !lost.is_empty() {
        writeln!(out, "not aligned, and not trained on (the page does not hold its reference):")?;
        for page in lost {
            writeln!(out, "  {}/{} F1 {:.2}", page.gold.set, page.gold.id, page.oracle.unwrap_or(0.0))?;
        }
    }
    Ok(())
}
