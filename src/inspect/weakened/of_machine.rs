//! Files and physical media.

use super::{nothing, one_change_turns, text};
use crate::files::{Packages, Pin};
use crate::reading::Reading;
use crate::{files, media, root_tree, udev};
use contactpoint_assurance::Verdict;

#[test]
fn a_file_of_the_state_that_others_can_read_or_own_is_told() {
    // G1; G3
    let listing = "0700 997:996 /var/lib/contactpoint\n0600 997:996 /var/lib/contactpoint/store.db\n";
    let loose = [("0700 997", "0755 997"), ("0600 997", "0640 997"), ("0600 997", "0600 0"), ("0700 997", "0700 1000")];
    one_change_turns(|listing| files::state(listing, Some("997")), listing, &loose);
    assert_eq!(files::state(&text(listing), None).verdict, Verdict::Unseen);
    assert_eq!(files::state(&text(""), Some("997")).verdict, Verdict::Unseen);
}

#[test]
fn settings_that_another_could_write_and_a_socket_that_another_could_open_are_told() {
    // G1
    let listing = "0750 0:996 /etc/contactpoint\n0640 0:996 /etc/contactpoint/contactpointd.toml\n";
    let loose = [("0640 0", "0660 0"), ("0640 0", "0644 0"), ("0640 0", "0640 997"), ("0750", "0770"), ("0640 0:996", "0640 0:1000")];
    one_change_turns(|listing| files::configuration(listing, Some("996")), listing, &loose);
    assert_eq!(files::configuration(&text(listing), None).verdict, Verdict::Unseen);
    let (socket, folder) = ("0600 0:0 /run/contactpoint/control.sock\n", "0755 0:0 d /run/contactpoint\n");
    let loose = [("0600", "0660"), ("0600", "0666"), ("0:0", "997:0"), ("0:0", "0:996")];
    one_change_turns(|socket| files::control(socket, &text(folder)), socket, &loose);
    let loose = [("0755", "0775"), ("0755", "1777"), ("0:0", "997:0"), ("0:0", "0:996")];
    one_change_turns(|folder| files::control(&text(socket), folder), folder, &loose);
}

/// As a healthy machine has it.
fn pin() -> Pin {
    Pin {
        encrypted: text("0700 0:0 d /etc/credstore.encrypted\n0644 0:0 f 170 /etc/credstore.encrypted/contactpoint-hsm-pin\n"),
        kind_of_key: text("5a1c6a86df9d4096b1d5a65e0862f19a"),
        elsewhere: text(""),
    }
}

#[test]
fn a_pin_in_clear_and_one_that_others_could_replace_are_told() {
    // G2
    let loose = [("0644", "0622"), ("0700", "0755"), ("0644 0:0", "0644 997:0"), ("f 170 /etc", "l /root/pin -> /etc")];
    one_change_turns(|encrypted| files::credential(&Pin { encrypted: encrypted.clone(), ..pin() }), &pin().encrypted.text.unwrap(), &loose);
    for place in
        ["/etc/credstore/contactpoint-hsm-pin", "/run/credstore.encrypted/hsm-pin", "/run/credentials/@system/contactpoint-hsm-pin"]
    {
        let elsewhere = text(&format!("0600 0:0 f 4 {place}\n"));
        assert_eq!(files::credential(&Pin { elsewhere, ..pin() }).verdict, Verdict::Fails, "{place}");
    }
    assert_eq!(files::credential(&Pin { elsewhere: nothing(), ..pin() }).verdict, Verdict::Unseen);
}

