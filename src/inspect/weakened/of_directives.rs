//! Each directive of the unit and of the sockets: what systemd shows of them, recorded on Debian 12 with SoftHSM's drop-in, and weakened.

use super::{nothing, one_change_turns, text};
use crate::directives::Expected;
use crate::reading::Reading;
use crate::sockets::Sockets;
use crate::{directives, package, socket_unit, unit};
use contactpoint_assurance::{Observation, Verdict};
use std::collections::BTreeSet;

const SHOW: &str = include_str!("recorded/service");
const CALLS: &str = include_str!("recorded/syscall-filter");
const SOCKET: &str = include_str!("recorded/socket");

fn attachment(name: &str) -> Reading {
    package::attachments().into_iter().find(|shipped| shipped.source.starts_with(name)).expect("an attachment of the package")
}

/// The directives with these drop-ins in force.
fn settings(show: &Reading, drop_ins: &[Reading]) -> Observation {
    directives::settings(show, &text(CALLS), drop_ins, &package::attachments())
}

#[test]
fn each_directive_of_the_unit_that_says_something_else_is_told() {
    // G5: refused by the unit
    let softhsm = [attachment("softhsm")];
    for (name, shown, expected) in directives::JUDGED {
        let line = SHOW.lines().find(|line| line.starts_with(&format!("{shown}="))).unwrap_or_else(|| panic!("{shown} is not recorded"));
        let instead = match expected {
            // what must be among others is taken away, if the unit says it at all
            Expected::Among if *name == "Wants" => continue,
            Expected::Among => format!("{shown}=other.service"),
            Expected::Is(_) | Expected::Words | Expected::Begins(_) | Expected::Lines(_) | Expected::Calls => {
                line.replacen('=', "=/other ", 1)
            }
        };
        // a line by its beginning: the first one as well
        let show = format!("\n{SHOW}");
        one_change_turns(|show| settings(show, &softhsm), &show, &[(&format!("\n{line}\n"), &format!("\n{instead}\n"))]);
    }
    one_change_turns(|show| settings(show, &softhsm), SHOW, &[("Type=notify\n", "Type=notify\nExecStartPre={ path=/bin/sh }\n")]);
    one_change_turns(|show| settings(show, &softhsm), SHOW, &[("\nTasksMax=", "\nExecStartEx={ path=/bin/sh ; }\nTasksMax=")]);
    one_change_turns(|show| settings(show, &softhsm), SHOW, &[("/contactpointd ; flags= ;", "/contactpointd ; flags=privileged ;")]);
    assert_eq!(settings(&text("MainPID=0\n"), &[]).verdict, Verdict::Unseen);
}

#[test]
fn a_property_of_which_the_unit_says_nothing_and_that_opens_it_is_told() {
    // G5
    let softhsm = [attachment("softhsm")];
    for name in directives::EMPTY {
        let with = format!("Type=notify\n{name}=/other\n");
        one_change_turns(|show| settings(show, &softhsm), SHOW, &[("Type=notify\n", &with)]);
    }
    for (name, value) in directives::UNSAID {
        one_change_turns(|show| settings(show, &softhsm), SHOW, &[(&format!("\n{name}={value}\n"), &format!("\n{name}=1{value}\n"))]);
        let without = SHOW.replace(&format!("\n{name}={value}\n"), "\n");
        assert_eq!(settings(&text(&without), &softhsm).verdict, Verdict::Unseen, "{name}");
    }
}

#[test]
fn a_directive_of_the_package_is_judged_or_has_its_reason_why_not() {
    // J1: no bar of the unit goes unseen because nobody thought of it
    let units = [include_str!("../../../packaging/systemd/contactpointd.service").to_owned()];
    let attachments = package::attachments().into_iter().filter_map(|shipped| shipped.text.ok());
    let of_service: Vec<String> = units.into_iter().chain(attachments).collect();
    let judged: Vec<&str> = directives::JUDGED.iter().map(|(name, ..)| *name).collect();
    assert_eq!(neither(&of_service, &judged, directives::NOT_JUDGED), NONE.into());
    let of_socket = [include_str!("../../../packaging/systemd/contactpointd.socket").to_owned()];
    let judged_of_socket: Vec<&str> = socket_unit::JUDGED.iter().map(|(name, ..)| *name).collect();
    assert_eq!(neither(&of_socket, &judged_of_socket, &socket_unit::NOT_JUDGED), NONE.into());
    // and one more would be noticed
    assert_eq!(neither(&["[Service]\nRootHash=00\n".to_owned()], &judged, directives::NOT_JUDGED), ["RootHash"].into());
}

