//! What the packages put around the daemon: the unit and its exposure, the attachments of HSMs, the bars on media, and the page that
//! tells an operator of them. No root rights are needed: the unit is measured from its file; tests/appliance lives in it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what cannot be read fails the test")]

#[path = "packaging/bars.rs"]
mod bars;
#[path = "packaging/pages.rs"]
mod pages;
#[path = "packaging/unit.rs"]
mod unit;

use contactpoint_settings::Settings;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use unit::{allowed_calls, directives, exposure, mount_points, packaging, value, values, without_reason, Directive};

const SERVICE: &str = "systemd/contactpointd.service";
const SOCKET: &str = "systemd/contactpointd.socket";
const AT_HSM: &str = "systemd/contactpoint-at-hsm-.service.d/sandbox.conf";
/// HSM drop-ins, each with its exposure in tenths. A number that rises is a decision, and stands in the page for operators.
const ATTACHMENTS: [(&str, u32); 5] = [("softhsm", 1), ("pcscd", 1), ("hardserver", 2), ("usb", 2), ("network-hsm", 9)];
/// The gate for the unit alone, in tenths.
const SHUT: u32 = 1;

fn attachment(name: &str) -> String {
    packaging(&format!("systemd/attachments/{name}.conf"))
}

fn with_attachment(name: &str) -> String {
    format!("{}\n{}", packaging(SERVICE), attachment(name))
}