#[test]
fn a_pin_that_no_key_of_the_machine_encrypts_is_told() {
    // G2: systemd-creds encrypt --with-key=tpm2-absent begins with the second of these
    let kinds =
        [("5a1c6a86df9d4096b1d5a65e0862f19a", "058469daf6f54324800549da0f8ea2fb"), ("5a1c6a86df9d4096b1d5a65e0862f19a", "31323334")];
    one_change_turns(
        |kind_of_key| files::credential(&Pin { kind_of_key: kind_of_key.clone(), ..pin() }),
        &pin().kind_of_key.text.unwrap(),
        &kinds,
    );
    // the beginnings of a credential by the null key, and of one by the machine's
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pin");
    for (head, kind) in [("BYRp2vb1QySABUnaD46i+yAAAAAB\nAAAADAAA", kinds[0].1), ("Whxqht+dQJax1aZe\nCGLxmiAAAAAB", kinds[0].0)] {
        std::fs::write(&path, head).unwrap();
        assert_eq!(crate::disk::kind_of_key(&path).text.unwrap(), kind);
    }
    std::fs::write(&path, "1234\n").unwrap();
    assert_eq!(files::credential(&Pin { kind_of_key: crate::disk::kind_of_key(&path), ..pin() }).verdict, Verdict::Fails);
}

const SUMS: &str = "00 lib/systemd/system/contactpointd.service\n00 lib/systemd/system/contactpointd.socket\n\
    00 lib/systemd/system/contactpoint-at-hsm-.service.d/sandbox.conf\n00 lib/modprobe.d/contactpoint.conf\n\
    00 usr/lib/udev/rules.d/60-contactpoint-media.rules\n00 usr/sbin/contactpointd\n00 usr/sbin/contactpointctl\n\
    00 usr/sbin/contactpoint-at-hsm\n";

fn packages(verify: &Reading) -> Packages {
    Packages { verify: vec![verify.clone()], sums: text(SUMS), diversions: text("diversion of /bin/sh to /bin/sh.distrib by dash\n") }
}

#[test]
fn a_changed_file_of_the_package_is_told_and_changed_settings_are_not() {
    // J1
    let settings = "??5?????? c /etc/contactpoint/contactpointd.toml\n";
    let changed =
        [("??5?????? c /etc/contactpoint/contactpointd.toml", "??5??????   /usr/sbin/contactpointd"), ("??5?????? c", "missing   c")];
    one_change_turns(|verify| files::packaged(&packages(verify)), settings, &changed);
    assert_eq!(files::packaged(&packages(&text(""))).verdict, Verdict::Holds);
    let of_selinux = text("??5??????   /usr/share/selinux/default/contactpointd.pp.bz2\n");
    let two = Packages { verify: vec![text(""), of_selinux], ..packages(&text("")) };
    assert_eq!(files::packaged(&two).verdict, Verdict::Fails);
}

#[test]
fn a_package_of_which_nothing_is_compared_is_told() {
    // J1: without sums, and where a file is diverted, dpkg --verify is silent
    let sums: Vec<(&str, &str)> = SUMS.lines().map(|line| (line, "")).collect();
    let with_sums = |sums: &Reading| files::packaged(&Packages { sums: sums.clone(), ..packages(&text("")) });
    one_change_turns(with_sums, SUMS, &sums);
    one_change_turns(
        |diversions| files::packaged(&Packages { diversions: diversions.clone(), ..packages(&text("")) }),
        "diversion of /bin/sh to /bin/sh.distrib by dash\n",
        &[("diversion", "local diversion of /usr/sbin/contactpointd to /usr/sbin/contactpointd.distrib\ndiversion")],
    );
}

#[test]
fn an_installed_file_that_others_could_write_is_told() {
    // J1, G5
    let shipped = "0755 0:0 d /usr/sbin\n0755 0:0 f 12 /usr/sbin/contactpointd\n0777 0:0 l /lib -> usr/lib\n";
    let beside = "0755 0:0 d /etc/systemd/system/contactpointd.service.d\n";
    let loose = [("0755 0:0 f", "0777 0:0 f"), ("0755 0:0 f", "0775 0:0 f"), ("0755 0:0 f", "0755 997:0 f"), ("0777 0:0 l", "0777 7:0 l")];
    one_change_turns(|shipped| files::installed(shipped, &text(beside)), shipped, &loose);
    one_change_turns(|beside| files::installed(&text(shipped), beside), beside, &[("0755", "0777"), ("0:0", "997:0")]);
}

