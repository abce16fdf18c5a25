//! A process that was started under a loosened unit which was put right afterwards: by the times, and by what the kernel shows that it got.

use super::{nothing, one_change_turns, text};
use crate::reading::Reading;
use crate::unit::{self, Start};
use crate::{in_force, process};
use contactpoint_assurance::Verdict;

const SHOW: &str = include_str!("recorded/service");
const PID: Option<u32> = Some(812);
/// The start by systemd's clock, the one of the machine, and by the kernel's: 2026-11-22 02:54:21.912087 UTC.
const STARTED: &str = "ExecMainStartTimestamp=Sun 2026-11-22 02:54:21.912087 UTC\nExecMainStartTimestampMonotonic=24883577873\n\
    FragmentPath=/lib/systemd/system/contactpointd.service\nDropInPaths=/etc/systemd/system/contactpointd.service.d/hsm.conf\n";
const STAT: &str = "812 (contact) pointd) S 1 812 812 0 -1 4194560 2406 0 0 0 5 2 0 0 20 0 7 0 2488357 241713152 5159 0\n";
const MACHINE: &str = "cpu  1 2 3\nbtime 1795291178\nprocesses 4711\n";

/// As systemd 252 of Debian 12 shows it.
const UNIT_PATH: &str = "UnitPath=/etc/systemd/system.control /run/systemd/system.control /run/systemd/transient \
    /run/systemd/generator.early /etc/systemd/system /etc/systemd/system.attached /run/systemd/system /run/systemd/system.attached \
    /run/systemd/generator /usr/local/lib/systemd/system /lib/systemd/system /usr/lib/systemd/system /run/systemd/generator.late";

fn start(units_read: &str, changes: &str) -> Start {
    let manager = format!("Version=252.39-1~deb12u2\nArchitecture=x86-64\nUnitsLoadTimestampMonotonic={units_read}\n{UNIT_PATH}\n");
    Start { manager: text(&manager), stat: text(STAT), machine: text(MACHINE), changes: text(changes) }
}

const BEFORE: &str = "24882729082";
const AFTER: &str = "24884994199";

#[test]
fn a_process_is_of_the_unit_that_was_read_before_it_was_started() {
    // G5: the unit that is shown is the one that holds the process; whatever was touched since systemd has not read
    let touched =
        "1795290000.000000000 /lib/systemd/system/contactpointd.service\n1795319999.0 /etc/systemd/system/contactpointd.service.d\n";
    assert_eq!(unit::started(&text(STARTED), &start(BEFORE, touched)).verdict, Verdict::Holds);
    assert_eq!(unit::started(&text(STARTED), &start("0", touched)).verdict, Verdict::Unseen);
    assert_eq!(unit::started(&text("MainPID=0\nExecMainStartTimestampMonotonic=0\n"), &start(BEFORE, "")).verdict, Verdict::Unseen);
    assert_eq!(unit::started(&nothing(), &start(BEFORE, "")).verdict, Verdict::Unseen);
}

#[test]
fn a_unit_that_was_put_right_after_the_process_was_started_is_told() {
    // G5: put right without a restart. The start was at 1795316061.912087
    let older = "1795290000.000000000 /lib/systemd/system/contactpointd.service\n\
        1795316061.900000000 /etc/systemd/system/contactpointd.service.d\n1795316061.900000000 /etc/systemd/system\n";
    let turned = [
        ("1795290000.0", "1795316062.0"),
        ("1795316061.900000000 /etc/systemd/system/contactpointd", "1795316061.950000000 /etc/systemd/system/contactpointd"),
        ("1795290000.000000000", "never"),
    ];
    one_change_turns(|changes| unit::started(&text(STARTED), &Start { changes: changes.clone(), ..start(AFTER, "") }), older, &turned);
    // what came or went in a folder above may have been a drop-in of ours that is gone: nobody can tell
    let above = older.replace("1795316061.900000000 /etc/systemd/system\n", "1795316070.000000000 /etc/systemd/system\n");
    assert_eq!(unit::started(&text(STARTED), &start(AFTER, &above)).verdict, Verdict::Unseen);
}

