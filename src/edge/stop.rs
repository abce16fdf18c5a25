//! The wish to stop, told to everything that serves, and the wait until all of it has finished.

use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Held by everything that serves: hears the wish, and by being dropped tells that it has finished.
#[derive(Clone)]
pub(crate) struct Stop {
    wish: watch::Receiver<bool>,
    _serving: mpsc::Sender<()>,
}

/// Held by the one who stops the rest.
pub(crate) struct Stopper {
    wish: watch::Sender<bool>,
    all_finished: mpsc::Receiver<()>,
}

pub(crate) fn stopper() -> (Stopper, Stop) {
    let (wish, heard) = watch::channel(false);
    let (serving, all_finished) = mpsc::channel(1);
    (Stopper { wish, all_finished }, Stop { wish: heard, _serving: serving })
}

impl Stop {
    /// Returns once a stop was asked for.
    pub(crate) async fn asked(&mut self) {
        // a stopper that is gone asks as well
        drop(self.wish.wait_for(|asked| *asked).await);
    }
}

impl Stopper {
    /// Asks everything to stop and waits for it, no longer than `most`. True where all of it finished.
    pub(crate) async fn stop(mut self, most: Duration) -> bool {
        self.wish.send_replace(true);
        tokio::time::timeout(most, self.all_finished.recv()).await.is_ok()
    }
}