/// The tree as the package makes it.
fn healthy_tree() -> String {
    let list = include_str!("../../../packaging/systemd/root-tree").lines().filter_map(|line| line.split('#').next());
    let words = list.map(|line| line.split_whitespace().collect::<Vec<_>>());
    let below = words.filter_map(|words| match words[..] {
        ["d", path] => Some(format!("0755 0:0 d {}{path}\n", root_tree::TOP)),
        ["f", path] => Some(format!("0644 0:0 f 0 {}{path}\n", root_tree::TOP)),
        ["l", path, target] => Some(format!("0777 0:0 l {}{path} -> {target}\n", root_tree::TOP)),
        _ => None,
    });
    std::iter::once(format!("0755 0:0 d {}\n", root_tree::TOP)).chain(below).collect()
}

#[test]
fn whatever_is_added_to_the_daemons_root_is_told() {
    // G5: the root has mount points and nothing else; a preloaded library would be the daemon's own code
    let tree = healthy_tree();
    let top = "0755 0:0 d /usr/lib/contactpoint/root\n";
    for added in ["0644 0:0 f 18 {}/etc/ld.so.preload", "0755 0:0 f 9 {}/usr/sbin/sh", "0755 0:0 d {}/srv", "0777 0:0 l {}/bin -> usr/bin"]
    {
        let added = format!("{top}{}\n", added.replace("{}", root_tree::TOP));
        one_change_turns(root_tree::empty, &tree, &[(top, &added)]);
    }
    let changed = [
        ("f 0 /usr/lib/contactpoint/root/usr/sbin/contactpointd", "f 7 /usr/lib/contactpoint/root/usr/sbin/contactpointd"),
        ("0644 0:0 f 0", "0644 997:0 f 0"),
        ("0644 0:0 f 0", "0666 0:0 f 0"),
        ("/sbin -> usr/sbin", "/sbin -> /tmp"),
        ("d /usr/lib/contactpoint/root/home", "l /usr/lib/contactpoint/root/home -> /"),
    ];
    one_change_turns(root_tree::empty, &tree, &changed);
    assert_eq!(root_tree::empty(&text("")).verdict, Verdict::Unseen);
    // and as it is read from a disk
    let folder = tempfile::tempdir().unwrap();
    let top = folder.path().to_str().unwrap();
    std::fs::create_dir(folder.path().join("etc")).unwrap();
    std::fs::write(folder.path().join("etc/ld.so.preload"), "/evil.so").unwrap();
    std::os::unix::fs::symlink("usr/lib", folder.path().join("lib")).unwrap();
    let read = crate::disk::tree(top).text.unwrap();
    let what: Vec<&str> = read.lines().filter_map(|line| line.splitn(3, ' ').nth(2)).collect();
    assert_eq!(what[1..], [format!("d {top}/etc"), format!("f 8 {top}/etc/ld.so.preload"), format!("l {top}/lib -> usr/lib")]);
}

#[test]
fn a_driver_that_would_load_or_is_loaded_is_told() {
    // G5: there is no way to physical media
    let rules = include_str!("../../../packaging/modprobe.d/contactpoint.conf");
    let open = [
        ("install usb-storage /bin/false", "blacklist usb-storage"),
        ("install uas /bin/false", "install uas /bin/true"),
        ("install mmc_block /bin/false", ""),
        ("install sr_mod /bin/false", "install sr_mod /sbin/modprobe --ignore-install sr_mod"),
        ("install bluetooth /bin/false", "install bluetooth /bin/false; /sbin/insmod /tmp/bluetooth.ko"),
        // another file's line that comes first counts, by a pattern as well
        ("install usb-storage /bin/false", "install usb-storage /bin/true\ninstall usb_storage /bin/false"),
        ("install usb-storage /bin/false", "install usb[-_]* /bin/true\ninstall usb_storage /bin/false"),
        ("install usb-storage /bin/false", "install ?sb*age /bin/true\ninstall usb_storage /bin/false"),
        ("install usb-storage /bin/false", "install * /sbin/modprobe -i $MODPROBE_MODULE\ninstall usb_storage /bin/false"),
    ];
    one_change_turns(media::modprobe, rules, &open);
    // a line that comes later, and a pattern of other modules, take nothing away
    let more = text(&format!("install usbhid* /bin/true\n{rules}\ninstall usb-storage /bin/true\n"));
    assert_eq!(media::modprobe(&more).verdict, Verdict::Holds);
    one_change_turns(media::loader, "/sbin/modprobe\n", &[("/sbin/modprobe", "/tmp/load"), ("/sbin/modprobe", "/sbin/modprobe.sh")]);
    assert_eq!(media::loader(&text("\n")).verdict, Verdict::Holds);
    one_change_turns(
        media::modules,
        "xfs 2031616 1 - Live 0x0\nvirtio_blk 28672 2 - Live 0x0\n",
        &[("virtio_blk", "usb_storage"), ("xfs", "uas"), ("xfs", "bluetooth")],
    );
}

