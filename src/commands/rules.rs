//! `lubb rules check`: what the rules of a file match on pages.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Subcommand;
use lubb::corpus::{Inputs, RawPage, Reading};
use lubb::gold::rules::{Matches, Rules, host_of_page};
use lubb::page::Page;
use rayon::prelude::*;

use super::{Status, counted};

/// How many contradictions are shown.
const CONFLICTS: usize = 10;

/// Work with rules that label blocks by host and CSS selector
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show what each rule matches, where rules contradict each other, and which match nothing
    Check(Check),
}

#[derive(clap::Args, Debug)]
struct Check {
    /// The rules: a TOML file of [[rule]] with host, select and label
    rules: PathBuf,
    /// Pages, as `lubb apply` takes them
    #[arg(required = true)]
    pages: Vec<PathBuf>,
    /// How many sample texts to show of each rule
    #[arg(long, value_name = "N", default_value_t = 3)]
    samples: usize,
}

/// What the rules make of one page.
struct Checked {
    id: String,
    host: Option<String>,
    known: bool,
    texts: Vec<String>,
    matches: Matches,
}

/// Runs the command.
///
/// # Errors
/// The rules or the pages cannot be read.
pub fn run(args: Args) -> Result<Status> {
    let Command::Check(args) = args.command;
    let rules = Rules::read(&args.rules).context("reading the rules")?;
    let inputs = Inputs::new(&args.pages, Reading::default())?;
    let check = |raw: Result<RawPage, lubb::corpus::PageError>| -> Result<Checked, String> {
        let loaded = raw.and_then(RawPage::load).map_err(|error| error.to_string())?;
        let page = Page::new(&loaded.bytes, &loaded.hints);
        let matches =
            rules.label(&page, &loaded.bytes, &loaded.hints).map_err(|error| format!("{}: {error}", loaded.id))?;
        let host = host_of_page(&page);
        let known = rules.know(host.as_deref());
        Ok(Checked { id: loaded.id, known, host, texts: page.texts().map(str::to_owned).collect(), matches })
    };
    let read: Vec<Result<Checked, String>> = inputs.pages().par_bridge().map(check).collect();
    let mut pages = Vec::new();
    let mut failed = false;
    for result in read {
        match result {
            Ok(page) => pages.push(page),
            Err(problem) => {
                failed = true;
                super::say(&format!("left out: {problem}"));
            }
        }
    }
    pages.sort_by(|a, b| a.id.cmp(&b.id));
    let mut out = anstream::stdout().lock();
    print(&rules, &pages, args.samples, &mut out)?;
    Ok(if failed { Status::SomeFailed } else { Status::AllGood })
}

fn print(rules: &Rules, pages: &[Checked], samples: usize, out: &mut dyn Write) -> std::io::Result<()> {
    for (at, rule) in rules.rules.iter().enumerate() {
        let mut found: Vec<(&Checked, usize)> = Vec::new();
        for page in pages {
            let blocks = page.matches.blocks.iter().enumerate().filter(|(_, by)| **by == Some(at));
            found.extend(blocks.map(|(block, _)| (page, block)));
        }
        let mut of: Vec<&str> = found.iter().map(|(page, _)| page.id.as_str()).collect();
        of.dedup();
        writeln!(out, "line {}: {} {} -> {}", rule.line, rule.host, rule.select, rule.label)?;
        if found.is_empty() {
            let hosts = pages.iter().filter(|page| rule.is_for(page.host.as_deref())).count();
            let why = match hosts {
                0 => "no page is of this host".to_owned(),
                hosts => format!("of its host there are {hosts} pages; other rules may take all that it selects"),
            };
            writeln!(out, "  matches nothing: {why}")?;
            continue;
        }
        let (blocks, of) = (counted(found.len() as u64, "block"), counted(of.len() as u64, "page"));
        writeln!(out, "  {blocks} on {of}")?;
        // Spread over the pages, since the first page says little of the others.
        for (page, block) in found.iter().step_by(found.len().div_ceil(samples.max(1))).take(samples) {
            writeln!(out, "  {} {block}: {}", page.id, shortened(&page.texts[*block]))?;
        }
    }
    let conflicts = pages.iter().flat_map(|page| page.matches.conflicts.iter().map(move |conflict| (page, conflict)));
    let conflicts: Vec<_> = conflicts.collect();
    writeln!(out, "conflicts: {}", conflicts.len())?;
    for (page, (block, first, other)) in conflicts.iter().take(CONFLICTS) {
        let line = |rule: usize| (rules.rules[rule].line, rules.rules[rule].label);
        let ((counts, label), (other, not)) = (line(*first), line(*other));
        writeln!(
            out,
            "  {} {block}: {label} by line {counts}, not {not} by line {other}: {}",
            page.id,
            shortened(&page.texts[*block])
        )?;
    }
    if let Some(more @ 1..) = conflicts.len().checked_sub(CONFLICTS) {
        writeln!(out, "  … and {more} more")?;
    }
    let known = pages.iter().filter(|page| page.known);
    let (mut of, mut blocks, mut whole) = (0, 0, 0);
    for page in known {
        let labelled = page.matches.blocks.iter().flatten().count();
        of += 1;
        blocks += page.matches.blocks.len() - labelled;
        whole += usize::from(labelled == page.matches.blocks.len());
    }
    writeln!(out, "pages: {} read, {of} of hosts with rules, {whole} of these with every block labelled", pages.len())?;
    if blocks > 0 {
        writeln!(
            out,
            "blocks without a label: {blocks}; a rule with select = \"body\" labels whatever no other rule does"
        )?;
    }
    let unknown = pages.iter().filter(|page| page.host.is_none()).count();
    if unknown > 0 {
        writeln!(out, "pages whose address is not known, which only rules for the host * label: {unknown}")?;
    }
    Ok(())
}

fn shortened(text: &str) -> String {
    let text = text.replace('\n', " ");
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
