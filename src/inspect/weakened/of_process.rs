//! The process: status, limits, namespaces, memory, descriptors, mounts.

use super::{nothing, one_change_turns, text};
use crate::reading::Reading;
use crate::sockets::Sockets;
use crate::{memory, process, reach, slices};
use contactpoint_assurance::{Observation, Verdict};

const STATUS: &str = "Name:\tcontactpointd\nUmask:\t0077\nState:\tS (sleeping)\nTgid:\t812\nPid:\t812\nPPid:\t1\nTracerPid:\t0\n\
    Uid:\t997\t997\t997\t997\nGid:\t996\t996\t996\t996\nVmLck:\t      36 kB\nCoreDumping:\t0\nThreads:\t5\n\
    CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapBnd:\t0000000000000000\nCapAmb:\t0000000000000000\n\
    NoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t23\n";

/// The check over a process of one thread.
fn of_one(check: impl Fn(&[Reading]) -> Observation) -> impl Fn(&Reading) -> Observation {
    move |status| check(std::slice::from_ref(status))
}

#[test]
fn each_line_of_the_status_turns_its_own_verdict() {
    // G5: refused by seccomp; G1: no core file, no debugger
    one_change_turns(
        of_one(process::seccomp),
        STATUS,
        &[("Seccomp:\t2", "Seccomp:\t0"), ("Seccomp:\t2", "Seccomp:\t1"), ("filters:\t23", "filters:\t0")],
    );
    one_change_turns(of_one(process::no_new_privs), STATUS, &[("NoNewPrivs:\t1", "NoNewPrivs:\t0")]);
    let raised = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]
        .map(|set| (format!("{set}:\t0000000000000000"), format!("{set}:\t0000000000200000")));
    let raised: Vec<(&str, &str)> = raised.iter().map(|(good, bad)| (good.as_str(), bad.as_str())).collect();
    one_change_turns(of_one(process::capabilities), STATUS, &raised);
    let as_root = [
        ("Uid:\t997\t997\t997\t997", "Uid:\t0\t0\t0\t0"),
        ("Gid:\t996\t996", "Gid:\t996\t0"),
        ("Uid:\t997\t997\t997", "Uid:\t997\t997\t0"),
    ];
    one_change_turns(of_one(process::identity), STATUS, &as_root);
    one_change_turns(of_one(process::not_traced), STATUS, &[("TracerPid:\t0", "TracerPid:\t4711")]);
    one_change_turns(|status| process::not_dumpable(status, &text("0")), STATUS, &[("CoreDumping:\t0", "CoreDumping:\t1")]);
}

#[test]
fn another_user_than_contactpoint_is_told_though_it_is_not_root() {
    // G5: the daemon runs as a user of its own, in every thread
    let users = "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534::/:/bin/false\ncontactpoint:x:997:996::/var/lib/contactpoint:/usr/sbin/nologin\n";
    let is_contactpoint = |status: &Reading| process::is_contactpoint(std::slice::from_ref(status), &text(users));
    one_change_turns(is_contactpoint, STATUS, &[("Uid:\t997", "Uid:\t65534"), ("Gid:\t996", "Gid:\t65534")]);
    let thread = Reading::seen("/proc/812/task/815/status", STATUS.replace("997", "65534"));
    assert_eq!(process::is_contactpoint(&[text(STATUS), thread], &text(users)).verdict, Verdict::Fails);
    assert_eq!(process::is_contactpoint(&[text(STATUS)], &text("root:x:0:0::/root:/bin/sh\n")).verdict, Verdict::Fails);
    assert_eq!(process::is_contactpoint(&[text(STATUS)], &nothing()).verdict, Verdict::Unseen);
}

#[test]
fn a_variable_that_neither_the_unit_nor_systemd_sets_is_told_by_its_name_alone() {
    // G5: nothing steers what the loader and the libraries load
    let environ = "LANG=C.UTF-8\0PATH=/usr/bin\0LC_TIME=C\0INVOCATION_ID=0123\0CREDENTIALS_DIRECTORY=/run/credentials/x\0";
    let others = ["LD_PRELOAD", "LD_DEBUG", "OPENSSL_CONF", "SQLITE_TMPDIR", "GCONV_PATH", "LOCPATH", "DEBUG_INVOCATION", "LISTEN_FDS_X"];
    for name in others {
        one_change_turns(process::environment, environ, &[("INVOCATION_ID=0123", &format!("{name}=/secret"))]);
        let seen = process::environment(&text(&format!("{environ}{name}=/secret\0")));
        assert!(seen.evidence.iter().any(|evidence| evidence.value == name), "{seen:?}");
        assert!(!format!("{seen:?}").contains("secret"), "{seen:?}");
    }
    assert_eq!(process::environment(&text("")).verdict, Verdict::Unseen);
}

