//! A page in the browser on which blocks are labelled: a small server on this machine, for one person.
//!
//! Scraped pages are hostile: they are shown rewritten ([`render`]), in a frame without scripts, under a policy that
//! lets nothing be fetched. The server listens on the loopback address only, its addresses begin with a random token,
//! and it answers only to its own name, so that a page open in another tab can neither read nor change labels.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::TcpListener;

use crate::model::Model;
use crate::report::ReportError;

mod file;
mod places;
pub mod render;
mod retrain;
mod server;
pub mod store;

pub use retrain::Training;
pub use store::Store;

/// What to label, and with what.
#[derive(Debug)]
pub struct Options {
    /// The folder with the pages.
    pub pages: PathBuf,
    /// The file with the labels; continued if it is there.
    pub labels: PathBuf,
    /// The model whose guesses are shown.
    pub model: Arc<Model>,
    /// The port to listen on; 0 for any that is free.
    pub port: u16,
    /// How a new model is trained.
    pub training: Training,
}

/// Why pages cannot be labelled.
#[derive(Debug, thiserror::Error)]
pub enum AnnotateError {
    /// The pages have to be files, since label files name them so.
    #[error("{}: not a folder; pages to label are files in a folder", .0.display())]
    NoFolder(PathBuf),
    /// Not one page can be read.
    #[error("{}: none of its pages can be read; the first one: {first}", path.display())]
    NoPages {
        /// The folder.
        path: PathBuf,
        /// What is wrong with the first page.
        first: String,
    },
    /// The pages cannot be found.
    #[error(transparent)]
    Inputs(#[from] crate::corpus::InputError),
    /// The label file cannot be read or made.
    #[error("{}: the labels cannot be read or written there", .0.display())]
    Labels(PathBuf, #[source] std::io::Error),
    /// A row of the label file is wrong.
    #[error("{}, line {line}: {message}; correct it first, the file will be written anew", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        message: String,
    },
    /// Somebody else wrote the label file.
    #[error(
        "{}: changed by another program since it was read; nothing was written. Start `lubb annotate` again to go on \
         from what is there now",
        .0.display()
    )]
    Changed(PathBuf),
    /// The label file cannot be replaced.
    #[error("the labels are not saved: {0}")]
    Write(#[from] ReportError),
    /// There is no port.
    #[error("port {0} of 127.0.0.1 cannot be listened on; choose another with --port")]
    Port(u16, #[source] std::io::Error),
    /// The system gives no random bytes for the token.
    #[error("no random numbers for the page's address: {0}")]
    Random(getrandom::Error),
    /// The server ended.
    #[error("the server ended")]
    Server(#[source] std::io::Error),
}

/// A server that is ready.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    token: String,
    state: Arc<server::State>,
    /// Pages that cannot be read, and why.
    pub problems: Vec<String>,
}

impl Server {
    /// Reads pages and labels, and takes the port.
    ///
    /// # Errors
    /// There are no pages, the labels cannot be continued, or the port is not free.
    pub async fn new(options: Options) -> Result<Server, AnnotateError> {
        let Options { pages, labels, model, port, training } = options;
        let (store, problems) = Store::open(&pages, &labels, &model)?;
        let mut random = [0u8; 16];
        getrandom::fill(&mut random).map_err(AnnotateError::Random)?;
        let token = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| AnnotateError::Port(port, error))?;
        let state = Arc::new(server::State::new(pages, labels, store, training));
        Ok(Server { listener, token, state, problems })
    }

    /// The address to open in a browser.
    ///
    /// # Errors
    /// The system does not say which port it gave.
    pub fn url(&self) -> Result<String, AnnotateError> {
        let port = self.listener.local_addr().map_err(AnnotateError::Server)?.port();
        Ok(format!("http://127.0.0.1:{port}/{}/", self.token))
    }

    /// Serves until `stop` is ready. A training that runs then is ended.
    ///
    /// # Errors
    /// The server fails.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<(), AnnotateError> {
        let router = server::router(&self.token, self.state);
        // Not the graceful way, which waits for the browser to close its connections; every answer is short, and a
        // change is in the file before its answer.
        tokio::select! {
            served = async { axum::serve(self.listener, router).await } => served.map_err(AnnotateError::Server),
            () = stop => Ok(()),
        }
    }
}
