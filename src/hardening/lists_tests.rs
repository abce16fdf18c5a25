//! The shipped lists are as they must be, and a list that is not is refused.

use crate::paths::{self, Use};
use crate::seccomp_filter::compiled;
use crate::syscalls::{self, Section, Verdict};
use crate::{HsmAttachment, Surroundings};

#[test]
fn the_shipped_lists_are_read_and_give_a_reason_on_each_line() {
    // security policy is data with a reason on each line
    assert!(syscalls::shipped().unwrap().iter().all(|line| !line.reason.is_empty()));
    assert_eq!(paths::parse(paths::LIST).unwrap().len(), 4);
}

#[test]
fn a_source_names_a_program_a_file_and_a_function() {
    // what no test of ours shows to be needed can be looked up
    let reasons = syscalls::shipped().unwrap().into_iter().map(|line| line.reason);
    let reasons = reasons.chain(paths::parse(paths::LIST).unwrap().into_iter().map(|line| line.reason));
    for reason in reasons.filter(|reason| reason.contains("source")) {
        let source = reason.split_once("(source: ").and_then(|(_, source)| source.strip_suffix(')'));
        assert_eq!(source.map(|source| source.split(", ").filter(|part| !part.is_empty()).count()), Some(3), "{reason}");
    }
}

#[test]
fn a_line_without_a_reason_or_with_an_unknown_word_is_refused() {
    // the parser refuses a line without a reason
    let why = |text: &str| syscalls::parse(text).unwrap_err().why;
    assert_eq!(why("[always]\nread"), "no reason");
    assert_eq!(why("[always]\nread #  "), "no reason");
    assert_eq!(why("read # files"), "a line before the first heading");
    assert_eq!(why("[sometimes]"), "unknown heading");
    assert_eq!(why("[always]\nread # a\nread # b"), "the same line again");
    assert_eq!(why("[always]\nsocket arg0=AF_ANY # x"), "unknown constant");
    assert_eq!(why("[always]\nsocket arg6=AF_UNIX # x"), "arguments are arg0 to arg5");
    assert_eq!(why("[always]\nmmap arg2 without PROT_EXEC # x"), "a condition is argN=VALUE or argN lacks FLAG");
    assert_eq!(why("[always]\nsocket arg1 has SOCK_STREAM # x"), "a condition is argN=VALUE or argN lacks FLAG");
    assert_eq!(why("[always]\nclone3 -> EAGAIN # x"), "unknown error number");
    let why = |text: &str| paths::parse(text).unwrap_err().why;
    assert_eq!(why("STATE read write"), "no reason");
    assert_eq!(why("/home read # x"), "unknown place");
    assert_eq!(why("STATE read execute # x"), "what may be done is read, or read write");
    assert_eq!(why("STATE read # x\nSTATE read # y"), "the same place again");
}

#[test]
fn conditions_are_about_the_argument_they_name() {
    let [mmap, socket, stream] =
        ["mmap arg2 lacks PROT_EXEC # x", "socket arg0=AF_UNIX # x", "socket arg0=AF_INET arg1=SOCK_STREAM|SOCK_CLOEXEC # x"]
            .map(|line| syscalls::parse(&format!("[always]\n{line}")).unwrap().remove(0));
    assert!(mmap.fits("mmap", &[0, 0, 3]) && !mmap.fits("mmap", &[0, 0, 7]) && !mmap.fits("munmap", &[0, 0, 3]));
    assert!(socket.fits("socket", &[1]) && !socket.fits("socket", &[2]));
    assert!(stream.fits("socket", &[2, 0o2000001]) && !stream.fits("socket", &[2, 0o2000003]) && !stream.fits("socket", &[1, 0o2000001]));
    // an int is its low half for the kernel, whatever lies above
    assert!(socket.fits("socket", &[0x1_0000_0001]));
}

#[test]
fn the_list_compiles_for_each_attachment_and_names_no_call_twice_over() {
    for attachment in [HsmAttachment::Files, HsmAttachment::UnixSocket, HsmAttachment::Usb, HsmAttachment::Network { port: 9004 }] {
        let filters = compiled(&syscalls::effective(attachment).unwrap()).unwrap();
        assert_eq!(filters.len(), 3, "what is allowed, and two kinds of refusals: {attachment:?}");
    }
    let bad = syscalls::parse("[always]\nread_minds # x").unwrap();
    assert!(compiled(&bad).is_err(), "an unknown call does not compile");
}