fn page(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

// --- the unit --------------------------------------------------------------------------------------------------------------------------

#[test]
fn the_unit_is_shut() {
    // the unit: exposure <= 0.2 by systemd-analyze security (aim 0.1)
    let (measured, not_understood) = exposure(&packaging(SERVICE));
    assert_eq!((measured, not_understood.as_str()), (SHUT, ""));
}

#[test]
fn a_bar_that_is_taken_out_of_the_unit_is_noticed() {
    // the unit: gated in tests. Each of these alone, in a copy.
    for (bar, weaker) in [
        ("PrivateNetwork=yes", "PrivateNetwork=no"),
        ("RestrictAddressFamilies=AF_UNIX", "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6"),
        ("RootDirectory=/usr/lib/contactpoint/root", ""),
        ("PrivateUsers=yes", ""),
        ("PrivateTmp=yes", ""),
        ("PrivateDevices=yes", "PrivateDevices=no"),
        ("CapabilityBoundingSet=", "CapabilityBoundingSet=CAP_SYS_ADMIN"),
        ("NoNewPrivileges=yes", "NoNewPrivileges=no"),
        ("User=contactpoint", "User=root"),
        ("ProtectSystem=strict", ""),
        ("ProtectHome=yes", ""),
        ("ProtectControlGroups=yes", ""),
        ("ProtectKernelModules=yes", ""),
        ("RestrictNamespaces=yes", ""),
        ("IPAddressDeny=any", ""),
        ("SystemCallFilter=~@privileged @resources @obsolete", "SystemCallFilter=@mount @module @raw-io"),
        ("SystemCallArchitectures=native", ""),
        ("MemoryDenyWriteExecute=yes", ""),
        ("PrivateMounts=yes", "PrivateMount=yes"),
    ] {
        let text = packaging(SERVICE);
        assert!(text.contains(&format!("\n{bar}\n")), "{bar} is not in the unit");
        let (measured, not_understood) = exposure(&text.replace(&format!("\n{bar}\n"), &format!("\n{weaker}\n")));
        assert!(measured > SHUT || !not_understood.is_empty(), "without {bar} the exposure is {measured} tenths");
    }
}

#[test]
fn each_attachment_opens_as_much_as_it_says_and_the_page_says() {
    // the unit: drop-ins for HSM attachments, each with its score
    let operations = page("docs/operations.md");
    for (name, tenths) in ATTACHMENTS {
        assert_eq!(exposure(&with_attachment(name)), (tenths, String::new()), "{name}");
        let figure = format!("{}.{}", tenths / 10, tenths % 10);
        let own = attachment(name).replace("\n# ", " ");
        assert!(own.contains(&format!("Exposure with this drop-in: {figure}.")), "{name} should say {figure}");
        let row = operations.lines().find(|line| line.starts_with(&format!("| `{name}.conf` |")));
        assert!(row.is_some_and(|row| row.ends_with(&format!("| {figure} |"))), "the page's row of {name}: {row:?}");
    }
}

#[test]
fn every_directive_has_its_reason() {
    // security policy is data with a reason on each line
    let attachments = ATTACHMENTS.iter().map(|(name, _)| format!("systemd/attachments/{name}.conf"));
    let units = [SERVICE, SOCKET, AT_HSM, "systemd/contactpointd-refused.target", "systemd/attachments/addresses.conf"];
    for file in units.iter().map(|file| (*file).to_owned()).chain(attachments) {
        let text = packaging(&file);
        assert!(!directives(&text).is_empty(), "{file}");
        assert_eq!(without_reason(&text), Vec::<String>::new(), "{file}");
    }
    assert_eq!(without_reason("[Service]\n# Nobody else reads it.\nUMask=0077\n\nUser=root\n"), ["User=root"]);
    assert_eq!(without_reason("# Far above.\n\n[Service]\nUser=root\n"), ["User=root"]);
}

#[test]
fn every_line_of_the_other_lists_has_its_reason() {
    // security policy is data with a reason on each line
    for file in
        ["sysusers.d/contactpoint.conf", "tmpfiles.d/contactpoint.conf", "modprobe.d/contactpoint.conf", "udev/60-contactpoint-media.rules"]
    {
        assert_eq!(bare_lines(&packaging(file)), Vec::<String>::new(), "{file}");
    }
    let tree = packaging("systemd/root-tree");
    let bare = tree.lines().filter(|line| !line.starts_with('#') && !line.contains("  # "));
    assert_eq!(bare.collect::<Vec<_>>(), Vec::<&str>::new());
    assert_eq!(bare_lines("# why\ninstall a /bin/false\ninstall b /bin/false\n"), ["install b /bin/false"]);
}

/// Lines with no comment right above them.
fn bare_lines(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let bare = lines.windows(2).filter(|pair| !pair[1].is_empty() && !pair[1].starts_with('#') && !pair[0].starts_with('#'));
    bare.map(|pair| pair[1].to_owned()).collect()
}

#[test]
fn descriptors_suffice_for_the_most_connections_that_can_be_set() {
    // config/contactpointd.toml, limits: LimitNOFILE= in the unit must be higher
    let most = 65_536;
    let settings = |count: u64| Settings::parse(&format!("[limits]\nconnections_total = {count}\n"), Path::new("contactpointd.toml"));
    assert!(settings(most).is_ok() && settings(most + 1).is_err(), "the settings allow another number now");
    let limit: u64 = value(&directives(&packaging(SERVICE)), "LimitNOFILE").unwrap().parse().unwrap();
    assert!(limit > most * 3 / 2 + 100, "{limit}");
}

#[test]
fn the_unit_lets_the_daemons_own_system_calls_through() {
    // own locks: the unit's filter allows what the daemon's own list allows, and the start-up
    let unit = directives(&packaging(SERVICE));
    let list = page("config/syscalls.conf");
    let asked: BTreeSet<&str> = list
        .lines()
        .filter(|line| !line.starts_with(['#', '[']) && !line.contains("-> "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(asked.contains("futex") && asked.contains("pwrite64"), "the list is written in another way now: {asked:?}");
    assert_eq!(refused(&asked, &unit), Vec::<&str>::new());
    let start_up = [
        "landlock_create_ruleset",
        "landlock_add_rule",
        "landlock_restrict_self",
        "seccomp",
        "prctl",
        "prlimit64",
        "mlock",
        "execve",
        "capget",
    ];
    assert_eq!(refused(&BTreeSet::from(start_up), &unit), Vec::<&str>::new());
    let weakened = directives(&packaging(SERVICE).replace("SystemCallFilter=~@aio", "SystemCallFilter=~@aio futex"));
    assert_eq!(refused(&asked, &weakened), ["futex"]);
}

#[test]
fn the_unit_refuses_the_system_calls_that_no_service_of_ours_needs() {
    // G5: no mount, no module, no raw device; G1: no ptrace
    let unit = directives(&packaging(SERVICE));
    let never = ["mount", "umount2", "init_module", "finit_module", "ptrace", "reboot", "swapon", "iopl", "bpf", "io_uring_setup"];
    let more = ["memfd_create", "process_vm_readv", "keyctl", "setuid", "chroot", "pivot_root", "personality", "userfaultfd", "mknod"];
    let let_through = |unit: &[Directive]| {
        let allowed = allowed_calls(unit);
        never.iter().chain(&more).filter(|call| allowed.contains(**call)).copied().collect::<Vec<_>>()
    };
    assert_eq!(let_through(&unit), Vec::<&str>::new());
    let weakened = directives(&packaging(SERVICE).replace("SystemCallFilter=clone\n", "SystemCallFilter=clone ptrace\n"));
    assert_eq!(let_through(&weakened), ["ptrace"]);
}

/// Calls that the unit does not let through.
fn refused<'a>(calls: &BTreeSet<&'a str>, unit: &[Directive]) -> Vec<&'a str> {
    let allowed = allowed_calls(unit);
    calls.iter().filter(|call| !allowed.contains(**call)).copied().collect()
}

#[test]
fn a_refusal_to_start_is_final_until_an_operator_mends_it() {
    // keys: a refused PIN is never tried again by itself; not by systemd, and not by a caller's connection
    let service = directives(&packaging(SERVICE));
    assert_eq!(value(&service, "RestartPreventExitStatus").unwrap(), "78 64 65 66 80 81 82 83");
    assert_eq!(value(&service, "OnFailure").unwrap(), "contactpointd-refused.target");
    let refused = directives(&packaging("systemd/contactpointd-refused.target"));
    assert_eq!(value(&refused, "Conflicts").unwrap(), "contactpointd.socket");
}

#[test]
fn the_control_socket_is_roots_alone() {
    // J1: control socket, 0600, for root
    let socket = directives(&packaging(SOCKET));
    assert_eq!(values(&socket, "ListenStream"), ["8443", "/run/contactpoint/control.sock"]);
    assert_eq!(value(&socket, "SocketMode").unwrap(), "0600");
    assert_eq!(value(&socket, "SocketUser").unwrap(), "root");
}

// --- the root, the names, the verbs at the HSM -----------------------------------------------------------------------------------------

#[test]
fn the_empty_root_has_a_mount_point_for_everything_that_is_bound() {
    // the unit: an empty tree and read-only binds
    let tree = tree();
    for file in [SERVICE, AT_HSM].map(packaging).into_iter().chain(ATTACHMENTS.iter().map(|(name, _)| with_attachment(name))) {
        let missing: Vec<String> = mount_points(&directives(&file)).difference(&tree).cloned().collect();
        assert_eq!(missing, Vec::<String>::new());
    }
    let planted = format!("{}\n[Service]\nBindPaths=/srv/media\n", packaging(SERVICE));
    assert!(!mount_points(&directives(&planted)).is_subset(&tree));
}

#[test]
fn the_empty_root_has_nothing_that_nobody_binds() {
    // the unit: an empty tree and read-only binds
    let files = [SERVICE, AT_HSM].map(packaging).into_iter().chain(ATTACHMENTS.iter().map(|(name, _)| with_attachment(name)));
    let bound: BTreeSet<String> = files.flat_map(|file| mount_points(&directives(&file))).collect();
    let api = ["/dev", "/home", "/proc", "/root", "/run", "/sys", "/tmp", "/var/tmp"];
    let holds = |folder: &str| bound.iter().any(|path| path == folder || path.starts_with(&format!("{folder}/")));
    let idle: Vec<String> = tree().into_iter().filter(|path| !api.contains(&path.as_str()) && !holds(path)).collect();
    assert_eq!(idle, Vec::<String>::new());
}

/// The folders and files of the daemon's root; links left out.
fn tree() -> BTreeSet<String> {
    let text = packaging("systemd/root-tree");
    let entries = text.lines().filter(|line| line.starts_with("d ") || line.starts_with("f "));
    entries.filter_map(|line| line.split_whitespace().nth(1)).map(str::to_owned).collect()
}

#[test]
fn the_unit_starts_what_the_package_installs() {
    // packages: daemon, contactpointctl, unit, socket, sysusers, tmpfiles
    let service = directives(&packaging(SERVICE));
    assert_eq!(value(&service, "ExecStart").unwrap(), "/usr/sbin/contactpointd");
    assert_eq!(value(&service, "LoadCredentialEncrypted").unwrap(), "hsm-pin:contactpoint-hsm-pin");
    let installed = packaging("debian/contactpoint.install");
    for line in [
        "programs/contactpointd usr/sbin",
        "programs/contactpointctl usr/sbin",
        "packaging/contactpoint-at-hsm usr/sbin",
        "packaging/systemd/contactpointd.service lib/systemd/system",
        "packaging/systemd/contactpointd.socket lib/systemd/system",
        "packaging/systemd/*.target lib/systemd/system",
        "packaging/systemd/contactpoint-at-hsm-.service.d/sandbox.conf lib/systemd/system/contactpoint-at-hsm-.service.d",
        "packaging/systemd/attachments/*.conf usr/share/contactpoint/attachments",
        "packaging/sysusers.d/contactpoint.conf usr/lib/sysusers.d",
        "packaging/tmpfiles.d/contactpoint.conf usr/lib/tmpfiles.d",
        "packaging/modprobe.d/*.conf lib/modprobe.d",
        "packaging/udev/*.rules lib/udev/rules.d",
    ] {
        assert!(installed.lines().any(|installs| installs == line), "the package does not install: {line}");
    }
    for (directive, line) in [("User", "u     contactpoint"), ("StateDirectory", "/var/lib/contactpoint ")] {
        let name = value(&service, directive).unwrap();
        assert_eq!(name, "contactpoint");
        let lists = packaging("sysusers.d/contactpoint.conf") + &packaging("tmpfiles.d/contactpoint.conf");
        assert!(lists.contains(line), "{line}");
    }
}

#[test]
fn the_verbs_at_the_hsm_run_in_the_daemons_own_cage() {
    // first hour: an operator exports nothing by hand; the same user, credential and bars
    let (daemon, verbs) = (directives(&packaging(SERVICE)), directives(&packaging(AT_HSM)));
    assert_eq!(bars_that_differ(&daemon, &verbs), Vec::<String>::new());
    let weaker = packaging(AT_HSM).replace("PrivateNetwork=yes", "PrivateNetwork=no");
    assert_eq!(bars_that_differ(&daemon, &directives(&weaker)), ["PrivateNetwork"]);
}

/// Directives of the daemon's [Service] that the verbs have otherwise, but for those that make a daemon of it and the program's name.
fn bars_that_differ(daemon: &[Directive], verbs: &[Directive]) -> Vec<String> {
    const A_DAEMONS: [&str; 13] = [
        "Type",
        "NotifyAccess",
        "ExecStart",
        "TimeoutStartSec",
        "TimeoutStopSec",
        "WatchdogSec",
        "Restart",
        "RestartSec",
        "RestartPreventExitStatus",
        "StandardInput",
        "StandardOutput",
        "StandardError",
        "SyslogIdentifier",
    ];
    // fewer files and threads; no locks of their own to put on; no journal
    const SMALLER: [&str; 4] = ["LimitNOFILE", "TasksMax", "SystemCallFilter", "BindReadOnlyPaths"];
    let names: BTreeSet<&str> = daemon.iter().filter(|bar| bar.section == "[Service]").map(|bar| bar.name.as_str()).collect();
    let bars = names.into_iter().filter(|name| !A_DAEMONS.contains(name) && !SMALLER.contains(name));
    let ours = |name: &str| values(daemon, name).join("\n").replace("/usr/sbin/contactpointd", "/usr/sbin/contactpointctl");
    let differ = bars.filter(|name| ours(name) != values(verbs, name).join("\n"));
    let mut differ: Vec<String> = differ.map(str::to_owned).collect();
    if !allowed_calls(verbs).is_subset(&allowed_calls(daemon)) {
        differ.push("SystemCallFilter".to_owned());
    }
    differ
}

#[test]
fn verbs_that_do_not_need_the_hsm_are_refused_with_a_sentence() {
    // first hour: refusals say what to do next
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/contactpoint-at-hsm");
    for (arguments, said) in [
        (vec![], "name a verb"),
        (vec!["log-in"], "run contactpointctl log-in"),
        (vec!["--help"], "name a verb"),
        (vec!["certificate-request", "--name", "a.example", "--out", "a.csr"], "redirect the output"),
    ] {
        let output = Command::new("sh").arg(&script).args(&arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(64), "{arguments:?}");
        assert!(String::from_utf8(output.stderr).unwrap().contains(said), "{arguments:?}");
    }
}

#[test]
fn a_log_in_whose_session_could_not_be_kept_asks_nobody() {
    // C2: a code works once; it is not spent on a session that has no place to be kept
    let line = ["log-in", "--password-stdin", "--code", "123456", "--socket", "/nonexistent/control.sock"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_contactpointctl"));
    let output = command.args(line).env_remove("XDG_RUNTIME_DIR").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(64) && said.contains("--session-file is needed"), "{said}");
}

#[test]
fn every_place_that_names_the_version_names_this_one() {
    // packages: of one version, whoever asks them
    let version = env!("CARGO_PKG_VERSION");
    for (place, line) in [
        ("packaging/man/contactpoint-at-hsm.8", format!("\"contactpoint {version}\" \"contactpoint manual\"")),
        ("selinux/contactpointd.te", format!("policy_module(contactpointd, {version})")),
        ("README.md", format!("\nVersion {}:", version.rsplit_once('.').unwrap().0)),
    ] {
        assert!(page(place).contains(&line), "{place} does not say {line:?}");
    }
    let changes = page("CHANGELOG.md");
    let newest = changes.lines().find(|line| line.starts_with("## [")).unwrap();
    assert!(newest.starts_with(&format!("## [{version}] - ")), "{newest}");
    assert!(page("packaging/debian/changelog").starts_with(&format!("contactpoint ({version})")));
}

#[test]
fn every_man_page_renders_without_a_warning() {
    // packages: man pages; what man(1) warns of, lintian refuses
    assert!(!warnings(".TH A 8\n.SH NAME\na \\- b\n.nosuchrequest\n").is_empty());
    let by_hand = ["man/contactpoint-at-hsm.8"].map(|page| (page.to_owned(), packaging(page)));
    let made = [env!("CARGO_BIN_EXE_contactpointctl"), env!("CARGO_BIN_EXE_contactpoint")].into_iter().flat_map(pages_of);
    let pages: Vec<(String, String)> = made.chain(by_hand).collect();
    assert!(pages.len() > 25, "{} pages", pages.len());
    for (name, page) in pages {
        assert_eq!(warnings(&page), "", "{name}");
    }
}

/// Every page that a program has, by its file's name.
fn pages_of(program: &str) -> Vec<(String, String)> {
    let manual = |argument: &str| {
        let output = Command::new(program).args(["manual", argument]).output().unwrap();
        assert!(output.status.success(), "{program} manual {argument}");
        String::from_utf8(output.stdout).unwrap()
    };
    manual("--list").lines().map(|name| (name.to_owned(), manual(name))).collect()
}

/// What the formatter says of a page beside the page itself.
fn warnings(page: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page");
    std::fs::write(&file, page).unwrap();
    let told =
        Command::new("man").args(["--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z"]).arg(&file).env("MANWIDTH", "80").output().unwrap();
    assert!(told.status.success(), "man: run `make deps`");
    String::from_utf8(told.stderr).unwrap()
}

// --- no physical media -----------------------------------------------------------------------------------------------------------------

#[test]
fn drivers_of_media_are_not_loaded() {
    // G5: there is no way to physical media
    let barred = barred(&packaging("modprobe.d/contactpoint.conf"));
    for module in [
        "usb-storage",
        "uas",
        "firewire-core",
        "firewire-ohci",
        "firewire-sbp2",
        "thunderbolt",
        "mmc_block",
        "sdhci",
        "floppy",
        "cdrom",
        "sr_mod",
        "st",
        "sg",
        "pktcdvd",
        "memstick",
        "bluetooth",
        "nbd",
        "usbip-core",
    ] {
        assert!(barred.contains(module), "{module} can be loaded");
    }
    assert!(!self::barred("blacklist usb-storage\n").contains("usb-storage"), "a blacklist does not stop a load by name");
    assert!(!self::barred("install usb-storage /bin/true\n").contains("usb-storage"));
}

/// Modules that neither an alias nor a name loads.
fn barred(text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("install ")?.strip_suffix(" /bin/false"));
    lines.map(str::to_owned).collect()
}

