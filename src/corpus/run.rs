//! The parallel runner: pages in, results out in the same order, with bounded memory.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Condvar, Mutex, MutexGuard, Once, PoisonError, mpsc};

use super::{Fault, Loaded, PageError, RawPage};

/// The stack of a thread that works on pages: parsers and walks over deep trees may need more than the default of 2 MB. It
/// is only reserved, not used.
pub const STACK: usize = 32 << 20;
/// Pages that wait behind a slow one, for each worker.
const PAGES_PER_WORKER: usize = 64;
/// Bytes of pages that are read but not yet written.
const BYTES: usize = 256 << 20;
/// Larger pages are worked on one at a time: a parsed page of dense markup takes some 20 times its source.
const LARGE: usize = 8 << 20;

/// What became of one page.
#[derive(Debug)]
pub struct Outcome<R> {
    /// The work's result, or why there is none.
    pub result: Result<R, PageError>,
    /// The page's bytes, decompressed; 0 if it could not be loaded.
    pub bytes: u64,
    /// The bytes it took up in its file; 0 if unknown.
    pub stored: u64,
}

/// A pool of workers for pages.
pub struct Runner {
    pool: rayon::ThreadPool,
    jobs: usize,
}

impl Runner {
    /// A pool of `jobs` threads; 0 for as many as there are processors.
    ///
    /// # Errors
    /// The operating system gives no threads.
    pub fn new(jobs: usize) -> Result<Runner, rayon::ThreadPoolBuildError> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(jobs)
            .stack_size(STACK)
            .thread_name(|n| format!("lubb-{n}"))
            .build()?;
        let jobs = pool.current_num_threads();
        Ok(Runner { pool, jobs })
    }

    /// Loads each page of `source` and does `work` on it, in parallel; hands the outcomes to `sink` in the order of the
    /// source, on the caller's thread. Stops early only if the sink fails, with its error.
    ///
    /// The source is read by a thread of its own, which waits while 64 pages a worker, or 256 MB of pages, are read but
    /// not written. Pages that are still files take no memory until a worker loads them, and pages over 8 MB are worked
    /// on one at a time. So memory is bounded, whatever the size of the corpus, by what the workers need for a page of
    /// 8 MB each, one page of the largest size, 256 MB of pages, and the results of the waiting pages.
    ///
    /// A panic in `work` becomes the page's error.
    ///
    /// ```no_run
    /// use lubb::{Extractor, corpus::{Inputs, Reading, Runner}};
    /// let inputs = Inputs::new(&["pages/"], Reading::default())?;
    /// let extractor = Extractor::default();
    /// Runner::new(0)?.run(
    ///     inputs.pages(),
    ///     |page| extractor.extract(&page.bytes, &page.hints).text.len(),
    ///     |outcome| Ok::<(), std::convert::Infallible>(println!("{:?}", outcome.result)),
    /// )?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The first error of the sink.
    pub fn run<R: Send, E>(
        &self,
        source: impl Iterator<Item = Result<RawPage, PageError>> + Send,
        work: impl Fn(&Loaded) -> R + Sync,
        mut sink: impl FnMut(Outcome<R>) -> Result<(), E>,
    ) -> Result<(), E> {
        quiet_panics_of_pages();
        let gate = Gate::new(self.jobs * PAGES_PER_WORKER, BYTES);
        let large = Mutex::new(());
        let work = |page: &Loaded| {
            let _alone = (page.bytes.len() > LARGE).then(|| large.lock().unwrap_or_else(PoisonError::into_inner));
            work(page)
        };
        let (gate, work) = (&gate, &work);
        let (send, receive) = mpsc::channel();
        std::thread::scope(|threads| {
            threads.spawn(move || {
                self.pool.in_place_scope_fifo(|scope| {
                    for (number, page) in source.enumerate() {
                        let held = page.as_ref().map_or(0, RawPage::held);
                        if !gate.enter(held) {
                            break;
                        }
                        let send = send.clone();
                        scope.spawn_fifo(move |_| {
                            if gate.is_open() {
                                let outcome = one(page, work);
                                let held = gate.exchange(held, outcome.bytes as usize);
                                // The receiver is gone only after the sink failed.
                                let _ = send.send((number, held, outcome));
                            }
                        });
                    }
                });
            });
            // Whatever ends this thread's part, the reader must not wait for it.
            let _closing = Closing(gate);
            let mut waiting = BTreeMap::new();
            let mut next = 0;
            for (number, held, outcome) in receive {
                waiting.insert(number, (held, outcome));
                while let Some((held, outcome)) = waiting.remove(&next) {
                    sink(outcome)?;
                    gate.leave(held);
                    next += 1;
                }
            }
            Ok(())
        })
    }
}

/// One page, from loading to its result; its bytes are dropped at the end.
fn one<R>(page: Result<RawPage, PageError>, work: &impl Fn(&Loaded) -> R) -> Outcome<R> {
    let loaded = page.and_then(|page| {
        let (id, place, stored) = (page.id.clone(), page.place.clone(), page.stored);
        match caught(|| page.load()) {
            Ok(loaded) => loaded.map(|loaded| (loaded, place)),
            Err(fault) => Err(PageError { id, url: None, place, stored, fault }),
        }
    });
    match loaded {
        Err(error) => Outcome { bytes: 0, stored: error.stored, result: Err(error) },
        Ok((page, place)) => {
            let (bytes, stored) = (page.bytes.len() as u64, page.stored);
            let result = caught(|| work(&page)).map_err(|fault| {
                let Loaded { id, hints, .. } = page;
                PageError { id, url: hints.url, place, stored, fault }
            });
            Outcome { result, bytes, stored }
        }
    }
}