#[test]
fn no_line_of_the_list_lets_a_process_or_an_inet_socket_or_executable_memory_be_made() {
    // G5, B5: no shell, no outbound connection, whatever runs inside
    let lines = syscalls::effective(HsmAttachment::Files).unwrap();
    let allowed = |name: &str, arguments: &[u64]| lines.iter().any(|line| line.verdict == Verdict::Allow && line.fits(name, arguments));
    let denied: &[(&str, &[u64])] = &[
        ("execve", &[]),
        ("execveat", &[]),
        ("fork", &[]),
        ("vfork", &[]),
        ("clone", &[17]),
        ("clone3", &[]),
        ("socket", &[2, 1]),
        ("socket", &[10, 1]),
        ("socket", &[16, 3]),
        ("bind", &[]),
        // what is inherited or accepted lives in the machine's network, whatever the unit's own network is
        ("connect", &[]),
        ("sendto", &[3, 0, 0, 0x2000_0000]),
        ("sendmsg", &[3, 0, 0x2000_0000]),
        ("shutdown", &[3, 0]),
        ("shutdown", &[3, 2]),
        ("setsockopt", &[3, 6, 23]),
        ("setsockopt", &[3, 6, 30]),
        ("listen", &[]),
        ("mmap", &[0, 0, 7]),
        ("mprotect", &[0, 0, 5]),
        ("ptrace", &[]),
        ("mount", &[]),
        ("unshare", &[]),
        ("kill", &[]),
        ("mknodat", &[]),
        ("mkdirat", &[]),
        ("linkat", &[]),
        ("init_module", &[]),
        ("bpf", &[]),
        ("io_uring_setup", &[]),
        ("keyctl", &[]),
        ("ioctl", &[]),
        ("prctl", &[4, 1]),
        ("setuid", &[0]),
        ("capset", &[]),
        ("seccomp", &[]),
    ];
    for (name, arguments) in denied {
        assert!(!allowed(name, arguments), "{name} {arguments:?}");
    }
    assert!(
        allowed("read", &[0, 0, 0]) && allowed("socket", &[1, 1]) && allowed("sendto", &[3, 0, 0, 0x4000]),
        "the judge can also say yes"
    );
}

#[test]
fn lines_for_other_hsms_are_in_force_only_with_these() {
    let names = |attachment| syscalls::effective(attachment).unwrap().iter().map(|line| line.section).collect::<Vec<_>>();
    assert!(!names(HsmAttachment::Files)
        .iter()
        .any(|section| matches!(section, Section::HsmUnixSocket | Section::HsmUsb | Section::HsmNetwork)));
    assert!(names(HsmAttachment::Usb).contains(&Section::HsmUsb) && !names(HsmAttachment::Usb).contains(&Section::HsmNetwork));
    assert!(names(HsmAttachment::UnixSocket).contains(&Section::HsmUnixSocket));
    assert!(!names(HsmAttachment::UnixSocket).contains(&Section::HsmNetwork));
    assert!(names(HsmAttachment::Network { port: 1 }).contains(&Section::HsmNetwork));
}

#[test]
fn what_may_be_written_is_below_the_state_directory_and_where_the_hsm_says() {
    // G5: writes only below the state directory
    let surroundings = Surroundings {
        state: "/var/lib/contactpoint".into(),
        configuration: "/etc/contactpoint".into(),
        reads: vec!["/var/lib/contactpoint-softhsm".into()],
        writes: vec!["/run/hsm".into()],
        attachment: HsmAttachment::Files,
    };
    let effective = paths::effective(&surroundings).unwrap();
    let of = |access| effective.iter().filter(|place| place.access == access).map(|place| place.path.to_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(of(Use::ReadWrite), ["/var/lib/contactpoint", "/run/hsm"]);
    assert_eq!(of(Use::Read), ["/etc/contactpoint", "/var/lib/contactpoint-softhsm"]);
}

#[test]
fn a_network_hsm_may_be_connected_to_and_for_all_others_connect_is_refused() {
    // B5: a connection is refused; where a network HSM needs one, the refusal must not stand in front of it
    let refuses_connect = |attachment| {
        let filters = syscalls::filters(&syscalls::effective(attachment).unwrap());
        filters["refused 1"]["filter"].as_array().unwrap().iter().any(|rule| rule["syscall"] == "connect")
    };
    assert!([HsmAttachment::Files, HsmAttachment::UnixSocket, HsmAttachment::Usb].into_iter().all(refuses_connect));
    assert!(!refuses_connect(HsmAttachment::Network { port: 9004 }));
}
