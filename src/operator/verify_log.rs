//! `contactpointctl verify-log`: holds a log against the public key alone (rule F2), on any machine: a copy in a directory, offline, or the
//! log of a running directory as it is served.
//!
//! Leaves to others: the mathematics (`contactpoint_audit::verify`), and the connection, which whoever runs this crate hands in: no crate of the
//! operators opens one to the directory.

use crate::error::OperatorError;
use contactpoint_audit::verify::{self, Folders, Source, Verified};
use contactpoint_audit::{Accepted, Checkpoint, LogPolicy, VerifierKey};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Arguments of the verdict.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The directory with `checkpoint` and `tile/`, as `contactpoint` fetched it; or https://host:port, where the log is served
    log: PathBuf,
    /// The log's verifier key (name+id+key), or a file that holds it, or both of a log that has two: one must have signed, and none wrongly.
    /// May be left out where the policy lists the log
    #[arg(long, required_unless_present = "policy")]
    key: Option<String>,
    /// An earlier signed checkpoint of this log that you trust: only what came after it is read
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,
    /// A policy (C2SP tlog-policy): the checkpoint must bear the cosignatures of its quorum
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Where to keep the checkpoint once the log has verified, for --since the next time. One that is there already must be of this log, and a
    /// beginning of it
    #[arg(long, value_name = "FILE")]
    keep: Option<PathBuf>,
    #[command(flatten)]
    identity: Identity,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// As whom a log that is served is asked for; with https://host:port all three, else none.
#[derive(Debug, Default, clap::Args)]
struct Identity {
    /// With https://: your certificate, which the directory knows (PEM)
    #[arg(long, value_name = "FILE", requires_all = ["client_key", "ca"])]
    certificate: Option<PathBuf>,
    /// With https://: its private key (PEM)
    #[arg(long, value_name = "FILE", requires = "certificate")]
    client_key: Option<PathBuf>,
    /// With https://: the one authority whose server certificates are believed (PEM)
    #[arg(long, value_name = "FILE", requires = "certificate")]
    ca: Option<PathBuf>,
}

/// A log that is served over mutual TLS, as the command line names it. Files are PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// `https://host:port`
    pub server: String,
    /// The one authority whose server certificates are believed.
    pub authority: PathBuf,
    /// The certificate to show.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Makes ready to read a log that is served; the sentence says what to correct.
pub type OpenServed = fn(&Served) -> Result<Box<dyn Source>, String>;

pub(crate) fn run(arguments: &Arguments, open_served: OpenServed) -> Result<String, OperatorError> {
    match arguments.served()? {
        Some(served) => {
            let unusable = |why| OperatorError::Argument { what: "the log cannot be asked for:", why };
            judge(arguments, &mut *open_served(&served).map_err(unusable)?)
        }
        None => judge(arguments, &mut Folders(&[&arguments.log])),
    }
}

impl Arguments {
    fn served(&self) -> Result<Option<Served>, OperatorError> {
        let server = self.log.to_str().filter(|log| log.starts_with("https://"));
        let Identity { certificate, client_key, ca } = &self.identity;
        let wrong = |why: &str| OperatorError::Argument { what: "--certificate, --client-key and --ca", why: why.to_owned() };
        match (server, certificate, client_key, ca) {
            (Some(server), Some(certificate), Some(key), Some(authority)) => Ok(Some(Served {
                server: server.to_owned(),
                authority: authority.clone(),
                certificate: certificate.clone(),
                key: key.clone(),
            })),
            (Some(_), ..) => Err(wrong("are asked for by the directory that serves the log")),
            (None, None, None, None) => Ok(None),
            (None, ..) => Err(wrong("go with https://host:port, and this is a directory")),
        }
    }
}

