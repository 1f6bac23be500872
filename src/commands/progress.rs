//! How a run is going, on standard error: a bar on a terminal, else a line now and then; a summary at the end.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use lubb::Document;
use lubb::corpus::{Inputs, PassedOver};

use super::{counted, say};

/// How often a line is written where there is no terminal.
const LINE: Duration = Duration::from_secs(5);
/// Of so many pages the error is told at once where all errors are in the output.
const TOLD: u64 = 5;

/// Counts pages and shows them.
pub struct Progress {
    shown: Shown,
    begun: Instant,
    counted: Counted,
    /// What of it was there before this run.
    before: Counted,
    bytes: u64,
    /// Whether the output has a place for errors.
    keeps_errors: bool,
}

#[derive(Clone, Copy, Default)]
struct Counted {
    pages: u64,
    articles: u64,
    errors: u64,
}

impl Counted {
    fn add(&mut self, document: &Document) {
        self.pages += 1;
        self.errors += u64::from(document.error.is_some());
        self.articles += u64::from(document.error.is_none() && !document.text.is_empty());
    }
}

enum Shown {
    Nothing,
    Lines { next: Duration },
    Bar(ProgressBar),
}

impl Progress {
    /// Begins the count. For a bar the inputs' size is found out in the background.
    pub fn new(quiet: bool, inputs: &Inputs, keeps_errors: bool) -> Progress {
        let shown = match quiet {
            true => Shown::Nothing,
            false if std::io::stderr().is_terminal() => Shown::Bar(bar(inputs.clone())),
            false => Shown::Lines { next: LINE },
        };
        let (counted, before) = Default::default();
        Progress { shown, begun: Instant::now(), counted, before, bytes: 0, keeps_errors }
    }

    /// Counts a page that an interrupted run wrote.
    pub fn before(&mut self, document: &Document) {
        self.before.add(document);
        self.counted.add(document);
    }

    /// Counts a page that is written.
    pub fn page(&mut self, document: &Document, bytes: u64, stored: u64) {
        self.counted.add(document);
        self.bytes += bytes;
        let elapsed = self.begun.elapsed();
        let errors = self.counted.errors - self.before.errors;
        let line = match &document.error {
            Some(error) if !self.keeps_errors || errors <= TOLD => Some(error.clone()),
            Some(_) if errors == TOLD + 1 => Some("more errors are in the output".to_owned()),
            _ => None,
        };
        let state = match &self.shown {
            Shown::Nothing if self.keeps_errors => return,
            Shown::Nothing => None,
            Shown::Lines { next } if elapsed < *next => None,
            _ => Some(self.state(elapsed)),
        };
        match (&mut self.shown, line) {
            (Shown::Bar(bar), Some(line)) => bar.suspend(|| say(&line)),
            (_, Some(line)) => say(&line),
            _ => {}
        }
        match (&mut self.shown, state) {
            (Shown::Lines { next }, Some(state)) => {
                *next = elapsed + LINE;
                say(&state);
            }
            (Shown::Bar(bar), Some(state)) => {
                bar.inc(stored);
                bar.set_message(state);
            }
            _ => {}
        }
    }

    fn state(&self, elapsed: Duration) -> String {
        let megabytes = self.bytes as f64 / 1e6 / elapsed.as_secs_f64().max(1e-3);
        let (pages, errors) = (counted(self.counted.pages, "page"), counted(self.counted.errors, "error"));
        format!("{pages}, {megabytes:.1} MB/s, {errors}")
    }

    /// Says how the run went, and what its inputs had besides pages; the number of pages that failed, those from before
    /// among them.
    pub fn finish(self, passed_over: &PassedOver) -> u64 {
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
        if !matches!(self.shown, Shown::Nothing) {
            let seconds = self.begun.elapsed().as_secs_f64().max(1e-3);
            let Counted { pages, articles, errors } = self.counted;
            let before = match self.before.pages {
                0 => String::new(),
                before => format!(" ({} of them from before)", HumanCount(before)),
            };
            say(&format!(
                "{}{before}: {}, {} empty, {}; {seconds:.1} s, {:.0} pages/s, {:.1} MB/s",
                counted(pages, "page"),
                counted(articles, "article"),
                HumanCount(pages - articles - errors),
                counted(errors, "error"),
                (pages - self.before.pages) as f64 / seconds,
                self.bytes as f64 / 1e6 / seconds,
            ));
            if !passed_over.is_empty() {
                say(&format!("passed over in WARC files: {passed_over}"));
            }
        }
        self.counted.errors
    }
}

fn bar(inputs: Inputs) -> ProgressBar {
    let style = |template| ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new_spinner().with_style(style("{spinner} {msg}, {elapsed}"));
    bar.enable_steady_tick(Duration::from_millis(250));
    let counted = bar.clone();
    // A walk over millions of files takes a while, and nobody waits for it.
    std::thread::spawn(move || {
        if let Some(bytes) = inputs.stored_bytes() {
            counted.set_length(bytes);
            counted.set_style(style("{bar:30} {percent:>3}%  {msg}, {eta} left"));
        }
    });
    bar
}
