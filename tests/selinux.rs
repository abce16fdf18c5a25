//! The SELinux policy, proven on the linked whole: our module with each of Debian's, asked by setools. Each claim is held against a copy of
//! the module that breaks it, so that it is known to be able to fail. That the daemon can live with so little is tests/appliance's matter.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what cannot be read fails the test")]

#[path = "selinux/policy.rs"]
mod policy;

use policy::{broken, built, fresh, ours, whole, with, Question};
use std::collections::BTreeSet;

const SOURCES: [&str; 3] = ["selinux/contactpointd.te", "selinux/contactpointd.fc", "selinux/contactpointd.if"];

fn page(path: &str) -> String {
    std::fs::read_to_string(ours(path)).unwrap()
}

/// A claim of the daemon's: it holds on the whole policy. In a copy of the module with these lines it does not: for each, the claim names
/// what it brought (target and class), and our own assertions refuse it, by the same names.
fn claimed(claim: &str, broken_by: &[(&str, &str)]) {
    let refusal = noticed(claim, claim, broken_by).unwrap_or_else(|| panic!("{claim}: no assertion refuses {broken_by:?}"));
    for (line, brings) in broken_by {
        let violated = format!("violated by allow contactpointd_t {}", brings.replacen(' ', ":", 1));
        assert!(refusal.contains(&violated), "{line}: no assertion refuses it: {refusal}");
    }
}

/// The same for what an operator's boolean may allow, so that no assertion can refuse it.
fn claimed_without_assertion(claim: &str, broken_by: &[(&str, &str)]) {
    noticed(claim, &format!("{claim}-without-assertion"), broken_by);
}

fn noticed(claim: &str, name: &str, broken_by: &[(&str, &str)]) -> Option<String> {
    kept(claim);
    let lines: Vec<&str> = broken_by.iter().map(|(line, _)| *line).collect();
    let copy = with(name, &lines);
    let found = copy.policy.breaks(claim);
    for (line, brings) in broken_by {
        assert!(found.iter().any(|rule| rule.starts_with(brings)), "{line}: the claim on {claim} does not notice it: {found:#?}");
    }
    copy.refusal
}

fn kept(claim: &str) {
    let found: Vec<&String> = broken().iter().filter(|line| line.split('\t').next() == Some(claim)).collect();
    assert!(found.is_empty(), "{claim}: {found:#?}");
}

// --- what the daemon cannot reach ------------------------------------------------------------------------------------------------------

#[test]
fn no_disk_is_within_reach_fixed_or_removable() {
    // G5: no way to physical media, no device access; refused by SELinux on its own
    claimed(
        "disks",
        &[
            ("storage_raw_read_fixed_disk(contactpointd_t)", "fixed_disk_device_t blk_file"),
            ("storage_raw_write_removable_device(contactpointd_t)", "removable_device_t blk_file"),
        ],
    );
}

#[test]
fn no_usb_device_is_within_reach_but_by_its_boolean() {
    // G5: no device access
    claimed_without_assertion("usb", &[("dev_rw_generic_usb_dev(contactpointd_t)", "usb_device_t chr_file")]);
    let other = "tunable_policy(`contactpointd_network_hsm',` dev_rw_generic_usb_dev(contactpointd_t) ')";
    claimed_without_assertion("usb", &[(other, "usb_device_t chr_file")]);
}

#[test]
fn no_memory_and_no_other_device_is_within_reach() {
    // G5: no device access
    claimed(
        "devices",
        &[
            ("dev_read_raw_memory(contactpointd_t)", "memory_device_t chr_file"),
            ("dev_rw_printer(contactpointd_t)", "printer_device_t chr_file"),
        ],
    );
}

#[test]
fn no_memory_is_written_and_then_run() {
    // G5: writes only below the state directory, each bar on its own; code that was smuggled in does not run
    claimed(
        "memory",
        &[
            ("allow contactpointd_t self:process { execmem execstack execheap };", "contactpointd_t process"),
            ("allow contactpointd_t contactpointd_var_lib_t:file execmod;", "contactpointd_var_lib_t file"),
        ],
    );
}

#[test]
fn no_other_process_is_looked_into_or_ended() {
    // G1: no operator can read child data, and no program in their place
    claimed(
        "processes",
        &[("allow contactpointd_t self:process ptrace;", "contactpointd_t process"), ("init_signal(contactpointd_t)", "init_t process")],
    );
}

#[test]
fn no_capability_is_held() {
    // G5: no device access: a capability would open what a mode bars
    claimed(
        "capabilities",
        &[
            ("allow contactpointd_t self:capability dac_read_search;", "contactpointd_t capability"),
            ("allow contactpointd_t self:cap_userns sys_admin;", "contactpointd_t cap_userns"),
        ],
    );
}

