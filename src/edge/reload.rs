//! Looks at the file of revoked certificates again: every few seconds, and at once on SIGHUP. A bad new file is told to the operator and
//! the list in use stays; nothing restarts and no connection is lost that is not revoked.

use crate::revocation::{Revocation, RevocationFault};
use contactpoint_identity::Clock;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{signal, SignalKind};

/// Runs for as long as it is polled.
pub(crate) async fn keep_looking(revocation: Arc<Revocation>, clock: Clock, every: Duration) {
    let mut asked = signal(SignalKind::hangup()).ok();
    let mut known = revocation.file_state();
    loop {
        let at_once = tokio::select! {
            () = tokio::time::sleep(every) => false,
            () = hangup(&mut asked) => true,
        };
        let state = revocation.file_state();
        if at_once || state != known {
            known = state;
            take_over(&revocation, &clock).await;
        }
    }
}

async fn hangup(asked: &mut Option<tokio::signal::unix::Signal>) {
    match asked {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// A list of 100,000 entries takes tens of milliseconds to read: not on a thread that answers.
async fn take_over(revocation: &Arc<Revocation>, clock: &Clock) {
    let (revocation, now) = (Arc::clone(revocation), clock.now().wall);
    let read = tokio::task::spawn_blocking(move || revocation.reload(now).map(|()| revocation.revoked())).await;
    match read {
        Ok(Ok(revoked)) => log::info!(target: "contactpoint::edge", revoked; "a new list of revoked certificates is in use"),
        Ok(Err(fault)) => warn(&fault),
        Err(_) => log::error!(target: "contactpoint::edge", "reading the list of revoked certificates was cut off; the list in use stays"),
    }
}

fn warn(fault: &RevocationFault) {
    log::error!(target: "contactpoint::edge", fault:% = fault; "the new list of revoked certificates is not used; the list in use stays");
}