#[test]
fn one_thread_outside_is_enough() {
    // G5; findings: what is applied to one thread is not applied to those that exist already
    let loose = Reading::seen(
        "/proc/812/task/815/status",
        STATUS.replace("Seccomp:\t2", "Seccomp:\t0").replace("NoNewPrivs:\t1", "NoNewPrivs:\t0"),
    );
    let threads = [text(STATUS), loose];
    for observation in [process::seccomp(&threads), process::no_new_privs(&threads)] {
        assert_eq!(observation.verdict, Verdict::Fails);
        assert!(observation.evidence.iter().any(|evidence| evidence.source.ends_with("815/status")), "{observation:?}");
    }
    assert_eq!(process::capabilities(&threads).verdict, Verdict::Holds);
    assert_eq!(process::capabilities(&[]).verdict, Verdict::Unseen);
}

#[test]
fn a_kernel_that_shows_less_has_not_shown_it() {
    // J1: unseen is never "holds"
    let old = STATUS.replace("Seccomp_filters:\t23\n", "").replace("NoNewPrivs:\t1\n", "");
    assert_eq!(process::seccomp(&[text(&old)]).verdict, Verdict::Unseen);
    assert_eq!(process::no_new_privs(&[text(&old)]).verdict, Verdict::Unseen);
}

#[test]
fn a_process_whose_files_are_its_own_can_be_dumped() {
    // G1: no dump. proc(5): the files of one that is not dumpable belong to root
    one_change_turns(|owner| process::not_dumpable(&text(STATUS), owner), "0", &[("0", "997")]);
    // as root it cannot be told
    let as_root = STATUS.replace("Uid:\t997\t997\t997\t997", "Uid:\t0\t0\t0\t0");
    assert_eq!(process::not_dumpable(&text(&as_root), &text("0")).verdict, Verdict::Unseen);
}

#[test]
fn a_core_limit_above_zero_is_told_soft_or_hard() {
    // G1: no core file
    let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
        Max stack size            8388608              unlimited            bytes     \n\
        Max core file size        0                    0                    bytes     \n\
        Max locked memory         8388608              8388608              bytes     \n";
    let raised = [
        ("size        0                    0 ", "size        0                    unlimited "),
        ("size        0                    0 ", "size        4096                 unlimited "),
    ];
    one_change_turns(process::core_limit, limits, &raised);
}

#[test]
fn a_namespace_that_is_the_machines_is_told() {
    // B5: the daemon opens no outbound connection; G5
    let machine = text("net net:[4026531833]\nmnt mnt:[4026531832]\nuser user:[4026531837]\nipc ipc:[4026531839]\nuts uts:[4026531838]\n");
    let own = "net net:[4026532301]\nmnt mnt:[4026532299]\nuser user:[4026532303]\nipc ipc:[4026532302]\nuts uts:[4026532300]\n";
    for (kind, bad) in [
        ("net", ("net:[4026532301]", "net:[4026531833]")),
        ("mnt", ("mnt:[4026532299]", "mnt:[4026531832]")),
        ("user", ("user:[4026532303]", "user:[4026531837]")),
        ("ipc", ("ipc:[4026532302]", "ipc:[4026531839]")),
        ("uts", ("uts:[4026532300]", "uts:[4026531838]")),
    ] {
        one_change_turns(|own| process::namespace(kind, own, &machine), own, &[bad]);
        assert_eq!(process::namespace(kind, &text(own), &nothing()).verdict, Verdict::Unseen);
    }
}

#[test]
fn an_interface_within_reach_and_a_child_are_told() {
    // B5; G5
    let net = "Inter-|   Receive                                                |  Transmit\n face |bytes    packets errs\n    lo:       0       0    0\n";
    one_change_turns(process::interfaces, net, &[("    lo:", "  eth0:"), ("    lo:", "    lo: 1\n wlan0:")]);
    one_change_turns(of_one(process::no_children), " ", &[(" ", "4711 ")]);
}

