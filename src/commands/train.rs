//! `lubb train`: labelled pages in, a model and its out-of-fold figures out.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;
use lubb::Document;
use lubb::features;
use lubb::gold::bare::{Bare, bare};
use lubb::gold::flatten::{Style, flatten};
use lubb::gold::long::long;
use lubb::gold::{GoldPage, folds};
use lubb::label::Label;
use lubb::model::Card;
use lubb::model::decide::{Judged, calibration_error};
use lubb::model::train::{Example, Family, OutOfFold, TrainParams, train};
use lubb::page::{Page, host_of};
use lubb::report::{Outcome, PageRow, Prediction, Report};
use rayon::prelude::*;

use super::Status;
use super::evaluate::print_report;
use super::labelled::{self, Gold, LabelledPage};

/// Train a model on labelled pages, and say how it does on hosts it never saw
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    gold: Gold,
    /// The model to write
    #[arg(short, long, value_name = "MODEL")]
    out: PathBuf,
    /// What decides body against chrome
    #[arg(long, value_enum, default_value_t)]
    classifier: Classifier,
    /// Folds, by host: a page's figures come from a model that saw no page of its host. The first of two stages is fitted
    /// without every set of up to two folds, so that ten folds take three times as long as five
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(3..=20))]
    folds: u8,
    /// What is never split between folds: a site, or a whole group (page type, country) with all sites that are mostly
    /// in it, for figures on kinds of page that no training saw
    #[arg(long, value_enum, default_value_t, hide_short_help = true)]
    fold_by: FoldBy,
    /// Seed of folds and draws: the same pages and seed give the same model, byte for byte
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Rows drawn for each fit, in proportion to their weights [default: 200000, logistic 60000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(100..))]
    rows: Option<u32>,
    /// Classifiers in a row: each after the first also sees what the one before says of a block's surroundings
    #[arg(long, default_value_t = 2, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=4), hide_short_help = true)]
    stages: u8,
    /// Boosting rounds of each stage
    #[arg(long, default_value_t = 300, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Models of other draws whose mean the last stage is, where it is trees, one fewer for stages between the first and the
    /// last: less hangs on the seed
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=20), hide_short_help = true)]
    bags: u8,
    /// How often the network beside the trees sees every page, more often where pages are few
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), hide_short_help = true)]
    epochs: u16,
    /// Learn from every Nth page a second time, with markup that says less (names of classes and declared data left out,
    /// other elements), so that the model does well on pages of which only the text speaks; 0 for none
    #[arg(long, default_value_t = 0, value_name = "N", hide_short_help = true)]
    bare: u8,
    /// Learn from every Nth page a second time, with an article many times as long where it has paragraphs enough, so that
    /// the model does well on novels and reports; 0 for none
    #[arg(long, default_value_t = 0, value_name = "N", hide_short_help = true)]
    long: u8,
    /// Leave out the model for flattened text
    #[arg(long)]
    no_flat: bool,
    /// Parts to leave out, to see what they add: groups of columns (text, structure, context, declared, groups,
    /// media, visibility, wording, lexicon), or stage-one (its words on a block's surroundings), head, decision
    #[arg(long, value_delimiter = ',', value_name = "PARTS", hide_short_help = true)]
    without: Vec<String>,
    /// A licence or a name to be given, kept in the model
    #[arg(long, value_name = "TEXT")]
    attribution: Vec<String>,
    /// Also write the out-of-fold report to this folder, as `lubb evaluate` does
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
    /// Also write every page's out-of-fold text and labelled blocks to this file, one JSON object a line
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Classifier {
    /// linfa-logistic in all stages: small, and every weight can be read
    Logistic,
    /// Boosted trees in all stages: more accurate
    Boost,
    /// Boosted trees, and beside them a network over the blocks of a page: most accurate
    #[default]
    Stack,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum FoldBy {
    /// A site, by its registrable domain
    #[default]
    Site,
    /// A group of the labelled set
    Group,
}

/// Runs the command.
///
/// # Errors
/// The labelled pages cannot be read or are too few, or the model cannot be written.
pub fn run(args: Args) -> Result<Status> {
    let mut out = anstream::stdout().lock();
    check_outputs(&args.gold, &args.out, args.predictions.as_deref(), args.report.as_deref())?;
    let all = labelled::align_all(args.gold.read()?)?;
    labelled::describe(&all, &mut out)?;
    ensure!(all.iter().any(|p| !p.body.is_empty()), "none of the {} labelled pages can be trained on", all.len());

    let params = parameters(&args)?;
    let examples = labelled::examples(&all, &folds(&all, params.folds, params.seed, args.fold_by));
    let (html, text): (Vec<_>, Vec<_>) = all.iter().zip(examples).partition(|(p, _)| !p.page.dom.is_empty());
    let (mut labelled, mut html): (Vec<&LabelledPage>, Vec<Example>) = html.into_iter().unzip();
    let bare = bare_copies(&html, args.bare);
    let long = long_copies(&html, args.long);
    let mut flat = if args.no_flat { Vec::new() } else { [flattened(&html), flattened(&long)].concat() };
    let (pages, first_long) = (html.len(), html.len() + bare.len());
    writeln!(
        out,
        "training on {pages} pages, {} bare ones, {} long ones, flattened {} times, and {} flat ones",
        bare.len(),
        long.len(),
        flat.len(),
        text.len()
    )?;
    // Results out of fold come in this order: pages, bare copies, long ones, flattened ones, and those that came as text,
    // which stand in the report by their sets.
    let first_flat = first_long + long.len();
    let first_text = first_flat + flat.len();
    let (originals, copies): (Vec<&LabelledPage>, Vec<Example>) =
        bare.into_iter().map(|(at, copy)| (labelled[at], copy)).unzip();
    html.extend(copies);
    html.extend(long);
    if args.no_flat {
        ensure!(text.is_empty(), "{} pages are flattened text, which --no-flat leaves out", text.len());
    }
    for (page, example) in text {
        labelled.push(page);
        flat.push(example);
    }
    let golds: Vec<&GoldPage> = labelled.iter().map(|l| &l.gold).collect();
    let card = Card { trained_on: sets(&golds), attributions: args.attribution.clone(), ..Card::default() };
    let mut trained = train(&html, &flat, &params, card)?;

    let (of_html, of_text) = (&trained.out_of_fold[..pages], &trained.out_of_fold[first_text..]);
    let results: Vec<_> = of_html.iter().chain(of_text).collect();
    let rows = labelled.par_iter().zip(&results).flat_map_iter(|(page, result)| page.scores(&result.labels));
    let report = Report::new(rows.collect());
    if let Some(path) = &args.predictions {
        let pages = labelled.iter().zip(&results);
        write_predictions(
            path,
            pages.map(|(page, result)| (&page.gold, Outcome::of_labels(&page.page, result.labels.clone()).prediction)),
        )?;
    }
    writeln!(out, "\nout of fold by host:")?;
    print_report(&report, &mut out)?;
    let judged = of_html.iter().filter(|r| !r.judged.body.is_empty());
    let p: Vec<(Vec<f32>, &Judged)> =
        judged.map(|r| (r.labels.blocks.iter().map(|l| l.body).collect(), &r.judged)).collect();
    let error = calibration_error(p.iter().map(|(p, j)| (&p[..], &j.words[..], &j.body[..])));
    writeln!(out, "calibration error of the probability of body, out of fold: {error:.4}")?;
    let bare = &html[pages..first_long];
    if let Some(f1) = bare_f1(bare.iter().zip(&trained.out_of_fold[pages..]).zip(originals)) {
        writeln!(out, "bare, out of fold: word F1 {f1:.4}")?;
    }
    let long = &html[first_long..];
    if let Some((kept, dropped)) = recall(long, &trained.out_of_fold[first_long..first_flat]) {
        writeln!(out, "long, out of fold: {kept:.1} % of body blocks kept, {dropped:.1} % of chrome blocks dropped")?;
    }
    if let Some((kept, dropped)) = recall(&flat, &trained.out_of_fold[first_flat..]) {
        writeln!(
            out,
            "flattened, out of fold: {:.1} % of body lines kept, {:.1} % of chrome lines dropped",
            kept, dropped
        )?;
    }
    let figures = report.summary.sets.iter().map(|s| (s.set.clone(), s.pages as u32, s.means.f1 as f32));
    trained.model.card.figures = figures.collect();
    if let Some(dir) = &args.report {
        report.write(dir).context("writing the report")?;
    }
    trained.model.write(&args.out).context("writing the model")?;
    let size = trained.model.to_bytes().len();
    writeln!(out, "wrote {} ({:.1} MB)", args.out.display(), size as f64 / 1e6)?;
    Ok(Status::AllGood)
}

/// Whether a model can be written there. A training takes minutes: better to hear of a wrong path before it than after.
/// Makes sure that the model can be written, and that nothing takes the place of labels.
pub(super) fn check_outputs(gold: &Gold, out: &Path, predictions: Option<&Path>, report: Option<&Path>) -> Result<()> {
    gold.spare(out)?;
    predictions.map_or(Ok(()), |file| gold.spare(file))?;
    report.map_or(Ok(()), |dir| gold.spare_from_report(dir))?;
    let folder = out.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    ensure!(folder.is_dir(), "writing the model to {}: its folder does not exist", out.display());
    ensure!(!out.is_dir(), "writing the model to {}: that is a folder, and --out names a file", out.display());
    Ok(())
}

fn parameters(args: &Args) -> Result<TrainParams> {
    let mut params = TrainParams { folds: args.folds.into(), seed: args.seed, ..TrainParams::default() };
    params.stages = args.stages.into();
    params.rounds = args.rounds.into();
    params.bags = args.bags.into();
    params.epochs = args.epochs.into();
    match args.classifier {
        Classifier::Logistic => params.family = Family::Logistic,
        Classifier::Boost => params.family = Family::Boost,
        Classifier::Stack => params.family = Family::Stack,
    }
    if let Some(rows) = args.rows {
        (params.logistic.rows, params.boost_rows) = (rows as usize, rows as usize);
    }
    for part in &args.without {
        let without = &mut params.without;
        match part.as_str() {
            "stage-one" => without.context = true,
            "head" => without.head = true,
            "decision" => without.decision = true,
            group if features::COLUMN_GROUPS.contains(&group) => without.columns.push(group.to_owned()),
            other => {
                let known = features::COLUMN_GROUPS.join(", ");
                bail!("--without {other}: there are {known}, stage-one, head and decision");
            }
        }
    }
    Ok(params)
}

/// Each page's fold.
fn folds(pages: &[LabelledPage], count: usize, seed: u64, fold_by: FoldBy) -> Vec<usize> {
    let hosts: Vec<String> = pages.iter().map(|p| p.gold.host.clone()).collect();
    let weights: Vec<f64> = pages.iter().map(|p| p.page.blocks.len() as f64).collect();
    match fold_by {
        FoldBy::Site => folds::by_host(&hosts, &weights, count, seed),
        FoldBy::Group => {
            let groups: Vec<Option<&str>> = pages.iter().map(|p| p.gold.group.as_deref()).collect();
            folds::by_group(&hosts, &groups, &weights, count, seed)
        }
    }
}

/// Every nth page of HTML with bare markup, and the place of the page that it is a copy of.
fn bare_copies(examples: &[Example], every: u8) -> Vec<(usize, Example)> {
    let chosen = examples.iter().enumerate().filter(|(at, _)| every > 0 && at % usize::from(every) == 0);
    let copy = |(at, example): (usize, &Example)| {
        let page = bare(&example.page, Bare::of(&example.id))?;
        Some((at, Example { page, ..example.clone() }))
    };
    chosen.filter_map(copy).collect()
}

/// Every nth page of HTML with a longer article, of those that have paragraphs enough.
fn long_copies(examples: &[Example], every: u8) -> Vec<Example> {
    let chosen = examples.par_iter().enumerate().filter(|(at, _)| every > 0 && at % usize::from(every) == 0);
    let copy = |(_, example): (usize, &Example)| {
        let long = long(&example.id, &example.page, &example.body, &example.kinds)?;
        Some(Example { page: long.page, body: long.body, kinds: long.kinds, ..example.clone() })
    };
    chosen.filter_map(copy).collect()
}

/// Every page of HTML flattened in two of the styles, the next page in the next ones.
pub(super) fn flattened(examples: &[Example]) -> Vec<Example> {
    let flat = |example: &Example, style: Style| {
        let flat = flatten(&example.page, &example.body, &example.kinds, style);
        let page = Page::from_text(&flat.text);
        let kinds = if flat.kinds.iter().any(Option::is_some) { flat.kinds } else { Vec::new() };
        (page.blocks.len() == flat.body.len()).then(|| Example { page, body: flat.body, kinds, ..example.clone() })
    };
    let usable = |e: &Example| !e.body.is_empty() && !e.page.dom.is_empty() && !e.page.blocks.is_empty();
    let styles = |at: usize| [0, 2].map(|k| Style::ALL[(at + k) % Style::ALL.len()]);
    let pages = examples.par_iter().enumerate().filter(|(_, example)| usable(example));
    pages.flat_map_iter(|(at, example)| styles(at).into_iter().filter_map(|style| flat(example, style))).collect()
}

pub(super) fn sets(golds: &[&GoldPage]) -> Vec<(String, u32)> {
    let mut sets: Vec<(String, u32)> = Vec::new();
    for gold in golds {
        match sets.iter_mut().find(|(name, _)| *name == gold.set) {
            Some((_, count)) => *count += 1,
            None => sets.push((gold.set.clone(), 1)),
        }
    }
    sets
}

/// Writes predictions in the form that `lubb evaluate --predictions` reads.
pub(super) fn write_predictions<'a>(
    path: &Path,
    pages: impl Iterator<Item = (&'a GoldPage, Prediction)>,
) -> Result<()> {
    let writing = || format!("writing the predictions to {}", path.display());
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).with_context(writing)?);
    for (gold, prediction) in pages {
        let document = Document {
            id: gold.id.clone(),
            url: gold.url.clone(),
            host: gold.url.as_deref().and_then(host_of),
            text: prediction.text,
            score: prediction.score.unwrap_or_default(),
            blocks: prediction.blocks,
            ..Document::default()
        };
        serde_json::to_writer(&mut file, &document).with_context(writing)?;
        file.write_all(b"\n").with_context(writing)?;
    }
    file.flush().with_context(writing)
}

