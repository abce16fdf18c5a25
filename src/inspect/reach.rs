//! What the process holds open and where it could write: descriptors, sockets, mounts (proc_pid_fd(5), proc_pid_mountinfo(5)).

use crate::reading::{Look, Reading};
use crate::sockets::Sockets;
use contactpoint_assurance::Observation;

/// A line of the descriptors' reading: "7 file rw /var/lib/contactpoint/store.db".
pub(crate) struct Descriptor<'a> {
    number: &'a str,
    kind: &'a str,
    access: &'a str,
    pub(crate) target: &'a str,
    line: &'a str,
}

pub(crate) fn descriptors(text: &str) -> impl Iterator<Item = Descriptor<'_>> {
    text.lines().filter_map(|line| {
        let mut words = line.splitn(4, ' ');
        Some(Descriptor { number: words.next()?, kind: words.next()?, access: words.next()?, target: words.next()?, line })
    })
}

/// Standard input leads nowhere; standard output and error nowhere or, over a Unix socket, to the journal.
pub fn standard_streams(open: &Reading, sockets: &Sockets) -> Observation {
    let mut look = Look::at("process.descriptors", "0 is /dev/null or closed; 1 and 2 are /dev/null, the journal's socket, or closed");
    let Some(text) = look.read(open) else { return look.done() };
    for stream in descriptors(text).filter(|open| ["0", "1", "2"].contains(&open.number)) {
        let to_journal = stream.number != "0" && sockets.is_unix(stream.target);
        look.found(&open.source, stream.line, to_journal || stream.target == "/dev/null");
    }
    look.found(&open.source, format!("{} descriptors", descriptors(text).count()), true);
    look.done()
}

/// No device is open but those that hold nothing.
pub fn devices(open: &Reading) -> Observation {
    let mut look = Look::at("process.descriptors", "no block device, and no character device but /dev/null, /dev/random and /dev/urandom");
    let Some(text) = look.read(open) else { return look.done() };
    let harmless = ["/dev/null", "/dev/random", "/dev/urandom"];
    let devices = descriptors(text).filter(|open| ["char", "block"].contains(&open.kind));
    let offenders: Vec<&str> =
        devices.filter(|open| open.kind == "block" || !harmless.contains(&open.target)).map(|open| open.line).collect();
    offenders.iter().for_each(|line| look.found(&open.source, *line, false));
    look.found(&open.source, format!("{} descriptors, {} of devices beyond these", descriptors(text).count(), offenders.len()), true);
    look.done()
}

/// What is open for writing lies below the state directory or where the HSM's module writes.
pub fn open_files(open: &Reading, places: &[String]) -> Observation {
    let mut look = Look::at("process.descriptors", format!("files open for writing only below {}", places.join(", ")));
    let Some(text) = look.read(open) else { return look.done() };
    let written = descriptors(text).filter(|open| ["file", "folder"].contains(&open.kind) && open.access != "r");
    // an epoll or event descriptor of the kernel's is no file
    let written = written.filter(|open| !open.target.starts_with("anon_inode:"));
    for file in written {
        look.found(&open.source, file.line, is_below(file.target, places));
    }
    look.found(&open.source, format!("{} descriptors", descriptors(text).count()), true);
    look.done()
}

/// Each socket is a Unix socket, or TCP on the port on which it listens; an outgoing one only to the network HSM's port.
pub fn sockets(open: &Reading, tables: &Sockets, hsm_port: Option<u16>) -> Observation {
    let mut look = Look::at("process.descriptors", "one listening TCP socket and its connections, Unix sockets, and no other");
    let Some(text) = look.read(open) else { return look.done() };
    if let Some(why) = tables.unread() {
        look.unseen("/proc/net", why);
        return look.done();
    }
    let held: Vec<&str> = descriptors(text).map(|open| open.target).filter(|target| target.starts_with("socket:[")).collect();
    let listening = tables.listening(&held);
    let mut unix = 0;
    for target in &held {
        if tables.is_unix(target) {
            unix += 1;
            continue;
        }
        match tables.tcp(target) {
            Some(tcp) => {
                let is_ours = listening.iter().any(|address| address.port() == tcp.local.port());
                let is_hsm = hsm_port.is_some_and(|port| port != 0 && tcp.remote.port() == port);
                look.found(&open.source, format!("{target} TCP {} from {}", tcp.local, tcp.remote), is_ours || is_hsm);
            }
            None => look.found(&open.source, format!("{target} is neither a Unix nor a TCP socket of this machine"), false),
        }
    }
    look.found(&open.source, format!("{unix} Unix sockets; listening: {listening:?}"), listening.len() == 1);
    look.done()
}

/// File systems whose content is the kernel's, or gone with the mount.
const NOT_KEPT: [&str; 15] = [
    "proc",
    "sysfs",
    "tmpfs",
    "devtmpfs",
    "devpts",
    "mqueue",
    "cgroup",
    "cgroup2",
    "ramfs",
    "securityfs",
    "selinuxfs",
    "tracefs",
    "debugfs",
    "hugetlbfs",
    "nsfs",
];

/// In the process's own tree nothing that is kept can be written but below the state directory and where the HSM's module writes.
pub fn mounts(mountinfo: &Reading, places: &[String]) -> Observation {
    let mut look = Look::at("process.mounts", format!("file systems mounted for writing only at {}", places.join(", ")));
    let Some(text) = look.read(mountinfo) else { return look.done() };
    let mut kept = 0;
    for line in text.lines() {
        let Some((mount, file_system)) = line.split_once(" - ") else { continue };
        let words: Vec<&str> = mount.split(' ').collect();
        let (Some(point), Some(options)) = (words.get(4), words.get(5)) else { continue };
        let kind = file_system.split(' ').next().unwrap_or_default();
        kept += 1;
        let is_writable = options.split(',').any(|option| option == "rw") && !file_system_is_read_only(file_system);
        // PrivateTmp=: systemd removes it with the unit, and Landlock lets nothing be written there
        let is_private = words.get(3).is_some_and(|root| root.contains("/systemd-private-")) && ["/tmp", "/var/tmp"].contains(point);
        if is_writable && !NOT_KEPT.contains(&kind) {
            look.found(&mountinfo.source, format!("{point} {kind} {options}"), is_private || is_below(point, places));
        }
    }
    if kept == 0 {
        look.unseen(&mountinfo.source, "no mount is shown");
    } else {
        look.found(&mountinfo.source, format!("{kept} mounts"), true);
    }
    look.done()
}

fn file_system_is_read_only(file_system: &str) -> bool {
    file_system.split(' ').nth(2).is_some_and(|options| options.split(',').any(|option| option == "ro"))
}

fn is_below(path: &str, places: &[String]) -> bool {
    places.iter().any(|place| path == place || path.strip_prefix(place.as_str()).is_some_and(|rest| rest.starts_with('/')))
}
