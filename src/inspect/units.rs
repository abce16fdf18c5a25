//! The units as they were read, in one piece: the daemon's and its sockets', their drop-ins, and what systemd says around them.

use crate::reading::Reading;
use crate::unit::Start;
use crate::{directives, disk, machine, package, socket_unit, unit};
use contactpoint_assurance::Observation;
use std::path::{Path, PathBuf};

const SERVICE: &str = "contactpointd.service";
const SOCKET: &str = "contactpointd.socket";

/// Everything that was read of the units.
#[derive(Debug, Clone)]
pub(crate) struct Units {
    /// The process that is looked at: the one that was asked for, or systemd's main process.
    pub(crate) pid: Option<u32>,
    pub(crate) service: Reading,
    pub(crate) socket: Reading,
    pub(crate) start: Start,
    drop_ins: Vec<Reading>,
    socket_drop_ins: Vec<Reading>,
    files: Vec<Reading>,
    refused: Reading,
    at_hsm: Reading,
    attachments: Vec<Reading>,
    exposure: Reading,
    calls: Reading,
}

impl Units {
    /// Asks systemd. What cannot be read is unseen, with the reason.
    pub(crate) fn read(asked: Option<u32>) -> Self {
        let show = |unit: &str| machine::command("systemctl", &["show", "--all", "--no-pager", "--timestamp=us+utc", unit]);
        let (service, socket) = (show(SERVICE), show(SOCKET));
        let pid = asked.or_else(|| unit::main_pid(&service));
        let manager = machine::command("systemctl", &["show", "--all", "--no-pager"]);
        let start = Start {
            stat: pid.map_or_else(
                || Reading::unseen("/proc/PID/stat", "contactpointd does not run"),
                |pid| machine::file(format!("/proc/{pid}/stat")),
            ),
            machine: machine::file("/proc/stat"),
            changes: machine::changes(&unit::sources(&service, &manager)),
            manager,
        };
        let read_all = |show: &Reading| -> Vec<Reading> { unit::drop_in_paths(show).iter().map(machine::file).collect() };
        let (drop_ins, socket_drop_ins) = (read_all(&service), read_all(&socket));
        let fragments = [&service, &socket].into_iter().filter_map(unit::fragment).map(machine::file);
        Self {
            pid,
            files: fragments.chain(drop_ins.iter().cloned()).chain(socket_drop_ins.iter().cloned()).collect(),
            refused: show("contactpointd-refused.target"),
            at_hsm: disk::named(&unit::folders(&start.manager), "contactpoint-"),
            start,
            drop_ins,
            socket_drop_ins,
            attachments: package::attachments(),
            exposure: machine::command("systemd-analyze", &["security", "--no-pager", SERVICE]),
            calls: machine::command("systemd-analyze", &["syscall-filter", "--no-pager"]),
            service,
            socket,
        }
    }

    /// The folders beside the installed files in which somebody else could put more of the same.
    pub(crate) fn folders_of_drop_ins(&self) -> Vec<PathBuf> {
        let names =
            ["contactpointd.service.d", "contactpointd.socket.d", "contactpointd-refused.target.d", "contactpoint-at-hsm-.service.d"];
        let units = unit::folders(&self.start.manager);
        let of_units = units.iter().flat_map(|folder| names.map(|name| Path::new(folder).join(name)));
        of_units.chain(["/etc/modprobe.d", "/etc/udev/rules.d"].map(PathBuf::from)).collect()
    }

    /// Every check of the units.
    pub(crate) fn observations(&self) -> Vec<Observation> {
        vec![
            unit::running(&self.service, self.pid),
            unit::started(&self.service, &self.start),
            directives::settings(&self.service, &self.calls, &self.drop_ins, &self.attachments),
            unit::drop_ins(&self.service, &self.drop_ins, &self.attachments),
            socket_unit::settings(&self.socket),
            socket_unit::drop_ins(&self.socket, &self.socket_drop_ins),
            unit::plain(&self.files),
            unit::refused(&self.refused),
            unit::at_hsm(&self.at_hsm),
            unit::exposure(&self.exposure, &self.drop_ins, &self.attachments),
        ]
    }
}
