//! `lubb inspect`: how a page is cut and labelled, and why.

use std::io::Write;
use std::path::PathBuf;

use anstyle::{AnsiColor, Color, Style};
use anyhow::{Context, Result, ensure};
use lubb::corpus::{Inputs, Reading};
use lubb::label::Label;
use lubb::model::Card;
use lubb::page::Page;

use super::{InputKind, ModelFile, Status};

/// Show a page's blocks with their labels, and why they have them
///
/// One line a block: its number, its label, the probability of that label, the probability of body, its element and
/// text. Which blocks are body is decided for the page as a whole, by the F1 to be expected, so a label may be less
/// likely than another.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The page, plain, gzip or zstd; `-` for standard input
    #[arg(required_unless_present = "card")]
    file: Option<PathBuf>,
    #[command(flatten)]
    model: ModelFile,
    /// Below each block, the features that decided most
    #[arg(long)]
    why: bool,
    /// How many features `--why` shows
    #[arg(long, value_name = "N", default_value_t = 5)]
    top: usize,
    /// Only blocks with this label
    #[arg(long, value_name = "LABEL")]
    label: Option<Label>,
    /// Whole texts instead of their beginnings
    #[arg(long)]
    full: bool,
    /// What the page is
    #[arg(long, value_enum, default_value_t)]
    input: InputKind,
    /// The page's address
    #[arg(long)]
    url: Option<String>,
    /// The page's charset, for example windows-1256, where it is known from elsewhere
    #[arg(long, value_name = "LABEL", value_parser = super::extract::charset)]
    charset: Option<String>,
    /// Show what the model was made from and how good it is, instead of a page
    #[arg(long)]
    card: bool,
}

/// How many characters of a block's text are shown.
const SHOWN: usize = 100;

fn style(label: Label) -> Style {
    let color = match label {
        Label::Body => AnsiColor::Green,
        Label::Headline => AnsiColor::BrightGreen,
        Label::Meta => AnsiColor::Cyan,
        Label::Caption => AnsiColor::Blue,
        Label::Related => AnsiColor::Yellow,
        Label::Comment => AnsiColor::Magenta,
        Label::Widget => AnsiColor::Red,
        Label::Nav => AnsiColor::BrightBlack,
    };
    Style::new().fg_color(Some(Color::Ansi(color)))
}

/// Runs the command.
///
/// # Errors
/// The page or the model cannot be read.
pub fn run(args: Args) -> Result<Status> {
    let model = args.model.load()?;
    let mut out = anstream::stdout().lock();
    let Some(file) = args.file.as_ref().filter(|_| !args.card) else {
        print_card(&model.card, &mut out)?;
        if let Some(card) = model.adapted_to() {
            writeln!(out, "\nadapted to:")?;
            print_made_from(card, "word F1 on further pages of the sites", &mut out)?;
        }
        return Ok(Status::AllGood);
    };
    ensure!(!file.is_dir(), "{}: a folder; name one of its pages", file.display());
    let reading = Reading { input: args.input.into(), charset: args.charset, url: args.url, ..Reading::default() };
    let raw = Inputs::new(&[file], reading)?.pages().next().with_context(|| format!("{}: no page", file.display()))?;
    let loaded = raw?.load()?;
    let page = Page::new(&loaded.bytes, &loaded.hints);
    lubb::extractor::serves(&model, &page).with_context(|| loaded.id.clone())?;
    let labels = model.label(&page);
    writeln!(
        out,
        "{}: {} blocks, expected F1 {:.2}, decoded from {}",
        loaded.id,
        page.blocks.len(),
        labels.score,
        page.encoding
    )?;
    let is_shown = |at: &usize| args.label.is_none_or(|wanted| wanted == labels.blocks[*at].label);
    let shown: Vec<usize> = (0..page.blocks.len()).filter(is_shown).collect();
    let mut reasons = if args.why { model.explain_blocks(&page, &shown) } else { Vec::new() }.into_iter();
    for at in shown {
        let (block, labelled) = (&page.blocks[at], &labels.blocks[at]);
        let text = page.text_of(block).replace('\n', " ");
        let shown: String = if args.full { text.clone() } else { text.chars().take(SHOWN).collect() };
        let more = if shown.len() < text.len() { "…" } else { "" };
        let element = match page.lines.get(at) {
            Some(line) => format!("line {}", line.number),
            None => format!("<{}>", page.dom.tag(block.element).name()),
        };
        let color = style(labelled.label);
        writeln!(
            out,
            "{at:>4} {color}{:<8}{color:#} {:.2}  body {:.2}  {element:<10} {color}{shown}{more}{color:#}",
            labelled.label, labelled.p, labelled.body
        )?;
        for reason in reasons.next().iter().flatten().take(args.top) {
            writeln!(out, "       {:>+7.2}  {} = {:.3}", reason.contribution, reason.column, reason.value)?;
        }
    }
    Ok(Status::AllGood)
}

fn print_card(card: &Card, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "trained on:")?;
    print_made_from(card, "out-of-fold word F1, by host", out)
}

/// The pages of a card, its figures and what goes with them.
fn print_made_from(card: &Card, figures: &str, out: &mut dyn Write) -> std::io::Result<()> {
    for (set, pages) in &card.trained_on {
        writeln!(out, "  {set}: {pages} pages")?;
    }
    writeln!(out, "{figures}:")?;
    for (set, pages, f1) in &card.figures {
        writeln!(out, "  {set}: {f1:.4} ({pages} pages)")?;
    }
    for attribution in &card.attributions {
        writeln!(out, "{attribution}")?;
    }
    writeln!(out, "seed {}", card.seed)
}
