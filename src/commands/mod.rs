//! The subcommands: what they read from the command line and print. The work is the library's.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anstyle::{AnsiColor, Style};
use clap::{Parser, Subcommand, ValueEnum};
use lubb::document::sink::SinkError;
use lubb::model::Favor;
use lubb::{Extractor, LabelSet, Model, page};

mod adapt;
#[cfg(feature = "serve")]
mod annotate;
mod apply;
mod evaluate;
mod extract;
mod features;
mod inspect;
mod labelled;
mod progress;
mod rules;
mod system;
mod train;

/// Separates the article of a web page from the rest.
#[derive(Debug, Parser)]
#[command(
    version,
    about,
    after_help = "Exit status: 0 all went well, 1 some pages failed, 2 the run could not be done."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Extract(extract::Args),
    Apply(apply::Args),
    Train(train::Args),
    Adapt(adapt::Args),
    Evaluate(evaluate::Args),
    Inspect(inspect::Args),
    #[cfg(feature = "serve")]
    Annotate(annotate::Args),
    Rules(rules::Args),
    Features(features::Args),
}

/// How a run that could be done ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Every page was read.
    AllGood = 0,
    /// Some pages have an error instead of a text.
    SomeFailed = 1,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> ExitCode {
        ExitCode::from(status as u8)
    }
}

/// Runs a command.
///
/// # Errors
/// The run could not be done, or not to its end.
pub fn run(cli: Cli) -> anyhow::Result<Status> {
    // Of the pool that all commands share; it fails only where there is one already.
    let _ = rayon::ThreadPoolBuilder::new().stack_size(lubb::corpus::STACK).build_global();
    match cli.command {
        Command::Extract(args) => extract::run(args),
        Command::Apply(args) => apply::run(args),
        Command::Train(args) => train::run(args),
        Command::Adapt(args) => adapt::run(args),
        Command::Evaluate(args) => evaluate::run(args),
        Command::Inspect(args) => inspect::run(args),
        #[cfg(feature = "serve")]
        Command::Annotate(args) => annotate::run(args),
        Command::Rules(args) => rules::run(args),
        Command::Features(args) => features::run(args),
    }
}

/// Says on standard error why a run could not be done.
pub fn complain(error: &anyhow::Error) {
    let red = Style::new().fg_color(Some(AnsiColor::Red.into())).bold();
    say(&format!("{red}error:{red:#} {error:#}"));
}

/// Whether a run ended because nobody reads its output any more.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<SinkError>().is_some_and(SinkError::is_broken_pipe)
            || cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// A line on standard error; that it may be closed is nothing to fail on.
fn say(line: &str) {
    let _ = writeln!(anstream::stderr(), "{line}");
}

/// A number of things, such as `1 page` and `1,200 pages`.
fn counted(number: u64, thing: &str) -> String {
    format!("{} {thing}{}", indicatif::HumanCount(number), if number == 1 { "" } else { "s" })
}

/// What the input's pages are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum InputKind {
    /// By the file's ending, the record's fields, or the bytes
    #[default]
    Auto,
    /// Web pages' source
    Html,
    /// Pages flattened to text before
    Text,
}

impl From<InputKind> for Option<page::Input> {
    fn from(kind: InputKind) -> Self {
        match kind {
            InputKind::Auto => None,
            InputKind::Html => Some(page::Input::Html),
            InputKind::Text => Some(page::Input::Text),
        }
    }
}

/// Which blocks make a document's text, the same for all commands that extract.
#[derive(Debug, clap::Args)]
struct Keep {
    /// Labels of the blocks to keep, separated by commas: body, headline, meta, caption, related, comment, widget, nav
    #[arg(long, value_name = "LABELS", default_value = "body")]
    keep: LabelSet,
    /// Give every block of the page with its label and probability
    #[arg(long)]
    blocks: bool,
    /// Which is worse in the text: chrome (precision) or gaps (recall) [default: neither]
    #[arg(long, value_enum, value_name = "WHICH")]
    favor: Option<Favored>,
}

/// Which measure weighs more in the choice of the article.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Favored {
    /// Less chrome in the text, with gaps
    Precision,
    /// Fewer gaps in the text, with chrome
    Recall,
}

impl Keep {
    fn favor(&self) -> Favor {
        match self.favor {
            None => Favor::Balance,
            Some(Favored::Precision) => Favor::Precision,
            Some(Favored::Recall) => Favor::Recall,
        }
    }
}

/// Which model, the same for all commands that use one.
#[derive(Debug, clap::Args)]
struct ModelFile {
    /// A model made by `lubb train` or `lubb adapt` [default: the one in the program]
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
}

impl ModelFile {
    fn load(&self) -> anyhow::Result<Arc<Model>> {
        match &self.model {
            None => Ok(Model::embedded()),
            Some(path) => Ok(Arc::new(Model::read(path)?)),
        }
    }

    /// What the model is called where people read.
    fn name(&self) -> String {
        let named = self.model.as_ref().and_then(|path| path.file_name());
        named.map_or("the default model".to_owned(), |name| name.to_string_lossy().into_owned())
    }

    fn extractor(&self) -> anyhow::Result<Extractor> {
        Ok(Extractor::new(self.load()?))
    }
}