/// The first checkpoint that is read is the one that is judged, though the log grow meanwhile.
fn judge(arguments: &Arguments, log: &mut dyn Source) -> Result<String, OperatorError> {
    let given = arguments.key.as_deref().map(keys).transpose()?.unwrap_or_default();
    let policy = arguments.policy.as_deref().map(policy).transpose()?;
    // from before the log is asked until what it says is kept: a run that waits for another would be shown less than that one kept
    let _folder = arguments.keep.as_deref().map(locked_folder).transpose()?;
    let note = verify::note(log)?;
    // the key that was given must have signed, whichever logs the policy lists
    let opened = (!given.is_empty()).then(|| Checkpoint::open_by_one(&note, &given)).transpose()?;
    let signed_by = opened.as_ref().map(|(_, key)| *key);
    let accepted = policy.map(|policy| policy.accept(&note, signed_by)).transpose()?;
    let key = signed_by.or(accepted.as_ref().map(|accepted| &accepted.log));
    let since = match (&arguments.since, key) {
        (Some(path), Some(key)) => Some(earlier("--since", path, key)?),
        (Some(_) | None, _) => None,
    };
    let checkpoint = opened
        .map(|(checkpoint, _)| checkpoint)
        .or_else(|| accepted.as_ref().map(|accepted| accepted.checkpoint.clone()))
        .ok_or_else(no_key)?;
    let kept = match (&arguments.keep, key) {
        (Some(place), Some(key)) if place.try_exists().map_err(OperatorError::file(place))? => Some(earlier("--keep", place, key)?),
        (Some(_) | None, _) => None,
    };
    // the smaller of the two is where to begin, and the larger is met on the way
    let (first, second) = match (&since, &kept) {
        (Some(since), Some(kept)) if kept.size < since.size => (Some(kept), Some(since)),
        (since, kept) => (since.as_ref(), kept.as_ref()),
    };
    let verified = verify::against(log, checkpoint, first, second)?;
    if let Some(place) = &arguments.keep {
        keep(place, &note)?;
    }
    Ok(if arguments.json { json(&verified, accepted.as_ref()) } else { told(&verified, accepted.as_ref()) })
}

/// The folder of what is kept, locked (flock(2)) for as long as this lives; another run waits for it.
fn locked_folder(place: &Path) -> Result<std::fs::File, OperatorError> {
    let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let opened = std::fs::File::open(folder).map_err(OperatorError::file(place))?;
    opened.lock().map_err(OperatorError::file(place))?;
    Ok(opened)
}

/// Writes beside, makes durable, puts in place: a checkpoint that is kept is never half of one.
fn keep(place: &Path, note: &str) -> Result<(), OperatorError> {
    let mut name = place.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let beside = place.with_file_name(name);
    let written = std::fs::File::create(&beside).and_then(|mut file| file.write_all(note.as_bytes()).and_then(|()| file.sync_all()));
    written.and_then(|()| std::fs::rename(&beside, place)).map_err(OperatorError::file(place))
}

fn no_key() -> OperatorError {
    OperatorError::Argument { what: "--key", why: "or --policy says whose log it is".to_owned() }
}

pub(crate) fn policy(path: &Path) -> Result<LogPolicy, OperatorError> {
    let file = std::fs::read(path).map_err(OperatorError::file(path))?;
    LogPolicy::parse(&file).map_err(|error| OperatorError::Argument { what: "--policy", why: format!("{}, {error}", path.display()) })
}

/// A checkpoint of before. It is the caller who trusts it; the signature shows that it is of this log, and whole.
fn earlier(what: &'static str, path: &Path, key: &VerifierKey) -> Result<Checkpoint, OperatorError> {
    let note = std::fs::read_to_string(path).map_err(OperatorError::file(path))?;
    Checkpoint::open(&note, key).map_err(|fault| OperatorError::Argument { what, why: format!("{}: {fault}", path.display()) })
}