#[test]
fn another_domain_and_a_policy_that_only_tells_are_told() {
    // G5: refused by SELinux
    let enforcing = text("1");
    one_change_turns(
        |context| process::selinux_domain(context, &enforcing),
        "system_u:system_r:contactpointd_t:s0\0",
        &[("contactpointd_t", "unconfined_service_t"), ("contactpointd_t", "initrc_t")],
    );
    one_change_turns(process::selinux_enforcing, "1", &[("1", "0")]);
    let decision = "10012400 ffffffff 0 ffffffff 7 0";
    one_change_turns(process::selinux_domain_refuses, decision, &[("7 0", "7 1"), ("7 0", "7 3"), (" 7 0", "")]);
    // without SELinux an AppArmor name may stand there: that is not SELinux' word
    assert_eq!(process::selinux_domain(&text("unconfined"), &nothing()).verdict, Verdict::Unseen);
}

#[test]
fn a_boolean_of_the_policy_that_the_attachment_does_not_need_is_told() {
    // G5: refused by SELinux
    let off = "contactpointd_network_hsm 0 0\ncontactpointd_pcscd 0 0\ncontactpointd_usb_hsm 0 0\n";
    let on = [("network_hsm 0 0", "network_hsm 1 1"), ("pcscd 0 0", "pcscd 1 0"), ("usb_hsm 0 0", "usb_hsm 0 1")];
    one_change_turns(|booleans| process::selinux_booleans(booleans, Some("files")), off, &on);
    for (attachment, (off_line, on_line)) in [("network", on[0]), ("unix-socket", on[1]), ("usb", on[2])] {
        let needed = text(&off.replace(off_line, on_line));
        assert_eq!(process::selinux_booleans(&needed, Some(attachment)).verdict, Verdict::Holds);
        assert_eq!(process::selinux_booleans(&needed, None).verdict, Verdict::Unseen);
        let another = if attachment == "usb" { "network" } else { "usb" };
        assert_eq!(process::selinux_booleans(&needed, Some(another)).verdict, Verdict::Fails);
    }
}

const MAPS: &str = "55d0c0a00000-55d0c0b00000 r--p 00000000 fd:01 1835 /usr/sbin/contactpointd\n\
    55d0c0b00000-55d0c1a00000 r-xp 00100000 fd:01 1835 /usr/sbin/contactpointd\n\
    55d0c1f00000-55d0c1f21000 rw-p 00000000 00:00 0 [heap]\n\
    7f1e2c000000-7f1e2c021000 rw-p 00000000 00:00 0 \n\
    7f1e30200000-7f1e30355000 r-xp 00026000 fd:01 2101 /usr/lib/x86_64-linux-gnu/libc.so.6\n\
    7f1e30500000-7f1e30520000 r-xp 00006000 fd:01 2102 /usr/lib/softhsm/libsofthsm2.so\n\
    7ffd0a1fe000-7ffd0a200000 r-xp 00000000 00:00 0 [vdso]\n";

#[test]
fn memory_that_can_be_written_and_run_is_told() {
    // G5: W+X memory
    one_change_turns(
        memory::write_execute,
        MAPS,
        &[("rw-p 00000000 00:00 0 [heap]", "rwxp 00000000 00:00 0 [heap]"), ("00:00 0 \n", "00:00 0 \n1-2 -wxp 0 00:00 0 \n")],
    );
}

#[test]
fn code_from_elsewhere_is_told() {
    // G5: no library from an unexpected place
    let program = text("/usr/sbin/contactpointd");
    let elsewhere = [
        ("/usr/lib/softhsm/libsofthsm2.so", "/tmp/libsofthsm2.so"),
        ("/usr/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib/x86_64-linux-gnu/libc.so.6 (deleted)"),
        ("/usr/lib/x86_64-linux-gnu/libc.so.6", "/memfd:code (deleted)"),
        ("00:00 0 \n", "00:00 0 \n7f1e2c100000-7f1e2c121000 r-xp 00000000 00:00 0 \n"),
    ];
    one_change_turns(|maps| memory::libraries(maps, &program, None), MAPS, &elsewhere);
    let vendor = MAPS.replace("/usr/lib/softhsm/libsofthsm2.so", "/opt/nfast/toolkits/pkcs11/libcknfast.so");
    let module = Some("/opt/nfast/toolkits/pkcs11/libcknfast.so");
    assert_eq!(memory::libraries(&text(&vendor), &program, module).verdict, Verdict::Holds);
}