const NONE: [&str; 0] = [];

/// The directives of `texts` that are in neither list.
fn neither<'t>(texts: &'t [String], judged: &[&str], not_judged: &[(&str, &str)]) -> BTreeSet<&'t str> {
    let names = texts.iter().flat_map(|text| unit::directives(text)).map(|(name, _)| name).filter(|name| !name.starts_with('['));
    names.filter(|name| !judged.contains(name) && !not_judged.iter().any(|(other, _)| other == name)).collect()
}

#[test]
fn an_attachment_opens_what_it_says_and_nothing_else() {
    // G5; each drop-in with what it opens
    let network = [attachment("network-hsm")];
    let softhsms_own = SHOW
        .replace(" SOFTHSM2_CONF=/etc/contactpoint/softhsm2.conf", "")
        .replace(" /usr/lib/softhsm/libsofthsm2.so:/usr/lib/softhsm/libsofthsm2.so:rbind", "")
        .replace("BindPaths=/var/lib/contactpoint-softhsm:/var/lib/contactpoint-softhsm:rbind", "BindPaths=")
        .replace(" +/var/lib/contactpoint-softhsm", "");
    let libraries = |folder: &str| format!(" -{folder}/libstdc++.so.6:{folder}/libstdc++.so.6:rbind");
    let folders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"];
    let plain = folders.iter().fold(softhsms_own, |show, folder| show.replace(&libraries(folder), ""));
    assert_eq!(settings(&text(&plain), &[]).verdict, Verdict::Holds);
    assert_eq!(settings(&text(SHOW), &[]).verdict, Verdict::Fails);
    let bound = folders.map(|folder| format!(" -{folder}:{folder}:rbind")).concat();
    let with_network = plain
        .replace("PrivateNetwork=yes", "PrivateNetwork=no")
        .replace("RestrictAddressFamilies=AF_UNIX", "RestrictAddressFamilies=AF_INET6 AF_UNIX AF_INET")
        .replace("IPAddressAllow=", "IPAddressAllow=192.0.2.10/32")
        .replace("/run/systemd/journal/socket:rbind", &format!("/run/systemd/journal/socket:rbind{bound}"));
    assert_eq!(settings(&text(&with_network), &network).verdict, Verdict::Holds);
    assert_eq!(settings(&text(&plain), &network).verdict, Verdict::Fails);
    assert_eq!(settings(&text(&with_network), &[]).verdict, Verdict::Fails);
    let more = with_network.replace("PrivateUsers=yes", "PrivateUsers=no");
    assert_eq!(settings(&text(&more), &network).verdict, Verdict::Fails);
    // a drop-in that is none of the package's excuses nothing
    assert_eq!(settings(&text(&with_network), &[text("[Service]\nPrivateNetwork=no\n")]).verdict, Verdict::Fails);
}

#[test]
fn a_system_call_that_the_unit_does_not_let_through_is_told() {
    // G5: refused by seccomp
    let softhsm = [attachment("softhsm")];
    for call in ["mount", "ptrace", "mknod", "memfd_create", "keyctl"] {
        let wider = format!("SystemCallFilter={call} ");
        one_change_turns(|show| settings(show, &softhsm), SHOW, &[("SystemCallFilter=", &wider)]);
    }
    let recorded = SHOW.lines().find(|line| line.starts_with("SystemCallFilter=")).expect("it is recorded");
    one_change_turns(|show| settings(show, &softhsm), SHOW, &[(recorded, "SystemCallFilter="), (recorded, "SystemCallFilter=~mount")]);
    let unread = directives::settings(&text(SHOW), &nothing(), &softhsm, &package::attachments());
    assert_eq!(unread.verdict, Verdict::Unseen);
}

