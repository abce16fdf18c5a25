//! The bars of the daemon's cage, written down a second time: what systemd-analyze does not count, and what could be taken out of the unit
//! and of its twin for the verbs at the HSM together, is missed here.
//!
//! Leaves to others: system calls and bound files, which lists of their own hold (`packaging.rs`).

use crate::unit::{directives, packaging, values, Directive};
use crate::{AT_HSM, SERVICE};
use std::collections::BTreeSet;
use std::process::Command;

/// Every line of the unit that bars something. A line more is a bar more: it is written down here as well.
const BARS: [&str; 49] = [
    "User=contactpoint",
    "Group=contactpoint",
    "SupplementaryGroups=",
    "UMask=0077",
    "PrivateUsers=yes",
    "KeyringMode=private",
    "CapabilityBoundingSet=",
    "AmbientCapabilities=",
    "NoNewPrivileges=yes",
    "RestrictSUIDSGID=yes",
    "InaccessiblePaths=-+/dev/shm -+/dev/mqueue -+/dev/hugepages",
    "StateDirectory=contactpoint",
    "StateDirectoryMode=0700",
    "LoadCredentialEncrypted=hsm-pin:contactpoint-hsm-pin",
    "StandardInput=null",
    "RootDirectory=/usr/lib/contactpoint/root",
    "MountAPIVFS=yes",
    "PrivateMounts=yes",
    "MountFlags=private",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "PrivateTmp=yes",
    "NoExecPaths=+/etc/contactpoint +/tmp +/var/tmp +/var/lib/contactpoint",
    "RemoveIPC=yes",
    "PrivateIPC=yes",
    "PrivateDevices=yes",
    "DevicePolicy=closed",
    "ProtectKernelTunables=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelLogs=yes",
    "ProtectControlGroups=yes",
    "ProtectClock=yes",
    "ProtectHostname=yes",
    "ProtectProc=invisible",
    "ProcSubset=pid",
    "InaccessiblePaths=+/sys",
    "PrivateNetwork=yes",
    "RestrictAddressFamilies=AF_UNIX",
    "IPAddressDeny=any",
    "SystemCallArchitectures=native",
    "MemoryDenyWriteExecute=yes",
    "LockPersonality=yes",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "LimitCORE=0",
    "LimitMEMLOCK=8M",
    "LimitNOFILE=131072",
    "TasksMax=1024",
    "MemorySwapMax=0",
];

/// Variables that loaders and libraries obey.
const UNSET: [&str; 28] = [
    "GCONV_PATH",
    "GLIBC_TUNABLES",
    "LD_AUDIT",
    "LD_BIND_NOT",
    "LD_DEBUG",
    "LD_DEBUG_OUTPUT",
    "LD_DYNAMIC_WEAK",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "LD_PROFILE",
    "LD_PROFILE_OUTPUT",
    "LOCPATH",
    "MALLOC_ARENA_MAX",
    "MALLOC_ARENA_TEST",
    "MALLOC_CHECK_",
    "MALLOC_MMAP_MAX_",
    "MALLOC_MMAP_THRESHOLD_",
    "MALLOC_PERTURB_",
    "MALLOC_TOP_PAD_",
    "MALLOC_TRIM_THRESHOLD_",
    "NLSPATH",
    "OPENSSL_CONF",
    "OPENSSL_ENGINES",
    "OPENSSL_MODULES",
    "OPENSSL_armcap",
    "OPENSSL_ia32cap",
    "SQLITE_TMPDIR",
    "TMPDIR",
];

/// Directives of [Service] that bar nothing, or whose lines are held elsewhere: the two lists of calls and files, and what makes a daemon.
const OTHERS: [&str; 16] = [
    "BindReadOnlyPaths",
    "Environment",
    "ExecStart",
    "NotifyAccess",
    "Restart",
    "RestartPreventExitStatus",
    "RestartSec",
    "StandardError",
    "StandardOutput",
    "SyslogIdentifier",
    "SystemCallFilter",
    "TimeoutStartSec",
    "TimeoutStopSec",
    "Type",
    "UnsetEnvironment",
    "WatchdogSec",
];