#[test]
fn a_file_that_was_exchanged_for_the_moment_of_the_start_is_told() {
    // G5: what is mapped, and what the process sees, is what the machine has
    let files = "254:1:1835 254:1:1835 /usr/sbin/contactpointd\n254:1:2101 254:1:2101 /usr/lib/x86_64-linux-gnu/libc.so.6\n";
    let exchanged = [("254:1:2101 ", "0:44:7 "), ("254:1:2101 ", "254:1:2102 "), (" 254:1:1835", " -"), (" 254:1:1835", " 254:9:1835")];
    for look in [memory::code_files, memory::settings_files] {
        one_change_turns(look, files, &exchanged);
        assert_eq!(look(&text("")).verdict, Verdict::Unseen);
        let told = look(&text(&files.replacen("254:1:2101 ", "254:1:2102 ", 1)));
        assert!(told.evidence.iter().any(|evidence| evidence.value.contains("restart contactpointd after an upgrade")), "{told:?}");
    }
}

#[test]
fn a_library_that_an_upgrade_replaced_asks_for_a_restart() {
    // G5: it fails until then, and says what to do
    let replaced = MAPS.replace("libc.so.6", "libc.so.6 (deleted)");
    let told = memory::libraries(&text(&replaced), &text("/usr/sbin/contactpointd"), None);
    assert_eq!(told.verdict, Verdict::Fails);
    assert!(told.evidence[0].value.contains("restart contactpointd after an upgrade"), "{told:?}");
}

