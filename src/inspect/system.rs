//! The running system as it was read, in one piece, and every check over it in order.

use crate::daemon::{self, Evidence};
use crate::door::Door;
use crate::reading::Reading;
use crate::sockets::Sockets;
use crate::units::Units;
use crate::{disk, files, in_force, installed, machine, media, memory, package, process, reach, root_tree, slices, socket_unit, tls, udev};
use contactpoint_assurance::Observation;
use std::path::{Path, PathBuf};

/// What to look at.
#[derive(Debug, Clone)]
pub struct Target {
    /// The daemon's process; systemd's main process of the unit where none is given.
    pub pid: Option<u32>,
    /// The state directory.
    pub state: PathBuf,
    /// The configuration directory.
    pub configuration: PathBuf,
    /// The control socket.
    pub control_socket: PathBuf,
    /// This program's version.
    pub version: String,
    /// The settings that would be in force without a file, as TOML.
    pub defaults: String,
    /// Now, in seconds since 1970.
    pub now: u64,
}

/// Everything that was read.
#[derive(Debug, Clone)]
pub struct System {
    target: Target,
    evidence: Evidence,
    pid: Option<u32>,
    threads: Vec<Reading>,
    children: Vec<Reading>,
    owner: Reading,
    limits: Reading,
    namespaces: Reading,
    machine_namespaces: Reading,
    interfaces: Reading,
    context: Reading,
    enforce: Reading,
    decision: Reading,
    booleans: Reading,
    environ: Reading,
    code_files: Reading,
    settings_files: Reading,
    maps: Reading,
    smaps: Reading,
    program: Reading,
    program_bytes: Reading,
    descriptors: Reading,
    sockets: Sockets,
    mountinfo: Reading,
    machine_mountinfo: Reading,
    bounds: Reading,
    units: Units,
    door: Door,
}

impl System {
    /// Reads the process, the unit and the door. What cannot be read is unseen, with the reason.
    #[must_use]
    pub fn read(target: Target, evidence: Evidence) -> Self {
        let units = Units::read(target.pid);
        let pid = units.pid;
        let of = |name: &str| pid.map_or_else(|| not_running(name), |pid| machine::file(format!("/proc/{pid}/{name}")));
        let (descriptors, sockets) = held(pid);
        let (context, maps) = (of("attr/current"), of("maps"));
        Self {
            threads: pid.map_or_else(|| vec![not_running("status")], |pid| machine::of_each_thread(pid, "status")),
            children: pid.map_or_else(|| vec![not_running("children")], |pid| machine::of_each_thread(pid, "children")),
            owner: pid.map_or_else(|| not_running("status"), |pid| machine::owner(&format!("/proc/{pid}/status"))),
            limits: of("limits"),
            namespaces: pid.map_or_else(|| not_running("ns"), |pid| machine::namespaces(&pid.to_string())),
            machine_namespaces: machine::namespaces_of_machine(),
            interfaces: of("net/dev"),
            decision: machine::selinux_decision(&context),
            context,
            enforce: machine::file("/sys/fs/selinux/enforce"),
            booleans: machine::selinux_booleans(),
            environ: of("environ"),
            code_files: pid.map_or_else(|| not_running("map_files"), |pid| machine::code_files(pid, &maps)),
            settings_files: pid.map_or_else(|| not_running("root"), |pid| machine::seen_by(pid, &target.configuration)),
            maps,
            smaps: of("smaps"),
            program_bytes: pid.map_or_else(|| not_running("exe"), machine::program_bytes),
            program: pid.map_or_else(|| not_running("exe"), |pid| machine::link(format!("/proc/{pid}/exe"))),
            mountinfo: of("mountinfo"),
            machine_mountinfo: machine::file("/proc/self/mountinfo"),
            bounds: pid.map_or_else(|| not_running("cgroup"), machine::bounds),
            door: knocked(&descriptors, &sockets),
            pid,
            units,
            descriptors,
            sockets,
            evidence,
            target,
        }
    }

