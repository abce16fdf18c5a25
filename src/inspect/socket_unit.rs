//! The socket unit: systemd makes the two doors by it, before the daemon runs and outside its cage.
//!
//! Narrowing who may connect is the machine's own matter (addresses, a network interface); anything else in a drop-in turns the verdict. Leaves to
//! others: the control socket's file as it lies there (`files`), the sockets that the process holds (`reach`), TLS (`tls`).

use crate::directives::not_judged;
use crate::reading::{Look, Reading};
use crate::sockets::Sockets;
use crate::unit::{directives, properties, property};
use contactpoint_assurance::Observation;

/// Directive, the property by which systemd shows it (systemd 252), and what that must say.
pub(crate) const JUDGED: [(&str, &str, &str); 10] = [
    ("SocketUser", "SocketUser", "root"),
    ("SocketGroup", "SocketGroup", "root"),
    ("SocketMode", "SocketMode", "0600"),
    ("DirectoryMode", "DirectoryMode", "0755"),
    ("RemoveOnStop", "RemoveOnStop", "yes"),
    ("Accept", "Accept", "no"),
    ("Backlog", "Backlog", "1024"),
    ("KeepAlive", "KeepAlive", "yes"),
    ("TriggerLimitIntervalSec", "TriggerLimitIntervalUSec", "10s"),
    ("TriggerLimitBurst", "TriggerLimitBurst", "5"),
];

/// What the unit has no line for: systemd's defaults.
const DEFAULTS: [(&str, &str); 10] = [
    ("ActiveState", "active"),
    ("NeedDaemonReload", "no"),
    ("Triggers", "contactpointd.service"),
    ("Symlinks", ""),
    ("Transparent", "no"),
    ("FreeBind", "no"),
    ("Broadcast", "no"),
    ("PassCredentials", "no"),
    ("ReusePort", "no"),
    ("NetworkNamespacePath", ""),
];

/// Directives of which nothing is asked here, and why.
pub(crate) const NOT_JUDGED: [(&str, &str); 4] = [
    ("ListenStream", "looked at as Listen=, below"),
    ("Description", "a text for people"),
    ("Documentation", "a text for people"),
    ("WantedBy", "read when the unit is enabled, and not when it is started"),
];

/// What a drop-in may say: each of these can only keep somebody out who could connect without it.
const NARROWING: [&str; 3] = ["IPAddressAllow", "IPAddressDeny", "BindToDevice"];

/// The port of both families, or of IPv4 where the kernel has no other; and the control socket. As systemd shows them.
const DOORS: [&str; 3] = ["[::]:8443 (Stream)", "0.0.0.0:8443 (Stream)", "/run/contactpoint/control.sock (Stream)"];

/// Each directive of the sockets is in force, and no other door is open.
pub fn settings(show: &Reading) -> Observation {
    let mut look = Look::at("unit.drop_ins", "each directive of the package's socket unit, and its two doors alone");
    let Some(text) = look.read(show) else { return look.done() };
    let path = property(text, "FragmentPath").unwrap_or_default();
    let of_package = ["/lib/systemd/system/contactpointd.socket", "/usr/lib/systemd/system/contactpointd.socket"];
    look.found(&show.source, format!("FragmentPath={path}"), of_package.contains(&path));
    let judged = JUDGED.iter().map(|(_, shown, wanted)| (shown, wanted));
    for (name, wanted) in judged.chain(DEFAULTS.iter().map(|(name, wanted)| (name, wanted))) {
        match property(text, name) {
            Some(value) => look.found(&show.source, format!("{name}={value}"), value == *wanted),
            None => look.unseen(&show.source, format!("{name} is not shown")),
        }
    }
    let doors: Vec<&str> = properties(text, "Listen").collect();
    for door in &doors {
        look.found(&show.source, format!("Listen={door}"), DOORS.contains(door));
    }
    look.found(&show.source, format!("{} doors", doors.len()), doors.len() == 2);
    not_judged(&mut look, &NOT_JUDGED);
    look.done()
}

/// Each drop-in keeps somebody out, and does nothing else.
pub fn drop_ins(show: &Reading, drop_ins: &[Reading]) -> Observation {
    let mut look = Look::at("unit.drop_ins", format!("no drop-in of the socket says anything but {}", NARROWING.join(", ")));
    let Some(text) = look.read(show) else { return look.done() };
    look.found(&show.source, format!("DropInPaths={}", property(text, "DropInPaths").unwrap_or_default()), true);
    for drop_in in drop_ins {
        let Some(text) = look.read(drop_in) else { continue };
        for (name, value) in directives(text).filter(|(name, _)| !name.starts_with('[')) {
            look.found(&drop_in.source, format!("{name}={value}"), NARROWING.contains(&name));
        }
    }
    look.done()
}

/// The process listens where the socket unit says, by the kernel's tables, and nowhere else. `held` are its sockets: "socket:[4711]".
pub fn doors(show: &Reading, descriptors: &Reading, tables: &Sockets, held: &[&str]) -> Observation {
    let mut look = Look::at("process.descriptors", "it listens where the socket unit says, and nowhere else");
    let (Some(unit), Some(_)) = (look.read(show), look.read(descriptors)) else { return look.done() };
    if let Some(why) = tables.unread() {
        look.unseen("/proc/net", why);
        return look.done();
    }
    let said: Vec<&str> = properties(unit, "Listen").filter_map(|door| door.strip_suffix(" (Stream)")).collect();
    if said.is_empty() {
        look.unseen(&show.source, "the socket unit opens no door");
        return look.done();
    }
    let tcp = tables.listening(held).into_iter().map(|address| address.to_string());
    for address in tcp.chain(tables.listening_unix(held)) {
        let is_said = said.contains(&address.as_str());
        look.found(&descriptors.source, format!("listens at {address}"), is_said);
    }
    look.done()
}