#[test]
fn a_stick_that_is_there_and_one_that_is_mounted_are_told() {
    // G5: no device access
    let devices = "254:0 vda removable=0 /sys/devices/pci0000:00/0000:00:04.0/virtio1/block/vda\n254:1 vda1 removable=0 /sys/devices/pci0000:00/0000:00:04.0/virtio1/block/vda/vda1\n";
    let stick = "8:1 sda1 removable=1 /sys/devices/pci0000:00/0000:00:05.0/usb1/1-1/1-1:1.0/host6/target6:0:0/6:0:0:0/block/sda/sda1\n";
    let carried = [
        ("vda removable=0", "vda removable=1"),
        ("0000:00:04.0/virtio1", "0000:00:05.0/usb1/1-1"),
        ("0000:00:04.0/virtio1", "mmc_host/mmc0"),
    ];
    one_change_turns(media::devices, devices, &carried);
    let mounted = text("29 1 254:1 / / rw,relatime - ext4 /dev/vda1 rw\n40 29 8:1 / /media/stick rw - vfat /dev/sda1 rw\n");
    let with_stick = text(&format!("{devices}{stick}"));
    assert_eq!(media::mounts(&with_stick, &[&mounted]).verdict, Verdict::Fails);
    assert_eq!(media::mounts(&text(devices), &[&mounted]).verdict, Verdict::Holds);
    assert_eq!(media::mounts(&text(devices), &[&mounted, &nothing()]).verdict, Verdict::Unseen);
}

const UDEV: &str = include_str!("../../../packaging/udev/60-contactpoint-media.rules");

fn rules(path: &str, text: &str) -> Reading {
    Reading::seen(path, text)
}

#[test]
fn udevs_rules_that_are_masked_or_replaced_are_told() {
    // G5: there is no way to physical media
    let ours = rules("/usr/lib/udev/rules.d/60-contactpoint-media.rules", UDEV);
    let others = rules("/usr/lib/udev/rules.d/50-udev-default.rules", "SUBSYSTEM==\"usb\", MODE=\"0664\"\n");
    assert_eq!(udev::rules(&[others.clone(), ours.clone()]).verdict, Verdict::Holds);
    for instead in ["", "# nothing\n", &UDEV.replace("ATTR{authorized}=\"0\"", "ATTR{authorized}=\"1\"")] {
        let masked = rules("/etc/udev/rules.d/60-contactpoint-media.rules", instead);
        assert_eq!(udev::rules(&[others.clone(), masked]).verdict, Verdict::Fails, "{instead}");
    }
    assert_eq!(udev::rules(std::slice::from_ref(&others)).verdict, Verdict::Fails);
    assert_eq!(udev::rules(&[Reading { text: nothing().text, ..ours.clone() }]).verdict, Verdict::Unseen);
    one_change_turns(udev::runs, "ActiveState=active\n", &[("active", "inactive"), ("active", "failed")]);
}