// --- the page for operators ------------------------------------------------------------------------------------------------------------

#[test]
fn every_refusal_and_alarm_that_the_page_quotes_is_one_that_is_said() {
    // first hour: refusals at start say what to do next
    let said = sources();
    let operations = page("docs/operations.md");
    let quoted = quoted_lines(&operations);
    assert!(quoted.len() > 25, "the tables are written in another way now: {quoted:?}");
    for fragment in quoted {
        assert!(said.contains(&fragment), "nothing says: {fragment}");
    }
    assert!(!said.contains("the moon refused the PIN"));
}

/// What stands in backticks in the first column of the two tables, in pieces without the places that are filled in; systemd's own left out.
fn quoted_lines(page: &str) -> Vec<String> {
    let tables = page.split("\n## ").filter(|part| part.starts_with("When it refuses") || part.starts_with("Alarms"));
    let rows = tables.flat_map(|part| part.lines().filter(|line| line.starts_with("| ")));
    let first = rows.filter_map(|row| row.split(" | ").next()).filter(|cell| !cell.contains("(systemd)") && !cell.contains("SELinux"));
    let ticked = first.flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>());
    let pieces = ticked.flat_map(|text| text.split("...").map(|piece| piece.trim().to_owned()).collect::<Vec<_>>());
    let pieces = pieces.flat_map(|text| text.split(" N of T ").map(|piece| piece.trim().to_owned()).collect::<Vec<_>>());
    pieces.filter(|piece| piece.len() > 4 && piece != "at src/" && !piece.ends_with(".target")).collect()
}

