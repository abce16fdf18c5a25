//! What goes on besides answering: readiness, the watchdog, signed heads of the log, also on the HSM's token, and the stop.
//!
//! The watchdog is fed by a real commit and a real signature (architecture, keys: liveness is a real key operation); where either fails
//! or hangs it is not fed, and systemd ends the process. While the HSM is away requests are answered 503. Each of these goes on beside the others,
//! on one task: so none of them calls into the HSM itself, but by way of another thread.

use super::failure::Failure;
use contactpoint_directory::{Months, Reviewing};
use contactpoint_edge::Edge;
use contactpoint_hardening::Listeners;
use contactpoint_identity::Clock;
use contactpoint_keys::KeyError;
use contactpoint_operator::token_head::TokenHead;
use contactpoint_settings::Settings;
use contactpoint_store::{Store, StoreError, Witnesses};
use sd_notify::{watchdog_enabled, NotifyState};
use std::ffi::OsStr;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;
use tokio::signal::unix::{signal, SignalKind};
use tokio::time::{interval, MissedTickBehavior};

/// Between two pieces of what is done for regular review.
const PAUSE: Duration = Duration::from_millis(50);

/// How long the token may take to keep a head; it takes some hundredths of a second, and its sessions may all be busy meanwhile.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long the process waits at its end for calls that it has lent a thread to, such as one into the HSM.
pub(crate) const LAST_CALLS: Duration = Duration::from_secs(2);

/// Tells the service manager how we are (sd_notify(3)). The socket is connected before the lock-down, after which nothing connects any more.
#[derive(Debug)]
pub(crate) struct Manager {
    socket: Option<UnixDatagram>,
}

impl Manager {
    /// Where NOTIFY_SOCKET names one; without a service manager there is nobody to tell.
    pub(crate) fn found() -> Result<Self, Failure> {
        let socket = match std::env::var_os("NOTIFY_SOCKET") {
            None => None,
            Some(path) => {
                let socket = UnixDatagram::unbound()?;
                socket.connect_addr(&address(&path)?)?;
                Some(socket)
            }
        };
        Ok(Self { socket })
    }

    fn tell(&self, state: &NotifyState<'_>) {
        let told = self.socket.as_ref().map_or(Ok(0), |socket| socket.send(format!("{state}\n").as_bytes()));
        if let Err(fault) = told {
            log::warn!(target: "contactpoint::daemon", fault:% = fault; "the service manager could not be told");
        }
    }
}

/// A path, or a name behind "@" (sd_notify(3)).
fn address(socket: &OsStr) -> std::io::Result<SocketAddr> {
    match socket.as_encoded_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(socket),
    }
}

/// What signing the log's heads takes: the log, and the ends of months, of which a head fixes the auditor's sample (rule D5).
pub(crate) struct Heads<'a> {
    pub(crate) store: &'a Store,
    pub(crate) months: &'a Months,
    /// What a head fixes the draw of (rule F4).
    pub(crate) reviewing: &'a Reviewing,
    pub(crate) clock: &'a Clock,
    /// Where the newest is kept out of reach of whoever has the disk.
    pub(crate) token: &'a TokenHead,
    /// Who cosigns them, where a policy asks for it.
    pub(crate) witnesses: Option<&'a Witnesses>,
}

impl Heads<'_> {
    async fn sign(&self) -> Result<(), StoreError> {
        // the end of a month is noted before the head that covers it; where that fails the head is signed all the same
        let noted = self.months.note_ends(self.clock.now().wall).await;
        self.store.checkpoint().await?;
        noted
    }

    /// Whether the witnesses' quorum is late. What cannot be read now is told by the store itself.
    fn is_quorum_late(&self) -> bool {
        let late_since = self.witnesses.map(|witnesses| witnesses.late_since(self.clock.now().wall));
        matches!(late_since, Some(Ok(Some(_))))
    }

    /// Keeps the newest signed head on the token, unless it was the last one kept; returns what is there. Only what the store keeps goes
    /// there: leaves durable, head signed, head durable, and then the token, so that no crash leaves a token that knows more than the store.
    async fn keep(&self, there: Option<String>) -> Result<Option<String>, KeyError> {
        let newest = self.store.log_checkpoint();
        if newest == there {
            return Ok(there);
        }
        let (token, head) = (self.token.clone(), newest.clone().unwrap_or_default());
        // the HSM may take its time, and nobody who is answered waits for it
        in_time(PATIENCE, move || token.keep(&head)).await.map(|()| newest)
    }
}

/// Does something at the HSM on a thread that is lent to it, and waits for it no longer than this: nothing ends a call that never comes back, and neither what is
/// done beside it nor the stop waits for it.
async fn in_time(patience: Duration, ask: impl FnOnce() -> Result<(), KeyError> + Send + 'static) -> Result<(), KeyError> {
    let answer = tokio::time::timeout(patience, tokio::task::spawn_blocking(ask)).await;
    answer.ok().and_then(Result::ok).unwrap_or(Err(KeyError::Busy { waited_seconds: patience.as_secs() }))
}