#[test]
fn another_rule_that_gives_a_medium_back_is_told() {
    // G5
    let ours = rules("/usr/lib/udev/rules.d/60-contactpoint-media.rules", UDEV);
    let of = |path: &str, rule: &str, attachment| udev::others(&[ours.clone(), rules(path, rule)], attachment).verdict;
    let with = |rule: &str| of("/etc/udev/rules.d/99-local.rules", rule, Some("files"));
    // the rule of attachments/usb.conf, with that attachment alone, for one product alone
    let attachment = include_str!("../../../packaging/systemd/attachments/usb.conf");
    let hsm = attachment.lines().find_map(|line| line.strip_prefix("#   SUBSYSTEM").map(|rest| format!("SUBSYSTEM{rest}"))).unwrap();
    let of_usb = |rule: &str| of("/etc/udev/rules.d/72-contactpoint-hsm.rules", rule, Some("usb"));
    assert_eq!((of_usb(&hsm), with(&hsm)), (Verdict::Holds, Verdict::Fails));
    for wider in [("4230", "*"), ("ATTR{idProduct}==", "ATTR{idProduct}!="), ("0660", "0666"), ("MODE=", "RUN+=")] {
        assert_eq!(of_usb(&hsm.replace(wider.0, wider.1)), Verdict::Fails, "{wider:?}");
    }
    assert_eq!(with("# ATTR{authorized}=\"1\"\nATTR{authorized}==\"1\", ATTR{authorized}!=\"0\", TAG+=\"x\"\n"), Verdict::Holds);
    for back in [
        "SUBSYSTEM==\"usb\", ATTR{authorized}=\"1\"",
        "SUBSYSTEM==\"usb\", \\\n  ATTR{authorized} = \"1\"",
        "SUBSYSTEM==\"usb\", ATTR{../authorized}:=\"1\"",
        "SUBSYSTEM==\"usb\" ATTR{authorized}=\"1\"",
        "SUBSYSTEM==\"usb\"ATTR{authorized}=\"1\"",
        "SUBSYSTEM==\"usb\", ATTR{authorized_default}=\"1\"",
        "SUBSYSTEM==\"usb\", RUN+=\"/usr/local/bin/open %p\"",
        "SUBSYSTEM==\"usb\" RUN:=\"/usr/local/bin/open %p\"",
        "SUBSYSTEM==\"block\", PROGRAM==\"/usr/local/bin/open\"",
        "IMPORT{program}=\"/usr/local/bin/open\"",
        "SUBSYSTEM==\"net|block\", MODE=\"0666\"",
        "SUBSYSTEM==\"b*\", GROUP=\"contactpoint\"",
        "KERNEL==\"sd*\", OWNER=\"contactpoint\"",
        "SUBSYSTEM==\"block\", ENV{SYSTEMD_READY}=\"1\"",
        "SUBSYSTEM!=\"net\", SUBSYSTEM==\"thunderbolt\", RUN{program}+=\"/bin/sh\"",
        "SUBSYSTEM==\"usb\", RUN+=\"/bin/sh -c 'echo 1 > /sys%p/authorized'\"",
        "SUBSYSTEM==\"block\", ENV{CONTACTPOINT_MEDIUM}=\"\"",
        "SUBSYSTEM==\"block\", ENV{UDISKS_IGNORE}=\"0\"",
    ] {
        assert_eq!(with(back), Verdict::Fails, "{back}");
    }
    // of another part of the kernel, or of a package of Debian's
    assert_eq!(with("SUBSYSTEM==\"net\", ACTION==\"add\", PROGRAM=\"/lib/udev/name\", NAME=\"lan\""), Verdict::Holds);
    assert_eq!(of("/usr/lib/udev/rules.d/50-udev-default.rules", "SUBSYSTEM==\"block\", GROUP=\"disk\"", None), Verdict::Holds);
    assert_eq!(udev::others(&[], None).verdict, Verdict::Unseen);
    let unread = Reading { text: nothing().text, source: "/etc/udev/rules.d/9.rules".to_owned() };
    assert_eq!(udev::others(&[unread], None).verdict, Verdict::Unseen);
}