    /// Every check, in the order of the catalogue. Files, devices and the package are read now.
    #[must_use]
    pub fn observations(&self) -> Vec<Observation> {
        let mut observations = self.of_process();
        observations.extend(self.of_reach());
        observations.extend(self.of_unit_and_process());
        observations.extend(self.units.observations());
        observations.extend(self.of_files());
        observations.extend(self.of_media());
        observations.extend(self.of_door());
        observations.extend(self.of_daemon());
        observations.extend(self.of_package());
        observations
    }

    fn of_process(&self) -> Vec<Observation> {
        let status = &self.threads[0];
        let mut observations = vec![
            process::identity(&self.threads),
            process::is_contactpoint(&self.threads, &machine::file("/etc/passwd")),
            process::environment(&self.environ),
            process::seccomp(&self.threads),
            process::no_children(&self.children),
            process::no_new_privs(&self.threads),
            process::capabilities(&self.threads),
        ];
        observations.extend(process::NAMESPACES.map(|kind| process::namespace(kind, &self.namespaces, &self.machine_namespaces)));
        observations.extend([
            process::interfaces(&self.interfaces),
            process::core_limit(&self.limits),
            process::not_dumpable(status, &self.owner),
            process::not_traced(&self.threads),
            memory::write_execute(&self.maps),
            memory::libraries(&self.maps, &self.program, self.evidence.at("/hsm/module").and_then(|module| module.as_str())),
            memory::code_files(&self.code_files),
            memory::settings_files(&self.settings_files),
            memory::locked_memory(&self.smaps),
            process::selinux_domain(&self.context, &self.enforce),
            process::selinux_enforcing(&self.enforce),
            process::selinux_domain_refuses(&self.decision),
            process::selinux_booleans(&self.booleans, self.evidence.hsm_attachment().as_deref()),
        ]);
        observations
    }

    /// What the unit gives against what the process got.
    fn of_unit_and_process(&self) -> Vec<Observation> {
        let (show, pid) = (&self.units.service, self.pid);
        let held: Vec<&str> =
            self.descriptors.text.as_deref().map(|text| reach::descriptors(text).map(|open| open.target).collect()).unwrap_or_default();
        vec![
            in_force::filters(&self.threads, show, &self.units.start.manager, pid),
            in_force::limits(&self.limits, show, pid),
            in_force::umask(&self.threads[0], show, pid),
            in_force::bounds(&self.bounds, show, pid),
            in_force::groups(&self.threads[0], show, &machine::file("/etc/group")),
            in_force::hidden(&self.mountinfo, show, pid),
            slices::addresses(&self.slices()),
            socket_unit::doors(&self.units.socket, &self.descriptors, &self.sockets, &held),
        ]
    }

    fn slices(&self) -> Reading {
        let names = slices::above(&[&self.units.service, &self.units.socket]);
        let asked = ["show", "--all", "--no-pager", "--property=Id,IPAddressAllow,IPAddressDeny", "--"];
        let arguments: Vec<&str> = asked.into_iter().chain(names.iter().map(String::as_str)).collect();
        machine::command("systemctl", &arguments)
    }

    fn of_reach(&self) -> Vec<Observation> {
        let mut places = vec![self.target.state.display().to_string()];
        places.extend(self.evidence.hsm_paths("writes"));
        // settings of before 0.4 name a trial's tokens (SoftHSM) among what is read, and the unit mounts them to be written
        let mounted = [places.clone(), self.evidence.hsm_paths("reads")].concat();
        vec![
            reach::standard_streams(&self.descriptors, &self.sockets),
            reach::devices(&self.descriptors),
            reach::open_files(&self.descriptors, &places),
            reach::sockets(&self.descriptors, &self.sockets, self.evidence.hsm_port()),
            reach::mounts(&self.mountinfo, &mounted),
        ]
    }