#[test]
fn the_files_of_this_very_process_are_the_machines_and_one_that_was_replaced_is_not() {
    // G5: device and inode as the kernel shows them, not as a test writes them
    let maps = crate::machine::file("/proc/self/maps");
    let own = crate::machine::code_files(std::process::id(), &maps);
    assert_eq!(memory::code_files(&own).verdict, Verdict::Holds, "{own:?}");
    let folder = std::env::temp_dir().join(format!("contactpoint-settings-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("contactpointd.toml"), "").unwrap();
    let seen = crate::machine::seen_by(std::process::id(), &folder);
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(memory::settings_files(&seen).verdict, Verdict::Holds, "{seen:?}");
    assert_eq!(seen.text.unwrap().lines().count(), 2);
}

#[test]
fn an_address_list_of_a_slice_above_is_told() {
    // B5: what the unit denies, no slice allows again
    let none = "Id=system.slice\nIPAddressAllow=\nIPAddressDeny=\n\nId=-.slice\nIPAddressAllow=\nIPAddressDeny=\n";
    let lists = [
        ("IPAddressAllow=", "IPAddressAllow=192.0.2.1/32"),
        ("IPAddressDeny=\n\nId=-.slice\nIPAddressAllow=", "IPAddressDeny=\n\nId=-.slice\nIPAddressAllow=::/0 0.0.0.0/0"),
        ("IPAddressDeny=", "IPAddressDeny=192.0.2.0/24"),
    ];
    one_change_turns(slices::addresses, none, &lists);
    assert_eq!(slices::addresses(&text("Id=system.slice\n")).verdict, Verdict::Unseen);
    let names = slices::above(&[&text("Slice=a-b.slice\n"), &nothing()]);
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["-.slice", "a-b.slice", "a.slice", "system.slice"]);
}

#[test]
fn a_secret_that_could_be_swapped_or_dumped_is_told() {
    // G1: no core file
    let smaps = "7f1e31000000-7f1e31001000 rw-p 00000000 00:00 0 \nSize:                  4 kB\nVmFlags: rd wr mr mw me lo dc ac dd \n\
        7f1e31001000-7f1e31002000 rw-p 00000000 00:00 0 \nVmFlags: rd wr mr mw me ac \n";
    one_change_turns(memory::locked_memory, smaps, &[(" dd ", " "), ("lo dc", "lo"), (" lo ", " ")]);
}

const OPEN: &str = "0 char rw /dev/null\n1 char rw /dev/null\n2 socket rw socket:[300]\n3 socket rw socket:[100]\n4 socket rw socket:[301]\n\
    5 file rw /var/lib/contactpoint/store.db\n6 file r /usr/share/zoneinfo/UTC\n7 file rw anon_inode:[eventpoll]\n8 socket rw socket:[101]\n";

fn tables() -> Sockets {
    let tcp = "sl\n0: 00000000:20FB 00000000:0000 0A 0:0 0:0 0 0 0 100 1\n1: 0A00020F:20FB 0B00020A:A001 01 0:0 0:0 0 0 0 101 1\n\
        2: 0A00020F:A002 0B00020A:01BB 01 0:0 0:0 0 0 0 102 1\n3: 00000000:0016 00000000:0000 0A 0:0 0:0 0 0 0 103 1\n";
    let unix = "Num\n0: 00000003 00000000 00000000 0001 03 300\n0: 00000002 00000000 00010000 0001 01 301 /run/contactpoint/control.sock\n";
    Sockets::of(&[text(tcp)], &[text(unix)])
}

#[test]
fn a_descriptor_of_a_device_a_foreign_file_or_a_terminal_is_told() {
    // G5: no device access, writes only below the state directory
    let sockets = tables();
    let streams = [
        ("0 char rw /dev/null", "0 char rw /dev/pts/3"),
        ("1 char rw /dev/null", "1 file w /tmp/out"),
        ("2 socket rw socket:[300]", "2 socket rw socket:[100]"),
    ];
    one_change_turns(|open| reach::standard_streams(open, &sockets), OPEN, &streams);
    let devices = [
        ("6 file r /usr/share/zoneinfo/UTC", "6 block r /dev/sda"),
        ("6 file r /usr/share/zoneinfo/UTC", "6 char rw /dev/bus/usb/001/002"),
    ];
    one_change_turns(reach::devices, OPEN, &devices);
    let places = ["/var/lib/contactpoint".to_owned()];
    let files = [
        ("/var/lib/contactpoint/store.db", "/var/lib/contactpoint-copy/store.db"),
        ("6 file r /usr", "6 file w /usr"),
        ("/var/lib/contactpoint/", "/mnt/"),
    ];
    one_change_turns(|open| reach::open_files(open, &places), OPEN, &files);
}

#[test]
fn a_socket_that_leads_out_is_told() {
    // B5: no outbound connector
    let sockets = tables();
    let others = [
        ("socket:[101]", "socket:[102]"),
        ("socket:[101]", "socket:[103]"),
        ("socket:[101]", "socket:[999]"),
        ("socket:[100]", "socket:[301]"),
    ];
    one_change_turns(|open| reach::sockets(open, &sockets, None), OPEN, &others);
    // a network HSM's port is the one way out that a setting can open
    let to_hsm = OPEN.replace("socket:[101]", "socket:[102]");
    assert_eq!(reach::sockets(&text(&to_hsm), &sockets, Some(443)).verdict, Verdict::Holds);
    assert_eq!(reach::sockets(&text(&to_hsm), &sockets, Some(9004)).verdict, Verdict::Fails);
    let unread = Sockets::of(&[nothing()], &[]);
    assert_eq!(reach::sockets(&text(OPEN), &unread, None).verdict, Verdict::Unseen);
}

#[test]
fn a_place_to_write_beside_the_state_is_told() {
    // G5: writes only below the state directory
    let mounts = "510 480 254:1 /usr/lib/contactpoint/root / ro,nosuid,nodev,noexec,relatime - ext4 /dev/vda1 rw\n\
        511 510 254:1 /var/lib/contactpoint /var/lib/contactpoint rw,nosuid,nodev,noexec,relatime - ext4 /dev/vda1 rw\n\
        512 510 0:40 / /dev ro,nosuid,noexec - tmpfs tmpfs rw,size=4096k\n\
        513 510 254:1 /tmp/systemd-private-1-contactpointd.service-a/tmp /tmp rw,nosuid,nodev - ext4 /dev/vda1 rw\n";
    let places = ["/var/lib/contactpoint".to_owned()];
    let open = [
        ("/root / ro,", "/root / rw,"),
        ("/var/lib/contactpoint rw,", "/srv rw,"),
        ("/tmp/systemd-private-1-contactpointd.service-a/tmp /tmp", "/tmp /tmp"),
        ("512 510 0:40 / /dev ro,nosuid,noexec - tmpfs tmpfs", "512 510 8:1 / /media/stick rw,nosuid - vfat /dev/sda1"),
    ];
    one_change_turns(|mountinfo| reach::mounts(mountinfo, &places), mounts, &open);
}