#[test]
fn a_drop_in_in_any_folder_of_systemd_that_came_or_went_is_told() {
    // G5: the folders are those that systemd names, and those of the programs that make units
    let manager = start(AFTER, "").manager;
    let sources = unit::sources(&text(STARTED), &manager);
    for folder in unit::folders(&manager) {
        assert!(sources.contains(&format!("{folder}/contactpointd.service.d")), "{folder}");
    }
    for above in ["/etc/systemd/system.attached", "/run/systemd/system.attached", "/run/systemd/system-generators", "/lib/systemd/system"] {
        assert!(sources.iter().any(|source| source == above), "{above}");
        let gone = unit::started(&text(STARTED), &start(AFTER, &format!("1795316070.0 {above}\n")));
        assert_eq!(gone.verdict, Verdict::Unseen, "{above}");
    }
    // these two systemd changes itself, at each log-in and whenever it reads its units: what is in them counts, and that some is gone is not seen
    for folder in ["/run/systemd/transient", "/run/systemd/generator"] {
        assert!(!sources.iter().any(|source| source == folder), "{folder}");
        let seen = unit::started(&text(STARTED), &start(AFTER, &format!("1795316070.0 {folder}/contactpointd.service.d\n")));
        assert_eq!(seen.verdict, Verdict::Fails, "{folder}");
        assert!(seen.evidence.iter().any(|evidence| evidence.value.contains("while the clock was set back")));
    }
    let unnamed = Start { manager: text(&manager.text.unwrap().replace("UnitPath", "Other")), ..start(AFTER, "") };
    assert_eq!(unit::started(&text(STARTED), &unnamed).verdict, Verdict::Unseen);
}

#[test]
fn a_clock_that_was_set_hides_no_change() {
    // G5: whichever way the clock was set, the earlier of the two starts counts
    let an_hour_back = MACHINE.replace("1795291178", "1795287578");
    let an_hour_on = MACHINE.replace("1795291178", "1795294778");
    // half an hour after the start, by the clock that was set back, and by the one that was not yet set on
    for (machine, changed) in [(an_hour_back, "1795314261.0"), (an_hour_on, "1795317861.0")] {
        let changes = format!("{changed} /etc/systemd/system/contactpointd.service.d\n");
        let seen = unit::started(&text(STARTED), &Start { machine: text(&machine), ..start(AFTER, &changes) });
        assert_eq!(seen.verdict, Verdict::Fails, "{seen:?}");
    }
    let unknown = Start { stat: nothing(), ..start(AFTER, "") };
    assert_eq!(unit::started(&text(STARTED), &unknown).verdict, Verdict::Unseen);
}

const LIMITS: &str = "Limit                     Soft Limit           Hard Limit           Units     \n\
    Max cpu time              unlimited            unlimited            seconds   \n\
    Max file size             unlimited            unlimited            bytes     \n\
    Max data size             unlimited            unlimited            bytes     \n\
    Max stack size            8388608              unlimited            bytes     \n\
    Max core file size        0                    0                    bytes     \n\
    Max resident set          unlimited            unlimited            bytes     \n\
    Max processes             3774                 3774                 processes \n\
    Max open files            20000                131072               files     \n\
    Max locked memory         8388608              8388608              bytes     \n\
    Max address space         unlimited            unlimited            bytes     \n\
    Max file locks            unlimited            unlimited            locks     \n\
    Max pending signals       3774                 3774                 signals   \n\
    Max msgqueue size         819200               819200               bytes     \n\
    Max nice priority         0                    0                    \n\
    Max realtime priority     0                    0                    \n\
    Max realtime timeout      unlimited            unlimited            us        \n";

#[test]
fn a_limit_above_the_units_is_told_soft_or_hard() {
    // G1, G5: the limits are the unit's
    let raised = [
        ("size        0                    0 ", "size        0                    1 "),
        ("memory         8388608              8388608", "memory         9437184              9437184"),
        ("files            20000                131072", "files            20000                140000"),
        ("files            20000 ", "files            unlimited "),
        ("realtime priority     0  ", "realtime priority     5  "),
    ];
    one_change_turns(|limits| in_force::limits(limits, &text(SHOW), PID), LIMITS, &raised);
    assert_eq!(in_force::limits(&text("Max cpu time unlimited unlimited seconds"), &text(SHOW), PID).verdict, Verdict::Unseen);
    // of another process than the unit's nothing can be said
    assert_eq!(in_force::limits(&text(LIMITS), &text(SHOW), Some(813)).verdict, Verdict::Unseen);
    assert_eq!(in_force::limits(&text(LIMITS), &nothing(), PID).verdict, Verdict::Unseen);
}

const STATUS: &str = "Umask:\t0077\nUid:\t997\t997\t997\t997\nGid:\t996\t996\t996\t996\nGroups:\t996 \nSeccomp:\t2\nSeccomp_filters:\t37\n";