    fn of_files(&self) -> Vec<Observation> {
        let status = self.threads[0].text.as_deref().ok();
        // whether these are the ids of the user contactpoint is process.user's look
        let own = |ids| status.and_then(|status| process::field(status, ids)?.split_whitespace().next());
        let (user, group) = (own("Uid"), own("Gid"));
        let folder = self.target.control_socket.parent().map(Path::to_path_buf);
        vec![
            files::state(&machine::listing(&self.target.state), user),
            files::configuration(&machine::listing(&self.target.configuration), group),
            files::credential(&installed::pin()),
            files::control(&machine::listing(&self.target.control_socket), &disk::existing(folder.as_slice(), false)),
            files::packaged(&installed::packages()),
            files::installed(&installed::shipped(), &disk::existing(&self.units.folders_of_drop_ins(), true)),
            root_tree::empty(&disk::tree(root_tree::TOP)),
        ]
    }

    fn of_media(&self) -> Vec<Observation> {
        let (devices, rules) = (machine::block_devices(), machine::udev_rules());
        vec![
            media::modprobe(&machine::command("modprobe", &["--showconfig"])),
            media::loader(&machine::file("/proc/sys/kernel/modprobe")),
            media::modules(&machine::file("/proc/modules")),
            media::devices(&devices),
            udev::rules(&rules),
            udev::others(&rules, self.evidence.hsm_attachment().as_deref()),
            udev::runs(&machine::command("systemctl", &["show", "--no-pager", "--property=ActiveState", "systemd-udevd.service"])),
            media::mounts(&devices, &[&self.machine_mountinfo, &self.mountinfo]),
        ]
    }

    fn of_door(&self) -> Vec<Observation> {
        let mut observations = tls::as_a_stranger(&self.door, self.target.now);
        observations.push(tls::revocation_list(&self.evidence, self.target.now));
        observations
    }

    fn of_daemon(&self) -> Vec<Observation> {
        vec![
            daemon::keys(&self.evidence),
            daemon::hardware(&self.evidence),
            daemon::cipher(&self.evidence),
            daemon::store_file(&machine::beginning(&self.target.state.join("store.db"))),
            daemon::durability(&self.evidence),
            daemon::log_head(&self.evidence, &machine::file(self.target.state.join("log-verifier-key.txt"))),
            daemon::settings(&self.evidence, &self.target.defaults),
            daemon::landlock(&self.evidence),
            daemon::seccomp(&self.evidence),
        ]
    }

    fn of_package(&self) -> Vec<Observation> {
        let installed = machine::command("dpkg-query", &["-W", "-f", "${Version}", "contactpoint"]);
        vec![
            package::version(&self.evidence, &installed, &self.target.version),
            package::program(&self.program),
            package::program_bytes(&self.program_bytes),
            package::sbom(&machine::lists_of_parts("/usr/share/doc/contactpoint")),
        ]
    }
}

fn not_running(name: &str) -> Reading {
    Reading::unseen(format!("/proc/PID/{name}"), "contactpointd does not run")
}

/// The descriptors that were open both before and after the tables of sockets were read: what came and went meanwhile is in no table.
fn held(pid: Option<u32>) -> (Reading, Sockets) {
    let Some(pid) = pid else { return (not_running("fd"), Sockets::default()) };
    let before = machine::descriptors(pid);
    let tcp = ["/proc/self/net/tcp", "/proc/self/net/tcp6"].map(machine::file);
    let unix = ["/proc/self/net/unix".to_owned(), format!("/proc/{pid}/net/unix")].map(machine::file);
    let mut after = machine::descriptors(pid);
    if let (Ok(before), Ok(text)) = (&before.text, &mut after.text) {
        let stayed: Vec<&str> = text.lines().filter(|line| before.lines().any(|other| other == *line)).collect();
        *text = stayed.join("\n");
    }
    (after, Sockets::of(&tcp, &unix))
}

/// Knocks where the process listens, as the kernel shows it.
fn knocked(descriptors: &Reading, sockets: &Sockets) -> Door {
    let text = match &descriptors.text {
        Ok(text) => text,
        Err(why) => return Door::not_found(why),
    };
    let held: Vec<&str> = reach::descriptors(text).map(|open| open.target).collect();
    match sockets.listening(&held).as_slice() {
        [address, ..] => Door::knocked_at(*address),
        [] => Door::not_found("the process holds no listening TCP socket of this machine"),
    }
}