thread_local! {
    static IN_PAGE: Cell<bool> = const { Cell::new(false) };
    static PANICKED_AT: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Does a page's work; a panic becomes a fault with its message and place in the source.
fn caught<T>(work: impl FnOnce() -> T) -> Result<T, Fault> {
    IN_PAGE.set(true);
    // Nothing of a page outlives its panic, and what is shared between pages is read only.
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    IN_PAGE.set(false);
    result.map_err(|panic| {
        let message = message(panic.as_ref());
        Fault::Panic(format!("{}: {message}", PANICKED_AT.take()))
    })
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

/// Keeps a page's panic from the terminal: it is reported as the page's error. Other panics are shown as before.
fn quiet_panics_of_pages() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if IN_PAGE.get() {
                PANICKED_AT.set(info.location().map_or_else(String::new, ToString::to_string));
            } else {
                before(info);
            }
        }));
    });
}

/// Lets pages in while there is room for them.
struct Gate {
    inside: Mutex<Inside>,
    changed: Condvar,
    pages: usize,
    bytes: usize,
}

struct Inside {
    pages: usize,
    bytes: usize,
    open: bool,
}

impl Gate {
    fn new(pages: usize, bytes: usize) -> Gate {
        let inside = Mutex::new(Inside { pages: 0, bytes: 0, open: true });
        Gate { inside, changed: Condvar::new(), pages, bytes }
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        // The counts are whole after every statement, so a panic elsewhere does not spoil them.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for room, and takes it; `false` once the gate is closed. A page too large for the room comes in alone.
    fn enter(&self, bytes: usize) -> bool {
        let full = |inside: &mut Inside| {
            inside.open && inside.pages > 0 && (inside.pages >= self.pages || inside.bytes + bytes > self.bytes)
        };
        let mut inside = self.changed.wait_while(self.lock(), full).unwrap_or_else(PoisonError::into_inner);
        inside.pages += 1;
        inside.bytes += bytes;
        inside.open
    }

    /// Counts a page by its size after loading, not before. It is counted until its result is written, for which it
    /// stands: a page's text and blocks are hardly larger than its source.
    fn exchange(&self, before: usize, after: usize) -> usize {
        let mut inside = self.lock();
        inside.bytes = inside.bytes - before + after;
        after
    }

    fn leave(&self, bytes: usize) {
        let mut inside = self.lock();
        inside.pages -= 1;
        inside.bytes -= bytes;
        self.changed.notify_one();
    }

    fn is_open(&self) -> bool {
        self.lock().open
    }
}

struct Closing<'a>(&'a Gate);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.lock().open = false;
        self.0.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;
    use crate::corpus::Reading;

    fn pages(n: usize) -> impl Iterator<Item = Result<RawPage, PageError>> + Send {
        let reading = Arc::new(Reading::default());
        (0..n).map(move |i| Ok(RawPage::bytes(&i.to_string(), format!("<p>{i}").into_bytes(), 0, Arc::clone(&reading))))
    }

    #[test]
    fn outcomes_come_in_order_and_a_panic_costs_its_page_alone() {
        let mut seen = Vec::new();
        let work = |page: &Loaded| {
            let n: u64 = page.id.parse().unwrap();
            std::thread::sleep(Duration::from_micros((n % 7) * 300));
            assert!(n != 13, "page thirteen");
            n
        };
        let sink = |outcome: Outcome<u64>| {
            seen.push(outcome.result.map_err(|error| error.to_string()));
            Ok::<(), ()>(())
        };
        Runner::new(4).unwrap().run(pages(500), work, sink).unwrap();
        assert_eq!(seen.len(), 500);
        let panicked = seen[13].as_ref().unwrap_err();
        assert!(panicked.starts_with("13: lubb failed") && panicked.contains("page thirteen"), "{panicked}");
        assert!(panicked.contains("run.rs:"), "{panicked}");
        assert!(seen.iter().enumerate().all(|(i, r)| i == 13 || *r == Ok(i as u64)));
    }

    #[test]
    fn the_source_is_not_read_far_ahead_of_the_sink() {
        let read = AtomicUsize::new(0);
        let mut written = 0;
        let runner = Runner::new(2).unwrap();
        let room = 2 * PAGES_PER_WORKER + 1;
        let source = pages(3_000).inspect(|_| {
            read.fetch_add(1, Ordering::SeqCst);
        });
        let sink = |_: Outcome<()>| {
            assert!(read.load(Ordering::SeqCst) <= written + room);
            written += 1;
            Ok::<(), ()>(())
        };
        runner.run(source, |_| (), sink).unwrap();
        assert_eq!(written, 3_000);
    }

    #[test]
    fn large_pages_wait_for_room_by_their_bytes() {
        let gate = Gate::new(10, 100);
        assert!(gate.enter(500), "alone it comes in");
        std::thread::scope(|threads| {
            let waiting = threads.spawn(|| gate.enter(90));
            assert_eq!(gate.exchange(500, 50), 50);
            assert!(!waiting.is_finished());
            gate.leave(50);
            assert!(waiting.join().unwrap());
        });
        assert_eq!(gate.lock().bytes, 90);
    }

    #[test]
    fn a_failing_sink_ends_the_run_at_once() {
        let mut written = 0;
        let sink = |_: Outcome<()>| {
            written += 1;
            if written == 10 { Err("disk full") } else { Ok(()) }
        };
        assert_eq!(Runner::new(2).unwrap().run(pages(usize::MAX), |_| (), sink), Err("disk full"));
        assert_eq!(written, 10);
    }
}