/// What the list has and the unit has not, and the other way round.
fn differences(unit: &[Directive]) -> BTreeSet<String> {
    let listed: BTreeSet<String> = BARS.iter().map(|&bar| bar.to_owned()).collect();
    let bars = unit.iter().filter(|line| line.section == "[Service]" && !OTHERS.contains(&line.name.as_str()));
    let bars: BTreeSet<String> = bars.map(|line| format!("{}={}", line.name, line.value)).collect();
    listed.symmetric_difference(&bars).cloned().collect()
}

#[test]
fn every_bar_of_the_unit_is_one_that_is_written_down() {
    // the unit: gated in tests
    let text = packaging(SERVICE);
    assert_eq!(differences(&directives(&text)), BTreeSet::new());
    for bar in BARS {
        let without = text.replacen(&format!("\n{bar}\n"), "\n", 1);
        assert!(differences(&directives(&without)).contains(bar), "{bar} can be taken out");
        let (name, _) = bar.split_once('=').unwrap();
        let opened = format!("{name}=something else");
        let other = text.replacen(&format!("\n{bar}\n"), &format!("\n{bar}\n{opened}\n"), 1);
        assert_eq!(differences(&directives(&other)), BTreeSet::from([opened]), "{name} can be set a second time");
    }
}

#[test]
fn the_verbs_at_the_hsm_have_smaller_limits_and_no_line_of_their_own() {
    // the unit: gated in tests; `bars_that_differ` holds every other line of theirs against the daemon's
    let (daemon, verbs) = (directives(&packaging(SERVICE)), directives(&packaging(AT_HSM)));
    assert_eq!((values(&verbs, "TasksMax"), values(&verbs, "LimitNOFILE")), (vec!["256".to_owned()], vec!["1024".to_owned()]));
    let own = |verbs: &[Directive]| -> Vec<String> {
        let own = verbs.iter().filter(|line| daemon.iter().all(|other| other.name != line.name));
        own.map(|line| line.name.clone()).collect()
    };
    assert_eq!(own(&verbs), Vec::<String>::new());
    assert_eq!(own(&directives(&format!("{}\nReadWritePaths=/var\n", packaging(AT_HSM)))), ["ReadWritePaths"]);
}

#[test]
fn no_variable_of_the_machine_configures_the_daemon() {
    // the unit: there is no second way to configure it
    let unset = |text: &str| -> BTreeSet<String> {
        let lines = values(&directives(text), "UnsetEnvironment");
        lines.iter().flat_map(|line| line.split(' ').map(str::to_owned).collect::<Vec<_>>()).collect()
    };
    let listed: BTreeSet<String> = UNSET.iter().map(|&name| name.to_owned()).collect();
    let text = packaging(SERVICE);
    assert_eq!(unset(&text), listed);
    assert_ne!(unset(&text.replace(" SQLITE_TMPDIR", "")), listed);
    // this one is for operators: systemd sets it for a louder start
    assert!(!listed.contains("DEBUG_INVOCATION"));
}

#[test]
fn a_release_takes_no_option_of_its_builders_compressors() {
    // packages: reproducible
    let options = ["BZIP", "BZIP2", "GZIP", "XZ_OPT", "XZ_DEFAULTS", "DEB_BUILD_OPTIONS", "DH_OPTIONS"];
    let mut command = Command::new("packaging/release-environment.sh");
    command.arg("env").current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("CARGO_ENCODED_RUSTFLAGS").env("KEPT_BY_IT", "-1");
    let output = command.envs(options.map(|name| (name, "-1"))).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let kept: Vec<&str> = told.lines().filter_map(|line| line.strip_suffix("=-1")).collect();
    assert_eq!(kept, ["KEPT_BY_IT"], "{}", String::from_utf8_lossy(&output.stderr));
}