fn root(verified: &Verified) -> String {
    verified.root.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn json(verified: &Verified, accepted: Option<&Accepted>) -> String {
    let cosigned = accepted.map(|accepted| {
        let one = |(witness, at): &(String, u64)| serde_json::json!({ "witness": witness, "at": at });
        accepted.cosigned.iter().map(one).collect::<Vec<_>>()
    });
    let Verified { checkpoint, size, skipped, .. } = verified;
    let (origin, root) = (&checkpoint.origin, root(verified));
    serde_json::json!({ "origin": origin, "size": size, "skipped": skipped, "root": root, "cosigned": cosigned, "verified": true })
        .to_string()
}

fn told(verified: &Verified, accepted: Option<&Accepted>) -> String {
    let Verified { checkpoint, size, skipped, .. } = verified;
    let mut told = format!("{}\n  entries  {size}\n  root     {}", checkpoint.origin, root(verified));
    if *skipped > 0 {
        told += &format!("\n  skipped  {skipped}, which are those of the trusted checkpoint");
    }
    for (witness, at) in accepted.iter().flat_map(|accepted| &accepted.cosigned) {
        told += &format!("\n  witness  {witness}, {}", time(*at));
    }
    if accepted.is_some() {
        told += "\n  policy   met";
    }
    told + &format!("\n  verdict  consistent with its signed checkpoint: {}", verify::unharmed(*size))
}

/// A cosignature's time, as its witness's clock had it; seconds where no calendar goes so far.
pub(crate) fn time(at: u64) -> String {
    let moment = i64::try_from(at).ok().and_then(|at| jiff::Timestamp::from_second(at).ok());
    moment.map_or_else(|| at.to_string(), |moment| moment.to_string())
}

/// A key given as such, or the file that holds one or two.
pub(crate) fn keys(text: &str) -> Result<Vec<VerifierKey>, OperatorError> {
    let path = Path::new(text);
    // no key begins with a path's first letters: its name is a host's (C2SP signed-note)
    let is_path = text.starts_with(['/', '.']);
    if !path.is_file() && !is_path {
        return Ok(vec![VerifierKey::parse(text)?]);
    }
    let held = std::fs::read_to_string(path).map_err(OperatorError::file(path))?;
    Ok(VerifierKey::parse_each(&held)?)
}

#[cfg(test)]
mod tests {
    use super::{Arguments, Identity, OperatorError, Path, PathBuf, Served, Source};
    use crate::custody::open_appliance;
    use crate::rig::Site;
    use contactpoint_audit::verify::{Folders, ReadFault};
    use contactpoint_audit::{tiles, Checkpoint, Fault, SignError, SignedCheckpoint, Signer, Tree, VerifierKey, WitnessKey};

    fn run(arguments: &Arguments) -> Result<String, OperatorError> {
        super::run(arguments, |_| Err("nothing is served here".to_owned()))
    }

    /// What the ceremony leaves in the log: the data centre and its two people.
    const ENTRIES: u16 = 3;

    /// A copy of the ceremony's log, as a client would have fetched it.
    fn fetched(site: &Site) -> Arguments {
        let held = site.hold_ceremony().unwrap();
        let store = open_appliance(&site.directories, &site.settings()).unwrap().store.begin_unlocked().unwrap();
        let directory = site.path("log");
        let bundle = tiles::bundle_path(0, ENTRIES);
        std::fs::create_dir_all(directory.join(&bundle).parent().unwrap()).unwrap();
        std::fs::write(directory.join("checkpoint"), store.log_checkpoint().unwrap()).unwrap();
        std::fs::write(directory.join(&bundle), store.log_tile(&bundle).unwrap().unwrap()).unwrap();
        let key = Some(held.verifier_keys[0].to_string());
        Arguments { log: directory, key, since: None, policy: None, keep: None, identity: Identity::default(), json: false }
    }

    #[test]
    fn an_untouched_log_verifies_with_the_public_key_alone() {
        // F2: anyone with the public key can verify
        let site = Site::new("verify");
        let arguments = fetched(&site);
        let told = run(&arguments).unwrap();
        assert!(told.contains("entries  3") && told.contains("consistent with its signed checkpoint"));
        assert!(told.ends_with("nothing altered, removed or reordered up to entry 2"));
        let by_file = Arguments { key: Some(site.path("state/log-verifier-key.txt").display().to_string()), json: true, ..arguments };
        let json: serde_json::Value = serde_json::from_str(&run(&by_file).unwrap()).unwrap();
        assert_eq!((json["verified"].as_bool(), json["size"].as_u64()), (Some(true), Some(ENTRIES.into())));
    }

    #[test]
    fn a_copy_with_one_byte_changed_is_caught() {
        // F2: nothing was altered, removed or reordered
        let site = Site::new("verify-changed");
        let arguments = fetched(&site);
        let bundle = arguments.log.join(tiles::bundle_path(0, ENTRIES));
        let good = std::fs::read(&bundle).unwrap();
        for at in [2, good.len() / 2, good.len() - 1] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            std::fs::write(&bundle, bad).unwrap();
            let verdict = run(&arguments).unwrap_err();
            assert!(matches!(verdict, OperatorError::LogFault(_)));
            assert_eq!(verdict.exit_status(), 1);
        }
        std::fs::remove_file(&bundle).unwrap();
        assert_eq!(run(&arguments).unwrap_err().exit_status(), 1);
    }

    /// Gives what a folder has, until it is asked for a tile; the address is the folder.
    struct Lost(PathBuf);

    impl Source for Lost {
        fn read(&mut self, file: &str, buffer: &mut Vec<u8>) -> Result<bool, ReadFault> {
            if file.starts_with("tile/") {
                return Err(ReadFault::NotFetched("the connection was lost".to_owned()));
            }
            Folders(&[&self.0]).read(file, buffer)
        }
    }

    #[test]
    fn a_log_that_is_served_is_asked_for_by_name_and_a_lost_connection_is_no_verdict() {
        // F2: a fault of the network is neither a whole log nor an altered one (exit status 69, not 0 and not 1)
        let site = Site::new("verify-served");
        let arguments = fetched(&site);
        let folder = arguments.log.display();
        let identity = Identity { certificate: Some("c".into()), client_key: Some("k".into()), ca: Some("a".into()) };
        let served = Arguments { log: format!("https://{folder}").into(), identity, keep: Some(site.path("kept")), ..arguments };
        let open = |served: &Served| -> Result<Box<dyn Source>, String> {
            assert_eq!((served.certificate.to_str(), served.key.to_str(), served.authority.to_str()), (Some("c"), Some("k"), Some("a")));
            Ok(Box::new(Lost(served.server.strip_prefix("https://").unwrap().into())))
        };
        let error = super::run(&served, open).unwrap_err();
        assert_eq!(error.exit_status(), 69);
        let told = error.to_string();
        assert!(told.contains("tile/entries/000.p/3 was not fetched, when 0 entries were read") && told.contains("--since"), "{told}");
        assert!(!site.path("kept").exists(), "nothing is kept of a log without a verdict");

        assert_eq!(run(&served).unwrap_err().exit_status(), 64, "what cannot be asked for");
        let nameless = Arguments { identity: Identity::default(), ..served };
        assert_eq!(run(&nameless).unwrap_err().exit_status(), 64, "the directory wants to know who asks");
        let identity = Identity { ca: Some("a".into()), ..Identity::default() };
        assert_eq!(run(&Arguments { identity, ..fetched(&Site::new("verify-unserved")) }).unwrap_err().exit_status(), 64);
    }

    #[test]
    fn the_checkpoint_of_a_log_that_verified_is_kept_for_the_next_time() {
        // F2: nothing was altered, removed or reordered since somebody last looked
        let site = Site::new("verify-keep");
        let mut arguments = fetched(&site);
        let kept = site.path("kept");
        arguments.keep = Some(kept.clone());
        run(&arguments).unwrap();
        let note = std::fs::read(arguments.log.join("checkpoint")).unwrap();
        assert_eq!(std::fs::read(&kept).unwrap(), note);
        arguments.since = Some(kept.clone());
        assert!(run(&arguments).unwrap().contains("skipped  3"));
        std::fs::write(arguments.log.join("checkpoint"), &note[1..]).unwrap();
        assert_eq!(run(&arguments).unwrap_err().exit_status(), 1);
        assert_eq!(std::fs::read(&kept).unwrap(), note, "what did not verify is not kept");
        arguments.keep = Some(site.path("nowhere/kept"));
        std::fs::write(arguments.log.join("checkpoint"), &note).unwrap();
        assert_eq!(run(&arguments).unwrap_err().exit_status(), 64);
    }

    /// Whether a fault is the one that is expected.
    type Told = fn(&Fault) -> bool;

    /// A log of so many entries in a folder, the last of them this one, signed with a key in memory.
    fn log_of(folder: &Path, entries: u16, last: &[u8], signer: &Witness) -> Arguments {
        let _ = std::fs::remove_dir_all(folder);
        let leaves: Vec<Vec<u8>> = (1..entries).map(|at| at.to_be_bytes().to_vec()).chain([last.to_vec()]).collect();
        let mut tree = Tree::new();
        leaves.iter().for_each(|leaf| drop(tree.append(leaf)));
        let bundle = folder.join(tiles::bundle_path(0, entries));
        std::fs::create_dir_all(bundle.parent().unwrap()).unwrap();
        std::fs::write(bundle, tiles::encode_bundle(&leaves).unwrap()).unwrap();
        let head = Checkpoint { origin: signer.1.name().to_owned(), size: entries.into(), root: tree.root() };
        std::fs::write(folder.join("checkpoint"), head.signed(signer).unwrap()).unwrap();
        let (log, key, identity) = (folder.to_owned(), Some(signer.1.to_string()), Identity::default());
        Arguments { log, key, since: None, policy: None, keep: None, identity, json: false }
    }

    #[test]
    fn what_was_kept_is_replaced_by_nothing_but_a_log_that_goes_on_from_it() {
        // F2: whoever kept a head notices a shorter log, and a fork
        let place = tempfile::tempdir().unwrap();
        let (folder, kept, signer) = (place.path().join("log"), Some(place.path().join("kept")), Witness::new());
        let keeping = |entries, last: &[u8]| Arguments { keep: kept.clone(), ..log_of(&folder, entries, last, &signer) };
        let held = || std::fs::read(kept.as_ref().unwrap()).unwrap();
        run(&keeping(5, b"fifth")).unwrap();
        let fifth = held();
        let root: Told = |fault| matches!(fault, Fault::Forked { size: 5, .. });
        let shorter: Told = |fault| matches!(fault, Fault::Shorter { before: 5, now: 4 });
        let other: Told = |fault| matches!(fault, Fault::NotABeginning { size: 5, .. });
        let wrong: [(u16, &[u8], Told); 3] = [(4, b"fourth", shorter), (5, b"other", root), (7, b"seventh", other)];
        for (entries, last, is_told) in wrong {
            let refused = run(&keeping(entries, last)).unwrap_err();
            assert!(matches!(&refused, OperatorError::LogFault(fault) if is_told(fault)), "{refused}");
            assert_eq!(refused.exit_status(), 1);
            assert_eq!(held(), fifth, "it stays");
        }
        // the reading begins at the smaller of the two, and the larger is met on the way
        let earlier = place.path().join("earlier");
        log_of(&folder, 4, &4u16.to_be_bytes(), &signer);
        std::fs::copy(folder.join("checkpoint"), &earlier).unwrap();
        let since = Some(earlier);
        assert_eq!(run(&Arguments { since: since.clone(), ..keeping(7, b"seventh") }).unwrap_err().exit_status(), 1);
        let place_kept = kept.as_ref().unwrap();
        log_of(&folder, 5, &5u16.to_be_bytes(), &signer);
        std::fs::copy(folder.join("checkpoint"), place_kept).unwrap();
        let told = run(&Arguments { since, ..keeping(7, b"seventh") }).unwrap();
        assert!(told.contains("skipped  4"), "{told}");
        assert_eq!(held(), std::fs::read(folder.join("checkpoint")).unwrap());
        std::fs::write(place_kept, b"no checkpoint").unwrap();
        let refused = run(&keeping(7, b"seventh")).unwrap_err();
        assert!(refused.exit_status() == 64 && refused.to_string().contains("--keep"), "{refused}");
    }

    #[test]
    fn what_is_kept_is_held_from_before_the_log_is_asked() {
        // F2: no run is shown an older head than one that another run, which it waited for, has kept
        struct Asked<'a>(Folders<'a>, &'a Path);
        impl Source for Asked<'_> {
            fn read(&mut self, file: &str, buffer: &mut Vec<u8>) -> Result<bool, ReadFault> {
                assert!(std::fs::File::open(self.1).unwrap().try_lock().is_err(), "{file}");
                self.0.read(file, buffer)
            }
        }
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("log");
        let arguments = Arguments { keep: Some(place.path().join("kept")), ..log_of(&folder, 5, b"fifth", &Witness::new()) };
        super::judge(&arguments, &mut Asked(Folders(&[&folder]), place.path())).unwrap();
    }

    #[test]
    fn another_key_does_not_verify_and_what_is_no_key_is_a_usage_error() {
        // F2: heads are signed in the HSM
        let site = Site::new("verify-key");
        let mut arguments = fetched(&site);
        let other = Site::new("verify-key-other").hold_ceremony().unwrap().verifier_keys;
        arguments.key = Some(other[0].to_string());
        assert_eq!(run(&arguments).unwrap_err().exit_status(), 1);
        arguments.key = Some("not a key".to_owned());
        assert_eq!(run(&arguments).unwrap_err().exit_status(), 64);
        arguments.key = Some("/nonexistent/key.txt".to_owned());
        let error = run(&arguments).unwrap_err();
        assert_eq!(error.exit_status(), 64);
        assert!(error.to_string().starts_with("/nonexistent/key.txt: "), "{error}");
    }

    #[test]
    fn a_trusted_checkpoint_says_where_to_go_on_and_must_be_of_this_log() {
        // F2: nothing was altered, removed or reordered since somebody last looked
        let site = Site::new("verify-since");
        let mut arguments = fetched(&site);
        arguments.since = Some(arguments.log.join("checkpoint"));
        let told = run(&arguments).unwrap();
        assert!(told.contains("  skipped  3, which are those of the trusted checkpoint\n"), "{told}");
        let forged = site.path("forged");
        let note = std::fs::read_to_string(arguments.log.join("checkpoint")).unwrap();
        std::fs::write(&forged, note.replacen("\n3\n", "\n2\n", 1)).unwrap();
        arguments.since = Some(forged);
        let error = run(&arguments).unwrap_err();
        assert!(error.exit_status() == 64 && error.to_string().starts_with("--since "), "{error}");
        arguments.since = Some(site.path("nowhere"));
        assert_eq!(run(&arguments).unwrap_err().exit_status(), 64);
    }

    #[test]
    fn a_policy_asks_for_its_quorum_and_may_stand_for_the_key() {
        // F2: independent witnesses may cosign; the log's key is the HSM's, the witness's a file's
        let site = Site::new("verify-policy");
        let mut arguments = fetched(&site);
        let log: VerifierKey = arguments.key.clone().unwrap().parse().unwrap();
        let witness = Witness::new();
        let file = site.path("policy");
        let policy = format!("log {log}\nwitness W {}\nquorum W\n", WitnessKey::of(&witness).unwrap());
        std::fs::write(&file, &policy).unwrap();
        arguments.policy = Some(file.clone());
        let refused = run(&arguments).unwrap_err();
        assert_eq!(refused.exit_status(), 1);
        assert!(refused.to_string().contains("the quorum W is not met: the checkpoint is cosigned by none of the policy's witnesses"));

        let place = arguments.log.join("checkpoint");
        let note = std::fs::read_to_string(&place).unwrap();
        let line = SignedCheckpoint::open(&note, &log).unwrap().cosign(1_679_315_147, &witness).unwrap();
        std::fs::write(&place, format!("{note}{line}")).unwrap();
        for key in [arguments.key.clone(), None] {
            arguments.key = key;
            let told = run(&arguments).unwrap();
            assert!(told.contains("  witness  W, 2023-03-20T12:25:47Z\n  policy   met\n"), "{told}");
        }
        let json: serde_json::Value = serde_json::from_str(&run(&Arguments { json: true, ..arguments }).unwrap()).unwrap();
        assert_eq!(json["cosigned"], serde_json::json!([{ "witness": "W", "at": 1_679_315_147 }]));

        let alone = |policy: &str, key: Option<&VerifierKey>| {
            std::fs::write(&file, policy).unwrap();
            let directory = place.parent().unwrap().to_owned();
            let key = key.map(ToString::to_string);
            let policy = Some(file.clone());
            let identity = Identity::default();
            run(&Arguments { log: directory, key, since: None, policy, keep: None, identity, json: false }).unwrap_err()
        };
        assert_eq!(alone("quorum none\n", None).exit_status(), 1, "nobody says whose log it is");
        let other = Witness::new().0.verifying_key().to_bytes();
        let other = VerifierKey::ed25519(log.name(), &other).unwrap();
        assert_eq!(alone(&policy, Some(&other)).exit_status(), 1, "the key that was given did not sign");
        let error = alone("log a\n", None);
        assert!(error.exit_status() == 64 && error.to_string().contains("line 1: "), "{error}");
    }

    /// A witness with a key in memory.
    struct Witness(ed25519_dalek::SigningKey, VerifierKey);

    impl Witness {
        fn new() -> Self {
            let key = ed25519_dalek::SigningKey::from_bytes(&[5; 32]);
            let public = VerifierKey::ed25519("witness.example/w", key.verifying_key().as_bytes()).unwrap();
            Self(key, public)
        }
    }

    impl Signer for Witness {
        fn verifier_key(&self) -> &VerifierKey {
            &self.1
        }
        fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
            Ok(ed25519_dalek::Signer::sign(&self.0, message).to_bytes().to_vec())
        }
    }
}