/// Mean word F1 of bare copies, each scored as the page that it is a copy of.
fn bare_f1<'a>(copies: impl Iterator<Item = ((&'a Example, &'a OutOfFold), &'a LabelledPage)>) -> Option<f64> {
    let score = |((copy, result), original): ((&Example, &OutOfFold), &LabelledPage)| {
        let outcome = Outcome::of_labels(&copy.page, result.labels.clone());
        (!original.partial).then(|| PageRow::new(&original.gold, &outcome.prediction).f1)
    };
    let scores: Vec<f64> = copies.filter_map(score).collect();
    (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64)
}

/// Percentages of blocks of body kept and of chrome dropped.
fn recall(examples: &[Example], results: &[OutOfFold]) -> Option<(f64, f64)> {
    let (mut body, mut kept, mut chrome, mut dropped) = (0u64, 0u64, 0u64, 0u64);
    for (example, result) in examples.iter().zip(results) {
        for (share, label) in example.body.iter().zip(&result.labels.blocks) {
            let is_kept = label.label == Label::Body;
            if *share >= 0.5 {
                (body, kept) = (body + 1, kept + u64::from(is_kept));
            } else {
                (chrome, dropped) = (chrome + 1, dropped + u64::from(!is_kept));
            }
        }
    }
    (body > 0 && chrome > 0).then(|| (100.0 * kept as f64 / body as f64, 100.0 * dropped as f64 / chrome as f64))
}
