//! Finding our keys on the token and holding each against what it must be (rule G2: not extractable, checked at every start).

use crate::kind::{HsmKey, Task};
use crate::KeyError;
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use serde::Serialize;
use std::fmt;

/// What the HSM says of one key, as read at start and again for evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyReport {
    /// CKA_LABEL.
    pub label: String,
    /// "an AES key of 256 bits".
    pub kind: &'static str,
    /// CKA_CLASS: "secret-key", "private-key", or "unknown" where the HSM tells another.
    pub class: &'static str,
    /// CKA_SENSITIVE: the value cannot be read.
    pub sensitive: bool,
    /// CKA_ALWAYS_SENSITIVE: it never could.
    pub always_sensitive: bool,
    /// CKA_EXTRACTABLE: the key can be wrapped and taken out.
    pub extractable: bool,
    /// CKA_NEVER_EXTRACTABLE: it never could.
    pub never_extractable: bool,
    /// CKA_LOCAL: generated in this HSM.
    pub local: bool,
}

impl fmt::Display for KeyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { label, kind, class, sensitive, always_sensitive, extractable, never_extractable, local } = self;
        write!(f, "{label}: {kind} ({class}); sensitive {sensitive}, always {always_sensitive}; extractable {extractable}, ")?;
        write!(f, "never {never_extractable}; generated here {local}")
    }
}

/// A key that passed every check. Made by [`checked`] alone.
pub(crate) struct CheckedKey {
    handle: ObjectHandle,
    key: HsmKey,
}

impl CheckedKey {
    pub(crate) const fn handle(&self) -> ObjectHandle {
        self.handle
    }

    /// What the HSM says of it now.
    pub(crate) fn report(&self, session: &Session) -> Result<KeyReport, KeyError> {
        reported(session, self.handle, self.key)
    }
}

/// Finds one of our keys and refuses unless it is exactly what the ceremony makes.
pub(crate) fn checked(session: &Session, key: HsmKey) -> Result<CheckedKey, KeyError> {
    let handle = found(session, key)?;
    refuse_other_type(session, handle, key)?;
    let report = reported(session, handle, key)?;
    refuse_loose(&report)?;
    refuse_other_tasks(session, handle, key)?;
    if key.ends() {
        refuse_copyable(session, handle, key)?;
    }
    Ok(CheckedKey { handle, key })
}

/// What the HSM says of a key that is there by its label, good or bad.
pub(crate) fn found_report(session: &Session, key: HsmKey) -> Result<KeyReport, KeyError> {
    reported(session, found(session, key)?, key)
}

/// The public half of a pair.
pub(crate) fn public_half(session: &Session, key: HsmKey) -> Result<ObjectHandle, KeyError> {
    only_one(key, &of_class(session, key, ObjectClass::PUBLIC_KEY)?)
}

/// True where anything on the token has the key's label.
pub(crate) fn exists(session: &Session, key: HsmKey) -> Result<bool, KeyError> {
    Ok(!objects(session, key)?.is_empty())
}

/// Everything on the token that has the key's label.
pub(crate) fn objects(session: &Session, key: HsmKey) -> Result<Vec<ObjectHandle>, KeyError> {
    session.find_objects(&[Attribute::Label(key.label().into())]).map_err(KeyError::hsm("looking for keys"))
}

/// The keys of epochs that the token has, whether or not anything is wrapped by them any more; in order, each once.
pub(crate) fn epochs_keys(session: &Session) -> Result<Vec<HsmKey>, KeyError> {
    let looking = KeyError::hsm("looking for keys");
    let mut keys = Vec::new();
    for handle in session.find_objects(&[Attribute::Class(ObjectClass::SECRET_KEY)]).map_err(&looking)? {
        let read = session.get_attributes(handle, &[AttributeType::Label]).map_err(&looking)?;
        keys.extend(read.iter().filter_map(of_epoch));
    }
    keys.sort_by_key(|key| key.label());
    keys.dedup();
    Ok(keys)
}

fn of_epoch(attribute: &Attribute) -> Option<HsmKey> {
    if let Attribute::Label(label) = attribute {
        HsmKey::of_epoch_label(label)
    } else {
        None
    }
}

fn found(session: &Session, key: HsmKey) -> Result<ObjectHandle, KeyError> {
    let handles = of_class(session, key, key.class())?;
    let other = if key.class() == ObjectClass::SECRET_KEY { ObjectClass::PRIVATE_KEY } else { ObjectClass::SECRET_KEY };
    if handles.is_empty() && !of_class(session, key, other)?.is_empty() {
        return Err(KeyError::WrongType { label: key.label(), wanted: key.kind() });
    }
    only_one(key, &handles)
}

