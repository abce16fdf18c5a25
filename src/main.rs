//! contactpointd, the directory's daemon. `main` is a list: its order is the security argument (architecture, process).
//!
//! Started by systemd and by nothing else: sockets, directories and the HSM's PIN come from the unit. Takes no arguments (exit status 64).
//! Exit status 78: settings, credential, keys, store or certificates are not as they must be, or the kernel does not lock the process in; 65:
//! the log in the store is not whole; 80: the store was set back; 81: it is another; 82: its heads are gone, forged or two; 66: its file went away while it was open;
//! 83: it was overwritten; 74: the disk failed; 69: the HSM or
//! the disk is away; 71: the system refused.

mod daemon;

use contactpoint_directory::{Directory, Months, Reviewing, Visible};
use contactpoint_edge::{Edge, Parts};
use contactpoint_hardening::{forbid_core_dumps, give_memory_back, inherited_listeners, lock_down};
use contactpoint_identity::{Clock, Identity};
use contactpoint_operator::custody::{open_appliance, surroundings, Appliance, ApplianceError};
use contactpoint_operator::layouts::layouts;
use contactpoint_operator::review_files::{detection_rules, review_plan};
use contactpoint_operator::witnesses;
use contactpoint_settings::{AlsoShown, Directories, Settings};
use daemon::{failure::Failure, journal, upkeep};
use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    give_memory_back();
    journal::begin();
    journal::tell_panics_place_only();
    start().map_or_else(Failure::exit, |()| ExitCode::SUCCESS)
}

fn start() -> Result<(), Failure> {
    // 1. No core file, no debugger: nothing secret has been read yet.
    forbid_core_dumps()?;
    daemon::refuse_arguments()?;

    // 2. What to do: the directories that systemd made, and the settings; an unknown key refuses to start.
    let directories = Directories::from_environment(|name| std::env::var_os(name))?;
    let settings = Settings::load(&directories.configuration)?;
    let layouts = layouts(&directories.configuration, &settings)?;
    let policy = witnesses::policy(&directories.configuration, &settings)?;
    let plan = review_plan(&directories.configuration, &settings)?;
    let rules = detection_rules(&directories.configuration, &settings)?;

    // 3. The sockets that systemd bound. INVARIANT: nothing here ever binds or connects one.
    let listeners = inherited_listeners()?;
    let manager = upkeep::Manager::found()?;
    daemon::refuse_test_system_in_the_open(settings.appliance.for_tests, listeners.https.local_addr()?)?;

    // 4. The PIN's credential, the HSM's keys (each checked), the data keys in locked memory, the store that they open, held against the head
    //    that the token keeps.
    //    Nobody else opens the store until the end of this function.
    let Appliance { custody, store, token_head, lock: _lock, .. } = open_appliance(&directories, &settings)?;

    // 5. INVARIANT: no thread before this line, no byte from the network before the next. Every thread below inherits the locks.
    let locked = lock_down(&surroundings(&directories, &settings))?;
    custody.probe().map_err(Failure::OutOfReach)?;

    // 6. The store's writer, then the door: refuses what cannot be trusted.
    let store = store.begin(&locked).map_err(ApplianceError::from)?;
    let clock = Clock::system();
    let identity = Arc::new(Identity::new(store.clone(), custody.clone(), clock.clone(), settings.session.idle_seconds.seconds()));
    let shown = |also| settings.shielding.also_shows.contains(&also);
    let visible = Visible { gender: shown(AlsoShown::Gender), carer_names: shown(AlsoShown::CarerNames) };
    let witnesses = witnesses::over(&store, policy, &settings, clock.now().wall)?;
    let directory = Directory::new(store.clone(), layouts).closed_on(settings.review.holidays.clone()).showing(visible);
    let directory = directory.cosigned_by(witnesses.clone()).under_rules(rules.as_ref());
    let directory = directory.limited(daemon::ceilings(&settings), clock.now().wall).map_err(ApplianceError::from)?;
    let months = Months::over(store.clone());
    let reviewing = Reviewing::over(store.clone(), plan, &settings.review.holidays).detecting(rules);
    let parts = Parts { custody, store: store.clone(), identity, directory, witnesses: witnesses.clone(), clock: clock.clone() };
    let edge = Edge::open(parts, &directories.configuration, &settings)?;
    edge.tell_locks(locked.report());

    // 7. Threads, and from here on the network.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("answer").build()?;
    let heads = upkeep::Heads {
        store: &store,
        months: &months,
        reviewing: &reviewing,
        clock: &clock,
        token: &token_head,
        witnesses: witnesses.as_deref(),
    };
    let served = runtime.block_on(upkeep::serve(&edge, &heads, &settings, listeners, &manager));
    // a call into the HSM that never comes back must not hold up the end
    runtime.shutdown_timeout(upkeep::LAST_CALLS);
    served
}