#[test]
fn nobody_is_called() {
    // B5: the daemon opens no outbound connection
    claimed(
        "calls",
        &[
            ("corenet_tcp_connect_all_ports(contactpointd_t)", "ssh_port_t tcp_socket { name_connect }"),
            ("corenet_tcp_bind_http_port(contactpointd_t)", "http_port_t tcp_socket { name_bind }"),
            ("allow contactpointd_t self:udp_socket create_socket_perms;", "contactpointd_t udp_socket"),
            ("allow contactpointd_t self:netlink_route_socket create;", "contactpointd_t netlink_route_socket"),
            ("allow contactpointd_t self:tcp_socket listen;", "contactpointd_t tcp_socket"),
        ],
    );
}

#[test]
fn no_tcp_socket_is_made_but_by_its_boolean() {
    // B5: the daemon opens no outbound connection; it has no right to make a TCP socket
    let other = "tunable_policy(`contactpointd_pcscd',` allow contactpointd_t contactpointd_hsm_port_t:tcp_socket name_connect; ')";
    let told = "tunable_policy(`contactpointd_pcscd',` allow contactpointd_t self:netlink_kobject_uevent_socket create; ')";
    claimed_without_assertion(
        "calls",
        &[
            (told, "contactpointd_t netlink_kobject_uevent_socket { create } [contactpointd_pcscd]"),
            ("allow contactpointd_t self:tcp_socket create;", "contactpointd_t tcp_socket"),
            (other, "contactpointd_hsm_port_t tcp_socket { name_connect } [contactpointd_pcscd]"),
        ],
    );
}

#[test]
fn no_program_is_run_but_its_own() {
    // G5: no export: what cannot be run writes nothing out
    claimed(
        "programs",
        &[
            ("corecmd_exec_shell(contactpointd_t)", "shell_exec_t file"),
            ("can_exec(contactpointd_t, contactpointd_var_lib_t)", "contactpointd_var_lib_t file"),
        ],
    );
}

#[test]
fn no_other_domain_is_entered() {
    // G5: a bar that could be left is none; setools' domain transition analysis finds no way out
    claimed(
        "domain",
        &[
            ("auth_domtrans_chk_passwd(contactpointd_t)", "chkpwd_t process"),
            ("allow contactpointd_t self:process { setcurrent dyntransition };", "contactpointd_t process"),
        ],
    );
    let steps = with("domain-steps", &["auth_domtrans_chk_passwd(contactpointd_t)"]).policy.breaks("domain");
    assert!(steps.contains(&"contactpointd_t -> chkpwd_t".to_owned()), "the analysis does not find the way out: {steps:?}");
}

#[test]
fn no_label_is_changed() {
    // G5: what could be labelled anew could be reached
    claimed("labels", &[("allow contactpointd_t contactpointd_var_lib_t:file { relabelfrom relabelto };", "contactpointd_var_lib_t file")]);
}

#[test]
fn no_other_users_files_are_within_reach() {
    // G5: no way to what is not the directory's own
    claimed(
        "homes",
        &[
            ("userdom_read_user_home_content_files(contactpointd_t)", "user_home_t file"),
            ("files_list_home(contactpointd_t)", "home_root_t dir"),
        ],
    );
}

#[test]
fn nothing_is_written_outside_the_state_directory() {
    // G5: writes only below the state directory
    claimed(
        "writes",
        &[
            ("files_manage_generic_tmp_files(contactpointd_t)", "tmp_t file"),
            ("allow contactpointd_t contactpointd_etc_t:file { open write };", "contactpointd_etc_t file"),
            ("files_manage_generic_tmp_dirs(contactpointd_t)", "tmp_t dir"),
        ],
    );
}

#[test]
fn no_module_is_loaded_and_nothing_mounted() {
    // G5: there is no way to physical media: none is mounted, and no driver of one loaded
    claimed(
        "kernel",
        &[
            ("kernel_load_module(contactpointd_t)", "modules_object_t system"),
            ("fs_mount_xattr_fs(contactpointd_t)", "fs_t filesystem"),
            ("selinux_load_policy(contactpointd_t)", "security_t security"),
        ],
    );
}

#[test]
fn the_domain_is_enforced() {
    // G5: a permissive domain is a log and no bar
    kept("enforced");
    assert!(!with("permissive", &["permissive contactpointd_t;"]).policy.breaks("enforced").is_empty());
}

#[test]
fn every_hsm_boolean_is_off_until_an_operator_says_so() {
    // G5: no device access, B5: no outbound connection: an HSM that needs either is an operator's decision
    kept("booleans");
    let on: Vec<String> = page(SOURCES[0]).lines().filter(|line| line.starts_with("gen_tunable(")).map(str::to_owned).collect();
    assert!(on.len() == 3 && on.iter().all(|line| line.ends_with(", false)")), "{on:?}");
}

// --- everything that it can ------------------------------------------------------------------------------------------------------------