fn of_class(session: &Session, key: HsmKey, class: ObjectClass) -> Result<Vec<ObjectHandle>, KeyError> {
    let template = [Attribute::Label(key.label().into()), Attribute::Class(class)];
    session.find_objects(&template).map_err(KeyError::hsm("looking for keys"))
}

fn only_one(key: HsmKey, handles: &[ObjectHandle]) -> Result<ObjectHandle, KeyError> {
    match handles {
        [] => Err(KeyError::Missing { label: key.label() }),
        [handle] => Ok(*handle),
        several => Err(KeyError::Twice { label: key.label(), count: several.len() }),
    }
}

fn refuse_other_type(session: &Session, handle: ObjectHandle, key: HsmKey) -> Result<(), KeyError> {
    let size_or_curve = if key.curve().is_some() { AttributeType::EcParams } else { AttributeType::ValueLen };
    let types = [AttributeType::KeyType, size_or_curve];
    let read = session.get_attributes(handle, &types).map_err(KeyError::hsm("reading a key's type"))?;
    let right_type = read.contains(&Attribute::KeyType(key.key_type()));
    if right_type && key.sizes_or_curves().iter().any(|wanted| read.contains(wanted)) {
        Ok(())
    } else {
        Err(KeyError::WrongType { label: key.label(), wanted: key.kind() })
    }
}

fn reported(session: &Session, handle: ObjectHandle, key: HsmKey) -> Result<KeyReport, KeyError> {
    let types = [
        AttributeType::Class,
        AttributeType::Sensitive,
        AttributeType::AlwaysSensitive,
        AttributeType::Extractable,
        AttributeType::NeverExtractable,
        AttributeType::Local,
    ];
    let read = session.get_attributes(handle, &types).map_err(KeyError::hsm("reading a key's attributes"))?;
    Ok(KeyReport {
        label: key.label(),
        kind: key.kind(),
        class: class(&read),
        // an attribute that the HSM does not tell counts as the worse of the two
        sensitive: read.contains(&Attribute::Sensitive(true)),
        always_sensitive: read.contains(&Attribute::AlwaysSensitive(true)),
        extractable: !read.contains(&Attribute::Extractable(false)),
        never_extractable: read.contains(&Attribute::NeverExtractable(true)),
        local: read.contains(&Attribute::Local(true)),
    })
}

fn class(read: &[Attribute]) -> &'static str {
    if read.contains(&Attribute::Class(ObjectClass::SECRET_KEY)) {
        "secret-key"
    } else if read.contains(&Attribute::Class(ObjectClass::PRIVATE_KEY)) {
        "private-key"
    } else {
        "unknown"
    }
}

fn refuse_loose(report: &KeyReport) -> Result<(), KeyError> {
    let label = report.label.clone();
    if report.extractable || (report.local && !report.never_extractable) {
        Err(KeyError::Extractable { label })
    } else if !report.sensitive || (report.local && !report.always_sensitive) {
        Err(KeyError::NotSensitive { label })
    } else if !report.local {
        // an imported key is never "always sensitive" either; say the cause, not the consequence
        Err(KeyError::NotLocal { label })
    } else {
        Ok(())
    }
}

/// A copy under another label would outlive the epoch. What the HSM does not tell counts as the worse answer.
fn refuse_copyable(session: &Session, handle: ObjectHandle, key: HsmKey) -> Result<(), KeyError> {
    let read = session.get_attributes(handle, &[AttributeType::Copyable]).map_err(KeyError::hsm("reading a key's attributes"))?;
    if read.contains(&Attribute::Copyable(false)) {
        Ok(())
    } else {
        Err(KeyError::Copyable { label: key.label() })
    }
}

fn refuse_other_tasks(session: &Session, handle: ObjectHandle, key: HsmKey) -> Result<(), KeyError> {
    for task in Task::ALL.iter().filter(|task| task.applies_to(key) && !task.is_of(key)) {
        let read = session.get_attributes(handle, &[task.attribute_type]).map_err(KeyError::hsm("reading a key's tasks"))?;
        if read.contains(&task.allowed()) {
            return Err(KeyError::WrongUsage { label: key.label(), usage: task.words });
        }
    }
    Ok(())
}
