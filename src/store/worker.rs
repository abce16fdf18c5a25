//! The thread that writes, as its owner holds it: jobs go in, and at the end it is waited for.
//!
//! For: that the process never ends while the engine is closing its file. OpenSSL tears itself down at exit(3), and an engine that still needs
//! it by then takes the process down with it (SIGSEGV). Leaves to others: what a job is.

use std::sync::mpsc::{sync_channel, Receiver, SyncSender, TrySendError};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

/// A thread with a bounded queue. Dropping it lets the thread finish its queue and waits for that.
pub(crate) struct Worker<J> {
    jobs: Option<SyncSender<J>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl<J: Send + 'static> Worker<J> {
    /// Starts the thread; `queue` is how many jobs may wait for it. Landlock reaches only threads that are started after it.
    pub(crate) fn begun(name: &str, queue: usize, work: impl FnOnce(&Receiver<J>) + Send + 'static) -> std::io::Result<Self> {
        let (jobs, waiting) = sync_channel(queue);
        let thread = std::thread::Builder::new().name(name.into()).spawn(move || work(&waiting))?;
        Ok(Self { jobs: Some(jobs), thread: Mutex::new(Some(thread)) })
    }

    /// Puts a job into the queue, or gives it back at once.
    pub(crate) fn try_send(&self, job: J) -> Result<(), TrySendError<J>> {
        match &self.jobs {
            Some(jobs) => jobs.try_send(job),
            None => Err(TrySendError::Disconnected(job)),
        }
    }
}

impl<J> Worker<J> {
    /// Blocks until the thread has ended; something must have told it to.
    pub(crate) fn join(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // a thread cannot wait for itself, and one that panicked has ended as well
        if let Some(thread) = thread.filter(|thread| thread.thread().id() != std::thread::current().id()) {
            drop(thread.join());
        }
    }
}

impl<J> Drop for Worker<J> {
    fn drop(&mut self) {
        self.jobs = None;
        self.join();
    }
}