/// Every source below src, with continued strings on one line.
fn sources() -> String {
    let (mut text, mut folders) = (String::new(), vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")]);
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text += &std::fs::read_to_string(path).unwrap();
            }
        }
    }
    let pieces: Vec<&str> = text.split("\\\n").enumerate().map(|(at, piece)| if at == 0 { piece } else { piece.trim_start() }).collect();
    pieces.concat()
}

#[test]
fn the_page_names_every_attachment_and_the_way_to_each_next_step() {
    // first hour: as docs/operations.md tells it
    let operations = page("docs/operations.md");
    for step in ["install", "attach", "token", "pin", "settings", "ceremony", "request", "certificates", "start", "log-in", "enrol"] {
        assert!(operations.contains(&format!("\n```sh first-hour {step}\n")), "{step}");
    }
    for step in ["owner-log-in", "sponsor", "accredit", "suspend", "resume", "add-certificate", "remove-certificate"] {
        assert!(operations.contains(&format!("\n```sh first-hour {step}\n")), "{step}");
    }
    for step in ["renew-list", "renew-certificate", "journal", "upgrade", "remove", "decommission", "purge"] {
        assert!(operations.contains(&format!("\n```sh first-hour {step}\n")), "{step}");
    }
    let player = page("tests/appliance/first-hour/inside.sh");
    let blocks = operations.lines().filter_map(|line| line.strip_prefix("```sh first-hour "));
    for block in blocks {
        let played = player.lines().any(|line| line.trim_start() == format!("play {block}"));
        assert!(played, "the test does not play the block {block}");
    }
}
