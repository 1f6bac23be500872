//! The server's addresses and their answers.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{DefaultBodyLimit, Path, Query, Request, State as Shared};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::retrain::{self, Progress, Training};
use super::store::{Edit, EditError, Store, load_shown};
use crate::label::Label;

/// What all answers come from.
#[derive(Debug)]
pub struct State {
    /// The folder with the pages.
    pub pages: PathBuf,
    /// The label file.
    labels: PathBuf,
    store: Mutex<Store>,
    /// How a new model is trained.
    pub training: Training,
    /// How far the training is.
    pub progress: Mutex<Progress>,
}

impl State {
    /// Nothing is being trained yet.
    pub fn new(pages: PathBuf, labels: PathBuf, store: Store, training: Training) -> State {
        State { pages, labels, store: Mutex::new(store), training, progress: Mutex::default() }
    }

    /// Does something with the pages while nobody else can.
    pub fn store<T>(&self, work: impl FnOnce(&mut Store) -> T) -> T {
        // A panic in a change leaves labels as they were or changed, never half a label.
        work(&mut self.store.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The page itself may fetch from its server and nothing else.
const APP_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    frame-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// A scraped page may fetch nothing and run nothing. Same origin, so that the page around it can mark the blocks.
const VIEW_POLICY: &str = "default-src 'none'; script-src 'none'; style-src 'unsafe-inline'; img-src data:; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox allow-same-origin";

/// All addresses, below the token.
pub fn router(token: &str, state: Arc<State>) -> Router {
    let file = |kind: &'static str, body: &'static str| get(move || async move { with_policy(kind, APP_POLICY, body) });
    let addresses = Router::new()
        .route("/app.js", file("text/javascript; charset=utf-8", include_str!("app.js")))
        .route("/app.css", file("text/css; charset=utf-8", include_str!("app.css")))
        .route("/view/{page}", get(view))
        .route("/api/pages", get(pages))
        .route("/api/page/{page}", get(page))
        .route("/api/search", get(search))
        .route("/api/labels", post(labels))
        .route("/api/place", post(place))
        .route("/api/retrain", get(progress).post(retrain));
    Router::new()
        // The address ends in a slash, from which the page's own addresses go on; a nested "/" would have none.
        .route(&format!("/{token}/"), file("text/html; charset=utf-8", include_str!("app.html")))
        .nest(&format!("/{token}"), addresses)
        .layer(DefaultBodyLimit::max(64 << 20))
        .layer(middleware::from_fn(guard))
        .with_state(state)
}

/// Answers only to the server's own name, which a foreign name that resolves to this machine is not, and only to pages of
/// its own.
async fn guard(request: Request, next: Next) -> Response {
    if !is_from_here(request.headers()) {
        return (StatusCode::FORBIDDEN, "not from here").into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn is_from_here(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let host = text("host");
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    ["127.0.0.1", "localhost"].contains(&name) && !["cross-site", "same-site"].contains(&text("sec-fetch-site"))
}

fn with_policy(kind: &'static str, policy: &'static str, body: impl IntoResponse) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    (headers, body).into_response()
}

fn problem(status: StatusCode, message: impl ToString) -> Response {
    (status, Json(json!({ "error": message.to_string() }))).into_response()
}

/// Work that reads files or many pages, off the threads that answer.
async fn blocking(work: impl FnOnce() -> Response + Send + 'static) -> Response {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| problem(StatusCode::INTERNAL_SERVER_ERROR, error))
}

async fn view(Shared(state): Shared<Arc<State>>, Path(page): Path<usize>) -> Response {
    blocking(move || {
        let Some(id) = state.store(|store| store.sheets.get(page).map(|sheet| sheet.id.clone())) else {
            return problem(StatusCode::NOT_FOUND, "no such page");
        };
        let kind = "application/xhtml+xml; charset=utf-8";
        match load_shown(&state.pages, &id) {
            Ok((found, shown)) if state.store(|store| store.sheets[page].is_cut_as(&found)) => {
                with_policy(kind, VIEW_POLICY, shown)
            }
            Ok(_) => problem(StatusCode::CONFLICT, format!("{id} was changed on disk; start `lubb annotate` again")),
            Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, error),
        }
    })
    .await
}

#[derive(Serialize)]
struct PageRow<'a> {
    id: &'a str,
    title: &'a str,
    host: &'a str,
    score: f32,
    blocks: usize,
    labelled: usize,
    version: u64,
}

async fn pages(Shared(state): Shared<Arc<State>>) -> Response {
    state.store(|store| {
        let rows = store.sheets.iter().map(|sheet| PageRow {
            id: &sheet.id,
            title: &sheet.title,
            host: &sheet.host,
            score: sheet.score,
            blocks: sheet.labels.len(),
            labelled: sheet.labelled(),
            version: sheet.version,
        });
        let rows: Vec<PageRow> = rows.collect();
        let labels = Label::ALL.map(Label::name);
        Json(json!({ "pages": rows, "queue": store.queue(), "labels": labels, "file": state.labels.display().to_string() })).into_response()
    })
}

async fn page(Shared(state): Shared<Arc<State>>, Path(page): Path<usize>) -> Response {
    state.store(|store| {
        let Some(sheet) = store.sheets.get(page) else { return problem(StatusCode::NOT_FOUND, "no such page") };
        let blocks = (0..sheet.labels.len()).map(|at| {
            let guess = sheet.guesses[at];
            let tag = sheet.tags[at].name();
            let was = sheet.was.get(at).filter(|was| **was != guess.label);
            let text = sheet.text_of(at);
            json!({ "text": text, "tag": tag, "label": sheet.labels[at], "guess": guess.label, "p": guess.p, "was": was })
        });
        let blocks: Vec<_> = blocks.collect();
        Json(json!({ "version": sheet.version, "score": sheet.score, "url": sheet.url, "blocks": blocks })).into_response()
    })
}

#[derive(Deserialize)]
struct Words {
    q: String,
}

async fn search(Shared(state): Shared<Arc<State>>, Query(Words { q }): Query<Words>) -> Response {
    blocking(move || {
        let (found, total) = state.store(|store| store.search(&q, 100));
        Json(json!({ "found": found, "total": total })).into_response()
    })
    .await
}

async fn labels(Shared(state): Shared<Arc<State>>, Json(edits): Json<Vec<Edit>>) -> Response {
    blocking(move || answer(state.store(|store| store.edit(&edits)))).await
}

#[derive(Deserialize)]
struct Place {
    page: usize,
    version: u64,
    blocks: Vec<usize>,
    label: Option<Label>,
}

async fn place(Shared(state): Shared<Arc<State>>, Json(place): Json<Place>) -> Response {
    let work = move |store: &mut Store| {
        let Place { page, version, blocks, label } = place;
        if store.sheets.get(page).is_some_and(|sheet| sheet.version != version) {
            return Err(EditError::Stale { page });
        }
        let edits = store.same_place(page, &blocks, label)?;
        store.edit(&edits)
    };
    blocking(move || answer(state.store(work))).await
}

fn answer(result: Result<Vec<Edit>, EditError>) -> Response {
    match result {
        Ok(undo) => Json(json!({ "undo": undo })).into_response(),
        Err(error @ EditError::Stale { .. }) => problem(StatusCode::CONFLICT, error),
        Err(error @ EditError::Unknown { .. }) => problem(StatusCode::BAD_REQUEST, error),
        Err(error @ EditError::File(_)) => problem(StatusCode::INTERNAL_SERVER_ERROR, error),
    }
}

async fn progress(Shared(state): Shared<Arc<State>>) -> Response {
    Json(&*state.progress.lock().unwrap_or_else(PoisonError::into_inner)).into_response()
}

async fn retrain(Shared(state): Shared<Arc<State>>) -> Response {
    match retrain::start(&state) {
        true => StatusCode::ACCEPTED.into_response(),
        false => problem(StatusCode::CONFLICT, "a training is running already"),
    }
}
