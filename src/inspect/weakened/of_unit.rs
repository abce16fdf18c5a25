//! The unit: what systemd has in force, drop-ins, exposure. And the package's own words.

use super::{nothing, one_change_turns, text};
use crate::{package, unit};
use contactpoint_assurance::Verdict;

const SHOW: &str =
    "MainPID=812\nActiveState=active\nNeedDaemonReload=no\nFragmentPath=/lib/systemd/system/contactpointd.service\nDropInPaths=\n";

const NETWORK: &str = "# An HSM on the network. Exposure with this drop-in: 0.9. Every directive has its reason above it.\n[Service]\n\
    # The HSM is outside.\nPrivateNetwork=no\nIPAddressAllow=192.0.2.10\n";

#[test]
fn a_unit_that_is_not_the_packages_or_not_the_one_on_disk_is_told() {
    // G5
    let other = [
        ("ActiveState=active", "ActiveState=inactive"),
        ("=/lib/systemd/system/", "=/etc/systemd/system/"),
        ("NeedDaemonReload=no", "NeedDaemonReload=yes"),
        ("MainPID=812", "MainPID=813"),
    ];
    one_change_turns(|show| unit::running(show, Some(812)), SHOW, &other);
}

#[test]
fn a_drop_in_is_an_attachment_of_the_package_or_is_told() {
    // F: the drop-ins in force are the package's; an address is the machine's own to fill in
    let shipped = [text(NETWORK)];
    let with = |drop_in: &str| unit::drop_ins(&text(SHOW), &[text(drop_in)], &shipped).verdict;
    assert_eq!(unit::drop_ins(&text(SHOW), &[], &shipped).verdict, Verdict::Holds);
    assert_eq!(with(NETWORK), Verdict::Holds);
    assert_eq!(with("[Service]\nPrivateNetwork=no\nIPAddressAllow=10.9.8.7\n"), Verdict::Holds);
    for loosened in [
        "[Service]\nNoNewPrivileges=no\n",
        "[Service]\nPrivateNetwork=no\nIPAddressAllow=any\n",
        "[Service]\nPrivateNetwork=no\nIPAddressAllow=0.0.0.0/0\n",
        "[Service]\nPrivateNetwork=no\nIPAddressAllow=0.0.0.0/1 128.0.0.0/1\n",
        "[Service]\nPrivateNetwork=no\nIPAddressAllow=localhost\n",
        "",
    ] {
        assert_eq!(with(loosened), Verdict::Fails, "{loosened}");
    }
    assert_eq!(unit::drop_ins(&text(SHOW), &[nothing()], &shipped).verdict, Verdict::Unseen);
    assert_eq!(unit::drop_ins(&nothing(), &[], &shipped).verdict, Verdict::Unseen);
}

#[test]
fn an_exposure_above_its_attachments_is_told() {
    // the unit: exposure <= 0.2; each drop-in with its score
    let line = "\n\u{2192} Overall exposure level for contactpointd.service: 0.1 OK \u{1f600}\n";
    one_change_turns(|analysis| unit::exposure(analysis, &[], &[text(NETWORK)]), line, &[("0.1", "0.3"), ("0.1", "9.2"), ("0.1", "much")]);
    let shipped = [text(NETWORK)];
    let with_network = |level: &str| unit::exposure(&text(&line.replace("0.1", level)), &[text(NETWORK)], &shipped).verdict;
    assert_eq!((with_network("0.9"), with_network("1.0")), (Verdict::Holds, Verdict::Fails));
    assert_eq!(unit::exposure(&text("nothing of the sort"), &[], &[]).verdict, Verdict::Unseen);
}

#[test]
fn another_program_than_the_installed_one_is_told() {
    // J1
    one_change_turns(
        package::program_bytes,
        "aa /proc/7/exe\naa /usr/sbin/contactpointd\n",
        &[("aa /proc", "bb /proc"), ("aa /usr", "bb /usr")],
    );
    one_change_turns(package::program, "/usr/sbin/contactpointd", &[("contactpointd", "contactpointd (deleted)"), ("/usr/sbin", "/root")]);
    one_change_turns(package::sbom, "0a1b /usr/share/doc/contactpoint/contactpoint.cdx.json", &[]);
}

#[test]
fn a_comment_that_is_a_directive_for_systemd_is_told() {
    // G5: for systemd a carriage return ends a line
    let good = "# A comment.\n[Service]\n\tPrivateNetwork=no\n";
    let hidden = [("A comment.", "A comment.\rExecStartPre=/bin/sh"), ("comment", "comment\0"), ("=no", "=no\u{85}"), ("A ", "\u{fffd}")];
    one_change_turns(|file| unit::plain(std::slice::from_ref(file)), good, &hidden);
    assert_eq!(unit::plain(&[]).verdict, Verdict::Unseen);
}

#[test]
fn a_target_that_no_longer_closes_the_sockets_is_told() {
    // A6: who refuses to start closes its doors
    let show = "LoadState=loaded\nFragmentPath=/lib/systemd/system/contactpointd-refused.target\nDropInPaths=\nNeedDaemonReload=no\n\
        Conflicts=shutdown.target contactpointd.socket\n";
    let masked = [
        ("=loaded", "=masked"),
        ("=/lib/", "=/etc/"),
        ("DropInPaths=", "DropInPaths=/etc/systemd/system/contactpointd-refused.target.d/a.conf"),
        ("Reload=no", "Reload=yes"),
        (" contactpointd.socket", ""),
    ];
    one_change_turns(unit::refused, show, &masked);
    assert_eq!(unit::refused(&text("LoadState=not-found\n")).verdict, Verdict::Fails);
}

#[test]
fn a_drop_in_of_the_units_at_the_hsm_is_told() {
    // G2, G5: they are given the PIN as the daemon is
    let of = "/usr/lib/systemd/system/contactpoint-at-hsm-.service.d";
    let good = format!(
        "0755 0:0 d {of}\n0644 0:0 f 9 {of}/sandbox.conf\n0777 0:0 l {of}/hsm.conf -> /etc/systemd/system/contactpointd.service.d/hsm.conf\n\
         0644 0:0 f 9 /run/systemd/transient/contactpoint-at-hsm-ceremony.service\n"
    );
    let more = [
        ("0644 0:0 f 9 /usr", "0644 0:0 f 9 /etc/systemd/system/contactpoint-at-hsm-.service.d/a.conf\n0644 0:0 f 9 /usr"),
        ("0644 0:0 f 9 /usr", "0644 0:0 f 9 /usr/lib/systemd/system/contactpoint-at-hsm-.service.d/z.conf\n0644 0:0 f 9 /usr"),
        ("0755 0:0 d /usr", "0755 0:0 d /etc/systemd/system/contactpoint-.service.d\n0755 0:0 d /usr"),
        ("-> /etc/systemd/system/contactpointd.service.d/hsm.conf", "-> /tmp/hsm.conf"),
        ("hsm-ceremony.service", "hsm-ceremony.service.d/a.conf"),
    ];
    one_change_turns(unit::at_hsm, &good, &more);
}