/// Serves until SIGTERM or SIGINT, then finishes what is open, signs the last head and closes the store.
pub(crate) async fn serve(
    edge: &Edge,
    heads: &Heads<'_>,
    settings: &Settings,
    listeners: Listeners,
    manager: &Manager,
) -> Result<(), Failure> {
    // an HSM or a store that does not work now is told before anybody is served
    heads.sign().await.map_err(Failure::FirstHead)?;
    // and so is a token that takes no head; the note that it took one is made afterwards, so that it is never wrong
    let there = heads.keep(None).await.map_err(Failure::TokenHead)?;
    heads.store.note_head_kept().await.map_err(Failure::FirstHead)?;
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = async {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
            _ = heads.store.ended() => {}
        }
        manager.tell(&NotifyState::Stopping);
    };
    log::info!(target: "contactpoint::daemon", settings = settings.effective().as_str(); "serving");
    manager.tell(&NotifyState::Ready);
    let finished = tokio::select! {
        finished = edge.serve(listeners.https, listeners.control, stop) => finished?,
        () = sign_heads(heads, settings.log.checkpoint_seconds.seconds()) => true,
        () = keep_heads(heads, settings.log.token_seconds.seconds(), there) => true,
        () = make_reviews(heads) => true,
        () = feed_watchdog(edge, manager) => true,
    };
    if !finished {
        log::warn!(target: "contactpoint::daemon", "open requests did not finish in time and were cut off");
    }
    if let Some(fault) = heads.store.fault() {
        return Err(Failure::Store(fault));
    }
    heads.store.close().await.map_err(Failure::Close)?;
    heads.keep(None).await.map_err(Failure::LastTokenHead)?;
    log::info!(target: "contactpoint::daemon", "stopped");
    Ok(())
}

/// For ever: the log's head, signed while the log grows; and a word to the operator when its witnesses stay away, and when they are back.
async fn sign_heads(heads: &Heads<'_>, every: Duration) {
    let (mut ticks, mut was_late) = (ticks(every), false);
    loop {
        ticks.tick().await;
        if let Err(fault) = heads.sign().await {
            log::error!(target: "contactpoint::daemon", fault:% = fault; "the log's head could not be signed; it is tried again");
        }
        let is_late = heads.is_quorum_late();
        if is_late && !was_late {
            log::error!(target: "contactpoint::daemon", "the quorum of the log's witnesses is late: see contactpointctl status");
        } else if was_late && !is_late {
            log::info!(target: "contactpoint::daemon", "the log's witnesses have seen it again");
        }
        was_late = is_late;
    }
}

/// For ever: the newest head, kept on the token while the log grows; less often than one is signed, since tokens are slow and wear.
async fn keep_heads(heads: &Heads<'_>, every: Duration, mut there: Option<String>) {
    let mut ticks = ticks(every);
    loop {
        ticks.tick().await;
        match heads.keep(there.clone()).await {
            Ok(newest) => there = newest,
            Err(fault) => {
                log::error!(target: "contactpoint::daemon", fault:% = fault; "the log's head could not be kept on the token; it is tried again");
            }
        }
    }
}

/// For ever: tasks of review, a piece at a time, with a pause after each so that whoever looks something up has the store for longer (rule F4).
async fn make_reviews(heads: &Heads<'_>) {
    let mut ticks = ticks(Duration::from_secs(1));
    loop {
        ticks.tick().await;
        loop {
            match heads.reviewing.go_on(heads.clock.now().wall).await {
                Ok(false) => break,
                Ok(true) => tokio::time::sleep(PAUSE).await,
                Err(fault) => {
                    log::error!(target: "contactpoint::daemon", fault:% = fault; "tasks of review could not be made; it is tried again");
                    break;
                }
            }
        }
    }
}

/// For ever: twice in each of the unit's watchdog intervals (WatchdogSec=).
async fn feed_watchdog(edge: &Edge, manager: &Manager) {
    let Some(watchdog) = watchdog_enabled() else { return std::future::pending().await };
    let (mut ticks, mut was_well) = (ticks(watchdog / 2), true);
    loop {
        ticks.tick().await;
        let health = edge.health().await;
        let is_well = health.store && health.keys;
        if is_well {
            manager.tell(&NotifyState::Watchdog);
            if !was_well {
                // else `systemctl status` would go on telling of what is mended
                manager.tell(&NotifyState::Status("store and HSM work again"));
            }
        } else {
            log::error!(target: "contactpoint::daemon", store = health.store, keys = health.keys; "store or keys do not work: 503 until they do");
            manager.tell(&NotifyState::Status("the store or the HSM does not work"));
        }
        was_well = is_well;
    }
}

fn ticks(every: Duration) -> tokio::time::Interval {
    let mut ticks = interval(every.max(Duration::from_millis(100)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_never_comes_back_is_waited_for_no_longer_than_told() {
        // G4: what hangs is noticed, and the stop comes to its end
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (hold, held) = std::sync::mpsc::channel::<()>();
        let hung = runtime.block_on(in_time(Duration::from_millis(100), move || {
            let _ = held.recv();
            Ok(())
        }));
        assert!(matches!(hung, Err(KeyError::Busy { .. })));
        assert!(runtime.block_on(in_time(PATIENCE, || Ok(()))).is_ok());
        drop(hold);
    }
}
