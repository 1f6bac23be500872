//! `lubb annotate`: the page in the browser on which blocks are labelled.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use lubb::annotate::{Options, Server, Training};

use super::{ModelFile, Status};

/// Label the blocks of scraped pages in the browser
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The folder with the pages
    pages: PathBuf,
    /// The labels, a CSV that `lubb train --gold` reads; continued if it is there, and saved with every change
    #[arg(short, long, value_name = "LABELS")]
    out: PathBuf,
    #[command(flatten)]
    model: ModelFile,
    /// The port to listen on; 0 for any that is free
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Open the page in the browser
    #[arg(long)]
    open: bool,
    /// More labelled pages for the retrain button, as `lubb adapt --gold` takes them: those that the model was trained on
    /// keep it good on other sites
    #[arg(long, num_args = 1.., value_name = "GOLD")]
    with: Vec<PathBuf>,
    /// Where the retrain button saves its model
    #[arg(long, value_name = "MODEL")]
    model_out: Option<PathBuf>,
    /// One more argument of `lubb adapt` for the retrain button, such as --train-arg=--rounds=50
    #[arg(long, value_name = "ARG", allow_hyphen_values = true)]
    train_arg: Vec<String>,
}

/// Runs the command until it is interrupted.
///
/// # Errors
/// The pages, the labels or the model cannot be read, or the port is not free.
pub fn run(args: Args) -> Result<Status> {
    ensure!(
        args.out.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv")),
        "{}: labels are CSV, end the name in .csv",
        args.out.display()
    );
    for gold in &args.with {
        ensure!(gold.exists(), "{}: no labelled pages there; correct --with", gold.display());
    }
    if let Some(folder) = args.model_out.as_deref().and_then(|path| path.parent()) {
        let is_there = folder.as_os_str().is_empty() || folder.is_dir();
        ensure!(is_there, "--model-out: the folder {} does not exist", folder.display());
    }
    let program = std::env::current_exe().context("finding the program itself, for training")?;
    let Args { with, train_arg, model_out, .. } = args;
    let base = args.model.model.clone();
    let options = Options {
        pages: args.pages,
        labels: args.out,
        model: args.model.load()?,
        port: args.port,
        training: Training { program, model: base, with, args: train_arg, model_out },
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the server")?;
    runtime.block_on(async {
        let server = Server::new(options).await?;
        for problem in &server.problems {
            super::say(&format!("left out: {problem}"));
        }
        let url = server.url()?;
        writeln!(anstream::stdout(), "{url}")?;
        super::say("Open this address in a browser; it works on this machine only. End with Ctrl+C.");
        if args.open
            && let Err(error) = open::that_detached(&url)
        {
            super::say(&format!("no browser could be opened ({error}); open the address yourself"));
        }
        server.run(stopped()).await?;
        anyhow::Ok(())
    })?;
    Ok(Status::AllGood)
}

/// Waits for Ctrl+C.
async fn stopped() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Where signals cannot be listened to, they still end the program.
        std::future::pending::<()>().await;
    }
}