#[test]
fn a_filter_that_a_directive_makes_and_the_process_does_not_have_is_told() {
    // G5: refused by seccomp. 34 filters of systemd 252 on x86-64, and three of the daemon's own
    let systemd = start(BEFORE, "").manager;
    let filters = |status: &Reading| in_force::filters(std::slice::from_ref(status), &text(SHOW), &systemd, PID);
    one_change_turns(filters, STATUS, &[("filters:\t37", "filters:\t36"), ("filters:\t37", "filters:\t3")]);
    let thread = Reading::seen("/proc/812/task/815/status", STATUS.replace("37", "34"));
    assert_eq!(in_force::filters(&[text(STATUS), thread], &text(SHOW), &systemd, PID).verdict, Verdict::Fails);
    // a directive that is not in force asks for none; where nobody has counted, each asks for one
    let fewer = text(&STATUS.replace("37", "34"));
    let show = SHOW.replace("RestrictRealtime=yes", "RestrictRealtime=no");
    assert_eq!(in_force::filters(std::slice::from_ref(&fewer), &text(&show), &systemd, PID).verdict, Verdict::Holds);
    for (counted, other) in [("252.39", "257.7"), ("x86-64", "arm64")] {
        let manager = text(&systemd.text.clone().unwrap().replace(counted, other));
        let seen = |count: &str| in_force::filters(&[text(&STATUS.replace("37", count))], &text(SHOW), &manager, PID).verdict;
        assert_eq!((seen("17"), seen("16")), (Verdict::Holds, Verdict::Fails));
    }
    assert_eq!(in_force::filters(&[text("Seccomp:\t2\n")], &text(SHOW), &systemd, PID).verdict, Verdict::Unseen);
    assert_eq!(process::seccomp(&[fewer]).verdict, Verdict::Holds);
}

#[test]
fn a_wider_umask_and_a_group_that_nobody_named_are_told() {
    // G1: what the daemon makes, nobody else reads
    one_change_turns(|status| in_force::umask(status, &text(SHOW), PID), STATUS, &[("0077", "0022"), ("0077", "0070"), ("0077", "none")]);
    let known = text("root:x:0:\nnfast:x:990:contactpoint\ncontactpoint:x:996:\n");
    let show = text("SupplementaryGroups=\n");
    let groups = [("Groups:\t996 ", "Groups:\t996 0 "), ("Groups:\t996 ", "Groups:\t990 996 ")];
    one_change_turns(|status| in_force::groups(status, &show, &known), STATUS, &groups);
    let of_server = text(&STATUS.replace("Groups:\t996 ", "Groups:\t990 996 "));
    let named = text("SupplementaryGroups=nfast\n");
    assert_eq!(in_force::groups(&of_server, &named, &known).verdict, Verdict::Holds);
    assert_eq!(in_force::groups(&of_server, &named, &text("nfast:x:991:\n")).verdict, Verdict::Fails);
}

#[test]
fn a_control_group_that_is_wider_than_the_unit_is_told() {
    // G1: memory never reaches the disk by way of swap
    let wider = [("swap.max 0", "swap.max 1073741824"), ("swap.max 0", "swap.max max"), ("pids.max 1024", "pids.max 4096")];
    one_change_turns(|group| in_force::bounds(group, &text(SHOW), PID), "pids.max 1024\nmemory.swap.max 0\n", &wider);
    assert_eq!(in_force::bounds(&text("pids.max 1024\n"), &text(SHOW), PID).verdict, Verdict::Unseen);
}

#[test]
fn a_place_that_the_unit_hides_and_the_process_sees_is_told() {
    // G5: the unit's root, and what is covered in it. Recorded of the daemon in its unit
    let mounts = include_str!("recorded/mountinfo");
    let seen = [
        ("/usr/lib/contactpoint/root / ro,", "/usr/lib/contactpoint/root / rw,"),
        ("/usr/lib/contactpoint/root / ro,", "/ / ro,"),
        ("hidepid=invisible", "hidepid=off"),
        (",subset=pid", ""),
        ("/systemd/inaccessible/dir /sys ", "/ /sys "),
        ("/systemd/inaccessible/dir /sys ", "/systemd/inaccessible/dir /elsewhere "),
        ("/systemd/inaccessible/dir /dev/shm ", "/ /dev/shm "),
        ("/systemd/inaccessible/dir /home ", "/home /home "),
        ("/var/lib/contactpoint rw,nosuid,noexec,", "/var/lib/contactpoint rw,nosuid,"),
        ("/tmp /tmp rw,nosuid,noexec,", "/tmp /tmp rw,nosuid,"),
        (" / /dev ro,nosuid,noexec ", " / /dev rw,nosuid,noexec "),
    ];
    one_change_turns(|mountinfo| in_force::hidden(mountinfo, &text(SHOW), PID), mounts, &seen);
    // /dev/mqueue is covered where it is there, and may be missing
    let without: String = mounts.lines().filter(|line| !line.contains(" /dev/mqueue ")).map(|line| format!("{line}\n")).collect();
    assert_eq!(in_force::hidden(&text(&without), &text(SHOW), PID).verdict, Verdict::Holds);
    assert_eq!(in_force::hidden(&text(mounts), &text(SHOW), None).verdict, Verdict::Unseen);
}