#[test]
fn a_directive_of_the_sockets_that_is_loosened_is_told() {
    // B1: who may connect; the control socket is root's
    let wider = [
        ("SocketMode=0600", "SocketMode=0666"),
        ("SocketUser=root", "SocketUser=contactpoint"),
        ("SocketGroup=root", "SocketGroup=users"),
        ("DirectoryMode=0755", "DirectoryMode=0777"),
        ("Accept=no", "Accept=yes"),
        ("Listen=[::]:8443 (Stream)\n", "Listen=[::]:8443 (Stream)\nListen=[::]:9443 (Stream)\n"),
        ("Listen=[::]:8443 (Stream)\n", "Listen=[::]:443 (Stream)\n"),
        ("Listen=[::]:8443 (Stream)\n", "Listen=[::]:8443 (Datagram)\n"),
        ("Listen=/run/contactpoint/control.sock", "Listen=/tmp/control.sock"),
        (
            "Listen=/run/contactpoint/control.sock (Stream)\n",
            "Listen=0.0.0.0:8443 (Stream)\nListen=/run/contactpoint/control.sock (Stream)\n",
        ),
        ("Listen=/run/contactpoint/control.sock (Stream)\n", ""),
        ("Transparent=no", "Transparent=yes"),
        ("Triggers=contactpointd.service", "Triggers=other.service"),
        ("=/lib/systemd/system/", "=/etc/systemd/system/"),
        ("NeedDaemonReload=no", "NeedDaemonReload=yes"),
        ("ActiveState=active", "ActiveState=inactive"),
    ];
    one_change_turns(socket_unit::settings, SOCKET, &wider);
    assert_eq!(socket_unit::settings(&text(&SOCKET.replace("Backlog=1024\n", ""))).verdict, Verdict::Unseen);
}

#[test]
fn a_drop_in_of_the_sockets_keeps_somebody_out_or_is_told() {
    // B1; which addresses may connect is the machine's own matter
    let addresses = include_str!("../../../packaging/systemd/attachments/addresses.conf");
    let looked_at = |drop_in: &Reading| socket_unit::drop_ins(&text(SOCKET), std::slice::from_ref(drop_in));
    let wider = ["ListenStream=9443", "SocketMode=0666", "SocketUser=contactpoint", "ExecStartPre=/bin/true", "Service=other.service"];
    let wider = wider.map(|line| (String::from("IPAddressDeny=any\n"), format!("IPAddressDeny=any\n{line}\n")));
    let wider: Vec<(&str, &str)> = wider.iter().map(|(there, instead)| (there.as_str(), instead.as_str())).collect();
    one_change_turns(looked_at, addresses, &wider);
    assert_eq!(looked_at(&text("[Socket]\n# the inner side alone\nBindToDevice=eth1\n")).verdict, Verdict::Holds);
    assert_eq!(socket_unit::drop_ins(&text(SOCKET), &[]).verdict, Verdict::Holds);
    assert_eq!(socket_unit::drop_ins(&nothing(), &[]).verdict, Verdict::Unseen);
}

#[test]
fn a_door_that_the_socket_unit_does_not_have_is_told() {
    // B1: the process listens where systemd says, by the kernel's tables
    let tcp = "sl\n0: 00000000000000000000000000000000:20FB 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 100 1\n\
        1: 0100007F:20FC 00000000:0000 0A 0:0 0:0 0 0 0 101 1\n";
    let unix =
        "Num\n0: 00000002 00000000 00010000 0001 01 301 /run/contactpoint/control.sock\n0: 00000002 00000000 00010000 0001 01 302 @x\n";
    let tables = Sockets::of(&[text(tcp)], &[text(unix)]);
    let looked_at = |show: &Reading, held: &[&str]| socket_unit::doors(show, &text("3 socket rw socket:[100]"), &tables, held).verdict;
    let ours = ["socket:[100]", "socket:[301]"];
    assert_eq!(looked_at(&text(SOCKET), &ours), Verdict::Holds);
    assert_eq!(looked_at(&text(SOCKET), &["socket:[100]", "socket:[101]", "socket:[301]"]), Verdict::Fails);
    assert_eq!(looked_at(&text(SOCKET), &["socket:[100]", "socket:[301]", "socket:[302]"]), Verdict::Fails);
    assert_eq!(looked_at(&text("ActiveState=inactive\n"), &ours), Verdict::Unseen);
    assert_eq!(looked_at(&nothing(), &ours), Verdict::Unseen);
    // it holds neither: nothing was seen
    assert_eq!(looked_at(&text(SOCKET), &[]), Verdict::Unseen);
}