#[test]
fn everything_that_is_allowed_is_listed_with_its_reason() {
    // G5: what is not listed is refused. Each boolean adds what carries its name there, and nothing else
    listed("tests/selinux/reach.txt", &whole().ask(Question::Reach));
}

#[test]
fn whoever_else_comes_near_is_listed_with_the_reason() {
    // G1: no operator can read child data: who can read its ciphertext, look into the daemon, or stand in for it, in Debian's own policy
    listed("tests/selinux/others.txt", &whole().ask(Question::Others));
}

#[test]
fn wherever_information_can_flow_to_is_listed_with_the_reason() {
    // G5, B5: by setools' information flow analysis
    listed("tests/selinux/flows.txt", &with("flows", &[]).policy.ask(Question::Flows));
    let leak = with("leak", &["storage_raw_write_removable_device(contactpointd_t)"]).policy.ask(Question::Flows);
    assert!(leak.contains(&"removable_device_t".to_owned()), "a flow to removable media is not noticed: {leak:?}");
}

/// The list and the answer are the same set, and each line of the list has a reason.
fn listed(list: &str, found: &[String]) {
    let text = page(list);
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let known: BTreeSet<&str> = lines.map(|line| reasoned(line).unwrap_or_else(|| panic!("{list}: no reason: {line}"))).collect();
    let found: BTreeSet<&str> = found.iter().map(String::as_str).collect();
    let (new, gone): (Vec<_>, Vec<_>) = (found.difference(&known).collect(), known.difference(&found).collect());
    assert!(new.is_empty() && gone.is_empty(), "{list}: not in the list: {new:#?}; in the list, and not so: {gone:#?}");
}

/// What a line says, where it has a reason.
fn reasoned(line: &str) -> Option<&str> {
    line.split_once("  # ").filter(|(_, reason)| reason.len() > 5).map(|(what, _)| what.trim())
}

// --- the module itself -----------------------------------------------------------------------------------------------------------------

#[test]
fn every_rule_has_its_reason() {
    // security policy is data with a reason on each line
    for source in SOURCES {
        assert_eq!(without_reason(&page(source)), Vec::<String>::new(), "{source}");
    }
    let naked = "# A headline.\n\nallow a_t b_t:file read;\n\n# Because.\nallow a_t c_t:file read;\n";
    assert_eq!(without_reason(naked), ["allow a_t b_t:file read;"]);
}

/// The blocks, divided by empty lines, that have rules and do not begin with a reason. What stands indented belongs to the line above it.
fn without_reason(source: &str) -> Vec<String> {
    let mut bare = Vec::new();
    let mut reason = false;
    for line in source.lines() {
        match line {
            _ if line.starts_with('#') => reason = line.trim_matches(['#', ' ']).len() > 5 || reason,
            "" => reason = false,
            _ if line.starts_with(['\t', ' ', '\'']) || line.starts_with("policy_module(") || line.starts_with("gen_require(") => {}
            _ if !reason => bare.push(line.to_owned()),
            _ => {}
        }
    }
    bare
}

#[test]
fn the_module_is_the_same_bytes_wherever_it_is_built() {
    // packages: byte-reproducible from two different directories
    let bytes = ["reproducible", "reproducible/elsewhere/and/deeper"].map(|name| std::fs::read(built(&fresh(name), &[])).unwrap());
    assert!(bytes[0] == bytes[1], "two builds differ");
    let other = std::fs::read(built(&fresh("reproducible-not"), &["allow contactpointd_t self:process ptrace;"])).unwrap();
    assert!(bytes[0] != other, "another module is told from this one");
}

#[test]
fn every_path_that_the_unit_gives_the_daemon_has_its_type() {
    // G5: writes only below the state directory: the unit's directories, as the policy labels them
    let contexts = page("selinux/contactpointd.fc");
    for (path, label) in [
        ("/usr/sbin/contactpointd\t--", "contactpointd_exec_t"),
        ("/usr/lib/contactpoint/root/usr/sbin/contactpointd\t--", "contactpointd_exec_t"),
        ("/etc/contactpoint(/.*)?", "contactpointd_etc_t"),
        ("/var/lib/contactpoint(/.*)?", "contactpointd_var_lib_t"),
        ("/var/lib/contactpoint-softhsm(/.*)?", "contactpointd_var_lib_t"),
        ("/run/contactpoint(/.*)?", "contactpointd_runtime_t"),
    ] {
        let line = format!("{path}\tgen_context(system_u:object_r:{label},s0)");
        assert!(contexts.lines().any(|found| found == line), "no line {line:?}");
    }
    let unit = page("packaging/systemd/contactpointd.service");
    for directive in [
        "ExecStart=/usr/sbin/contactpointd",
        "BindReadOnlyPaths=/etc/contactpoint",
        "StateDirectory=contactpoint",
        "RootDirectory=/usr/lib/contactpoint/root",
    ] {
        assert!(unit.lines().any(|line| line == directive), "the unit no longer says {directive}");
    }
}
