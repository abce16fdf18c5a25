//! Against the real SoftHSM2: one token directory a process, one token a test.

mod ceremonies;
mod epochs;
mod heads;
mod losing;
mod opening;
mod using;

use crate::kind::HsmKey;
use crate::sessions::log_in;
use crate::{ceremony, dangerous_make_token, Attachment, Custody, HeadKeys, Pin, WrappedDataKeys};
use cryptoki::object::{Attribute, ObjectHandle};
use cryptoki::session::Session;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
const PIN: &str = "246813";

/// Below target/, by process id, so that nothing is left in /tmp; what dead processes left is cleared first.
fn token_directory() -> &'static Path {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| {
        let all = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("softhsm-keys");
        fs::create_dir_all(&all).unwrap();
        for old in fs::read_dir(&all).unwrap().flatten() {
            if !Path::new("/proc").join(old.file_name()).exists() {
                let _another_process_was_faster = fs::remove_dir_all(old.path());
            }
        }
        let mine = all.join(std::process::id().to_string());
        fs::create_dir_all(mine.join("tokens")).unwrap();
        let settings = format!("directories.tokendir = {}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n", mine.display());
        fs::write(mine.join("softhsm2.conf"), settings).unwrap();
        std::env::set_var("SOFTHSM2_CONF", mine.join("softhsm2.conf"));
        mine
    })
}

/// An empty token of its own.
fn empty_token(label: &str) -> Attachment {
    token_directory();
    dangerous_make_token(Path::new(MODULE), label, PIN).unwrap()
}

/// A token after its ceremony.
fn token_with_keys(label: &str) -> (Attachment, WrappedDataKeys) {
    let attachment = empty_token(label);
    let wrapped = ceremony(&attachment, &pin(PIN)).unwrap();
    (attachment, wrapped)
}

/// The same, with both keys that can sign log heads: each key that there can be.
fn token_with_every_key(label: &str) -> (Attachment, WrappedDataKeys) {
    let attachment = Attachment { heads: HeadKeys::Both, ..empty_token(label) };
    let wrapped = ceremony(&attachment, &pin(PIN)).unwrap();
    (attachment, wrapped)
}

fn opened(label: &str) -> (Custody, WrappedDataKeys) {
    let (attachment, wrapped) = token_with_keys(label);
    (Custody::open(&attachment, &pin(PIN)).unwrap(), wrapped)
}

/// By the only way there is: a file.
fn pin(text: &str) -> Pin {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("hsm-pin");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    Pin::from_credential_file(&path).unwrap()
}

/// A logged-in read-write session, as whoever has the PIN could open one.
fn with_pin_holder<T>(attachment: &Attachment, act: impl FnOnce(&Session) -> T) -> T {
    let (module, slot) = attachment.attach().unwrap();
    let session = module.open_rw_session(slot).unwrap();
    log_in(&module, slot, &session, &attachment.token, &pin(PIN)).unwrap();
    act(&session)
}

fn objects(session: &Session, key: HsmKey) -> Vec<ObjectHandle> {
    session.find_objects(&[Attribute::Label(key.label().into())]).unwrap()
}

fn destroy(session: &Session, key: HsmKey) {
    for object in objects(session, key) {
        session.destroy_object(object).unwrap();
    }
}
