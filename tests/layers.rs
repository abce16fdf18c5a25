//! The walls of the workspace: which crate may name which, who may use `unsafe`, who reads the clock. Each check is a function over plain
//! data, run once over the real manifests and sources and once over a planted offender, so that it is known to be able to fail.

#![expect(clippy::unwrap_used, reason = "what cannot be read fails the test")]

#[path = "layers/serialised.rs"]
mod serialised;
#[path = "layers/source.rs"]
mod source;
#[path = "layers/walls.rs"]
mod walls;

use cargo_metadata::{DependencyKind, MetadataCommand};
use serialised::written_out;
use source::{code_of, shipped, words};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use walls::{ROOT, WALLS};

/// Powerful crates, who may name them, and who may for tests alone.
const FENCES: &[Fence] = &[
    Fence { name: "cryptoki", inside: &["keys"], in_tests: &[] },
    Fence { name: "rusqlite", inside: &["store"], in_tests: &[] },
    Fence { name: "rusqlite_migration", inside: &["store"], in_tests: &[] },
    Fence { name: "libsqlite3-sys", inside: &["store"], in_tests: &[] },
    Fence { name: "aws-lc-rs", inside: &["sealing"], in_tests: &[] },
    Fence { name: "aes-gcm", inside: &[], in_tests: &[] },
    Fence { name: "rustls", inside: &["edge", "client", "inspect"], in_tests: &["support", ROOT] },
    Fence { name: "tokio-rustls", inside: &["edge", "client"], in_tests: &["support", ROOT] },
    Fence { name: "axum", inside: &["edge"], in_tests: &[] },
    Fence { name: "landlock", inside: &["hardening"], in_tests: &[] },
    Fence { name: "seccompiler", inside: &["hardening"], in_tests: &[] },
    Fence { name: "libc", inside: &["hardening", "prisoner"], in_tests: &[] },
    Fence { name: "nix", inside: &["hardening"], in_tests: &["support", ROOT] },
];

/// The one crate in which `unsafe` may stand, and the one tool of the tests: it makes the system calls that must be refused.
const UNSAFE_MEMBERS: &[(&str, &str)] = &[("hardening", "src/hardening/"), ("prisoner", "tests/appliance/prisoner/")];
/// The one file of the appliance that reads the system clock. Beside it three that are no part of it: the tests type one-time codes, the
/// generator makes children who are under 18 today, and a witness says when it cosigned.
const CLOCKS: &[&str] = &["src/identity/clock.rs", "tests/support/clock.rs", "src/synthesise/command.rs", "src/client/clock.rs"];
/// Ways to write a file, and the files of the client that may: the session's token, the sealed log, a witness's own key, and what is
/// sealed for somebody else.
const WRITING: &[&str] = &["fs::write", "File::create", "File::options", "OpenOptions", "fs::copy"];
const CLIENT_WRITES: &[&str] =
    &["src/client/session.rs", "src/client/log_folder.rs", "src/client/witness_folder.rs", "src/client/statements.rs"];
/// Ways to open a network socket, and the two files that may: the client's connection, and the operators' knock at their own machine's door,
/// which sees TLS as a stranger does and sends no request.
const SOCKETS: &[&str] = &["TcpStream::connect", "TcpListener::bind", "TcpSocket", "UdpSocket", "socket(", "UnixListener::bind"];
const CONNECTS: &[&str] = &["src/client/connection.rs", "src/inspect/door.rs"];
/// No file is longer.
const MOST_LINES: usize = 500;

/// Who writes out names, addresses and the like: file and type. `policy`'s one type, the words themselves, and people who work here.
const WRITTEN_OUT: &[(&str, &str)] = &[
    ("src/policy/shown.rs", "*"),
    ("src/domain/name.rs", "Name"),
    ("src/domain/contact.rs", "Address"),
    ("src/settings/sections.rs", "AlsoShown"),
    ("src/directory/alerts.rs", "Actor"),
    ("src/directory/people.rs", "PersonStanding"),
    ("src/directory/who_saw.rs", "Looker"),
    ("src/directory/who_saw.rs", "LookAnswer"),
    ("src/edge/handlers/session.rs", "LoggedIn"),
];

struct Fence {
    name: &'static str,
    inside: &'static [&'static str],
    in_tests: &'static [&'static str],
}

/// A member as its manifest has it: names without the prefix `contactpoint-`.
#[derive(Debug, Clone, Default)]
struct Member {
    name: String,
    /// Members that it builds on (build and normal dependencies).
    builds_on: BTreeSet<String>,
    /// Crates of others that it builds on.
    foreign: BTreeSet<String>,
    /// Crates that its tests alone name, of either sort.
    tested_with: BTreeSet<String>,
    /// `dangerous-` features that it asks of what it builds on.
    dangerous: Vec<String>,
    /// Its manifest.
    manifest: toml::Table,
}

fn short(name: &str) -> &str {
    name.strip_prefix("contactpoint-").unwrap_or(name)
}

fn members() -> Vec<Member> {
    let packages = MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec().unwrap().packages;
    let ours: BTreeSet<String> = packages.iter().map(|package| package.name.to_string()).collect();
    packages.iter().map(|package| member(package, &ours)).collect()
}

fn member(package: &cargo_metadata::Package, ours: &BTreeSet<String>) -> Member {
    let mut member = Member { name: short(&package.name).to_owned(), ..Member::default() };
    for dependency in &package.dependencies {
        let name = short(&dependency.name).to_owned();
        if dependency.kind != DependencyKind::Development {
            let features = dependency.features.iter().filter(|feature| feature.starts_with("dangerous"));
            member.dangerous.extend(features.map(|feature| format!("{name}/{feature}")));
        }
        if dependency.kind == DependencyKind::Development {
            member.tested_with.insert(name);
        } else if ours.contains(&dependency.name) {
            member.builds_on.insert(name);
        } else {
            member.foreign.insert(name);
        }
    }
    member.manifest = std::fs::read_to_string(&package.manifest_path).unwrap().parse().unwrap();
    member
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The sources and scripts below the folders that we write: path from the root, text.
fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = ["src", "tests", "benches", "packaging", "selinux"].iter().map(|folder| root().join(folder)).collect();
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs" || kind == "sh" || kind == "py") {
                let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
                found.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found
}

// --- the checks: each returns its offenders, one sentence each -------------------------------------------------------------------

/// Members that name a member which the table does not allow, members not in the table, and lines of the table that nothing uses.
fn through_the_wall(members: &[Member], walls: &[(&str, &[&str])]) -> Vec<String> {
    let mut offenders = Vec::new();
    for member in members {
        let Some((_, allowed)) = walls.iter().find(|(name, _)| *name == member.name) else {
            offenders.push(format!("{} is not in the table", member.name));
            continue;
        };
        let allowed: BTreeSet<String> = allowed.iter().map(|name| (*name).to_owned()).collect();
        offenders.extend(member.builds_on.difference(&allowed).map(|other| format!("{} names {other}", member.name)));
        offenders.extend(allowed.difference(&member.builds_on).map(|other| format!("{} does not use {other}", member.name)));
    }
    offenders
}

/// Lines of the table that name a later line: the flow would run backwards.
fn against_the_flow(walls: &[(&str, &[&str])]) -> Vec<String> {
    let place: BTreeMap<&str, usize> = walls.iter().enumerate().map(|(at, (name, _))| (*name, at)).collect();
    let backwards = |name: &str, other: &str| place.get(other).is_none_or(|at| *at >= place[name]);
    let pairs = walls.iter().flat_map(|(name, others)| others.iter().map(move |other| (*name, *other)));
    pairs.filter(|(name, other)| backwards(name, other)).map(|(name, other)| format!("{name} names {other}")).collect()
}

/// Members that name a fenced crate from outside its fence.
fn over_the_fence(members: &[Member], fences: &[Fence]) -> Vec<String> {
    let mut offenders = Vec::new();
    for fence in fences {
        for member in members {
            let inside = fence.inside.contains(&member.name.as_str());
            let tests = fence.in_tests.contains(&member.name.as_str());
            // support is a crate of tests: what it builds on, tests build on
            let builds = member.foreign.contains(fence.name) && !(inside || tests && member.name == "support");
            if builds || member.tested_with.contains(fence.name) && !(inside || tests) {
                offenders.push(format!("{} names {}", member.name, fence.name));
            }
        }
    }
    offenders
}

/// Members that build with what is for tests alone, and features of theirs that would by default.
fn in_danger(members: &[Member]) -> Vec<String> {
    let by_default = |member: &Member| {
        let default = member.manifest.get("features").and_then(|features| features.get("default")).and_then(toml::Value::as_array);
        default.into_iter().flatten().filter_map(toml::Value::as_str).filter(|name| name.contains("dangerous")).map(str::to_owned).collect()
    };
    let asks = |member: &Member| [member.dangerous.clone(), by_default(member)].concat();
    members.iter().flat_map(|member| asks(member).into_iter().map(|feature| format!("{} asks for {feature}", member.name))).collect()
}

/// Members whose lints let `unsafe` in.
fn without_the_lints(members: &[Member], workspace: &toml::Table) -> Vec<String> {
    let mut offenders = Vec::new();
    if lint(workspace.get("workspace").and_then(toml::Value::as_table), "rust", "unsafe_code") != Some("forbid") {
        offenders.push("the workspace does not forbid unsafe code".to_owned());
    }
    for member in members {
        let lints = member.manifest.get("lints");
        let shared = lints.and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool) == Some(true);
        let own = lint(Some(&member.manifest), "clippy", "undocumented_unsafe_blocks") == Some("deny")
            && lint(Some(&member.manifest), "rust", "unsafe_op_in_unsafe_fn") == Some("deny");
        if !(if UNSAFE_MEMBERS.iter().any(|(name, _)| *name == member.name) { own } else { shared }) {
            offenders.push(format!("{} does not have the lints it should", member.name));
        }
    }
    offenders
}

fn lint<'a>(table: Option<&'a toml::Table>, tool: &str, name: &str) -> Option<&'a str> {
    table?.get("lints")?.get(tool)?.get(name)?.as_str()
}

/// Files outside the fence in which `unsafe` stands as code.
fn unsafe_outside(sources: &[(String, String)]) -> Vec<String> {
    let fenced = |path: &str| UNSAFE_MEMBERS.iter().any(|(_, folder)| path.starts_with(folder));
    let outside = sources.iter().filter(|(path, _)| path.ends_with(".rs") && !fenced(path));
    outside.filter(|(_, text)| words(&code_of(text)).any(|word| word == "unsafe")).map(|(path, _)| path.clone()).collect()
}

/// Files that ask to be let past the ban on the clock, or reach it from the epoch.
fn reads_the_clock(sources: &[(String, String)]) -> Vec<String> {
    let others = sources.iter().filter(|(path, _)| path.ends_with(".rs") && !CLOCKS.contains(&path.as_str()));
    let asks = |text: &str| words(&code_of(text)).any(|word| word == "disallowed_methods" || word == "UNIX_EPOCH");
    others.filter(|(_, text)| asks(text)).map(|(path, _)| path.clone()).collect()
}

/// Ways to the clock that clippy.toml does not ban.
fn clocks_not_banned(clippy: &toml::Table) -> Vec<String> {
    let banned = clippy.get("disallowed-methods").and_then(toml::Value::as_array);
    let banned: BTreeSet<&str> = banned.into_iter().flatten().filter_map(|entry| entry.get("path")?.as_str()).collect();
    let clocks = ["std::time::SystemTime::now", "jiff::Timestamp::now", "jiff::Zoned::now"];
    clocks.iter().filter(|clock| !banned.contains(*clock)).map(|clock| (*clock).to_owned()).collect()
}

/// Shipped files below `folder` that do one of these things without being allowed to.
fn does_without_leave(sources: &[(String, String)], folder: &str, things: &[&str], allowed: &[&str]) -> Vec<String> {
    let shipped = shipped(sources);
    let others = shipped.iter().filter(|(path, _)| path.starts_with(folder) && !allowed.contains(&path.as_str()));
    others.filter(|(_, code)| things.iter().any(|thing| code.contains(thing))).map(|(path, _)| path.clone()).collect()
}

/// Files longer than house style allows.
fn too_long(sources: &[(String, String)]) -> Vec<String> {
    let lengths = sources.iter().map(|(path, text)| (path, text.lines().count()));
    lengths.filter(|(_, lines)| *lines > MOST_LINES).map(|(path, lines)| format!("{path}: {lines} lines")).collect()
}

/// Files that speak of an issue by its number, which who reads the sources does not have: rules and things have names of their own.
fn names_an_issue(sources: &[(String, String)]) -> Vec<String> {
    let is_number = |rest: &str| rest.trim_start_matches('#').starts_with(|c: char| c.is_ascii_digit());
    let speaks = |text: &str| text.split("issue ").skip(1).any(is_number);
    sources.iter().filter(|(path, text)| path != "tests/layers.rs" && speaks(text)).map(|(path, _)| path.clone()).collect()
}

// --- the workspace as it is ------------------------------------------------------------------------------------------------------

fn table(path: &Path) -> toml::Table {
    std::fs::read_to_string(path).unwrap().parse().unwrap()
}

const NONE: [&str; 0] = [];

#[test]
fn every_member_names_the_members_of_its_line_and_no_others() {
    // architecture: a circle does not compile, and the manifests show who can reach the HSM, the store, or `unsafe`
    assert_eq!(through_the_wall(&members(), WALLS), NONE);
}

#[test]
fn the_flow_runs_one_way() {
    // architecture: data flows one way through the layers
    assert_eq!(against_the_flow(WALLS), NONE);
}

#[test]
fn powerful_crates_stay_inside_their_fences() {
    // one fence for each powerful thing
    assert_eq!(over_the_fence(&members(), FENCES), NONE);
}

#[test]
fn nothing_is_built_with_what_is_for_tests_alone() {
    // test-only shortcuts start with `dangerous_` behind a feature that a release build refuses
    assert_eq!(in_danger(&members()), NONE);
}

#[test]
fn every_member_has_the_shared_lints_and_hardening_its_own() {
    // `unsafe` only in `hardening`, each block with its reason
    assert_eq!(without_the_lints(&members(), &table(&root().join("Cargo.toml"))), NONE);
}

#[test]
fn unsafe_stands_in_hardening_alone() {
    // `unsafe` only in `hardening`
    assert_eq!(unsafe_outside(&sources()), NONE);
}

#[test]
fn one_file_reads_the_clock() {
    // decisions are pure, the clock is an argument
    assert_eq!(reads_the_clock(&sources()), NONE);
    assert_eq!(clocks_not_banned(&table(&root().join("clippy.toml"))), NONE);
}

#[test]
fn the_client_writes_a_session_and_a_sealed_log_and_nothing_else() {
    // G8: the client writes no record to a file
    assert_eq!(does_without_leave(&sources(), "src/client/", WRITING, CLIENT_WRITES), NONE);
}

#[test]
fn nothing_of_the_daemon_opens_a_connection_or_binds_a_socket() {
    // B5: the daemon opens no outbound connection; architecture: it never binds
    assert_eq!(does_without_leave(&sources(), "src/", SOCKETS, CONNECTS), NONE);
}

#[test]
fn one_file_writes_out_what_a_childs_record_holds() {
    // E7: one type carries what may be shown
    assert_eq!(written_out(&shipped(&sources()), WRITTEN_OUT), NONE);
}

#[test]
fn no_file_is_past_five_hundred_lines() {
    // style: a file that is read in one go
    assert_eq!(too_long(&sources()), NONE);
}

#[test]
fn no_source_speaks_of_an_issue_by_its_number() {
    // style: comments name the rule or the thing
    assert_eq!(names_an_issue(&sources()), NONE);
}

// --- and an offender for each check ----------------------------------------------------------------------------------------------

fn planted(name: &str, builds_on: &[&str], foreign: &[&str], tested_with: &[&str]) -> Member {
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let manifest = "[lints]\nworkspace = true".parse().unwrap();
    let (builds_on, foreign, tested_with) = (set(builds_on), set(foreign), set(tested_with));
    Member { name: name.to_owned(), builds_on, foreign, tested_with, dangerous: Vec::new(), manifest }
}

fn source(path: &str, text: &str) -> Vec<(String, String)> {
    vec![(path.to_owned(), text.to_owned())]
}

#[test]
fn a_door_in_a_wall_is_found() {
    // a check that cannot fail is none
    let policy = planted("policy", &["domain", "audit", "identity", "matching", "store"], &[], &[]);
    assert_eq!(through_the_wall(&[policy], WALLS), ["policy names store"]);
    assert_eq!(through_the_wall(&[planted("matching", &[], &[], &[])], WALLS), ["matching does not use domain"]);
    assert_eq!(through_the_wall(&[planted("utils", &[], &[], &[])], WALLS), ["utils is not in the table"]);
}

#[test]
fn a_type_beside_the_one_that_is_shown_is_found() {
    // a check that cannot fail is none
    let leak = "#[derive(Debug, Serialize, ToSchema)]\npub struct Leak<'a> {\n    pub born: Option<&'a DateOfBirth>,\n}\nstruct Other { at: Name }";
    assert_eq!(written_out(&source("src/directory/view.rs", leak), &[]), ["src/directory/view.rs: Leak"]);
    assert_eq!(written_out(&source("src/directory/view.rs", leak), &[("src/directory/view.rs", "Leak")]), NONE);
    let by_hand = "impl serde::Serialize for Held { fn serialize() { let name: Name; } }";
    assert_eq!(written_out(&source("src/edge/json.rs", by_hand), &[]), ["src/edge/json.rs: Held"]);
}

#[test]
fn a_line_against_the_flow_is_found() {
    // a check that cannot fail is none
    assert_eq!(against_the_flow(&[("domain", &["store"]), ("store", &["domain"])]), ["domain names store"]);
    assert_eq!(against_the_flow(&[("domain", &["domain"])]), ["domain names domain"]);
    assert_eq!(against_the_flow(&[("domain", &["elsewhere"])]), ["domain names elsewhere"]);
}

#[test]
fn a_reach_over_a_fence_is_found() {
    // a check that cannot fail is none
    let offenders = [
        planted("directory", &[], &["rusqlite"], &[]),
        planted("edge", &[], &["axum", "rustls"], &["cryptoki"]),
        planted(ROOT, &[], &["tokio-rustls"], &["rustls"]),
        planted("support", &[], &["rustls"], &[]),
    ];
    assert_eq!(over_the_fence(&offenders, FENCES), ["edge names cryptoki", "directory names rusqlite", "contactpoint names tokio-rustls"]);
}

#[test]
fn a_dangerous_feature_outside_tests_is_found() {
    // a check that cannot fail is none
    let mut edge = planted("edge", &[], &[], &[]);
    edge.dangerous.push("keys/dangerous-test-token".to_owned());
    assert_eq!(in_danger(&[edge.clone()]), ["edge asks for keys/dangerous-test-token"]);
    edge.dangerous.clear();
    edge.manifest = "[features]\ndefault = ['dangerous-callers']".parse().unwrap();
    assert_eq!(in_danger(&[edge]), ["edge asks for dangerous-callers"]);
}

#[test]
fn a_member_without_its_lints_is_found() {
    // a check that cannot fail is none
    let workspace: toml::Table = "[workspace.lints.rust]\nunsafe_code = 'forbid'".parse().unwrap();
    let mut bare = planted("edge", &[], &[], &[]);
    assert_eq!(without_the_lints(std::slice::from_ref(&bare), &workspace), NONE);
    bare.manifest = toml::Table::new();
    assert_eq!(without_the_lints(&[bare], &workspace), ["edge does not have the lints it should"]);
    // hardening may not hide behind the shared lints, nor be without its own
    assert_eq!(without_the_lints(&[planted("hardening", &[], &[], &[])], &workspace).len(), 1);
    let lax: toml::Table = "[workspace.lints.rust]\nunsafe_code = 'deny'".parse().unwrap();
    assert_eq!(without_the_lints(&[], &lax).len(), 1);
}

#[test]
fn planted_unsafe_is_found_and_talk_of_it_is_not() {
    // a check that cannot fail is none
    let found = |text: &str| !unsafe_outside(&source("src/edge/lib.rs", text)).is_empty();
    for code in ["unsafe { f() }", "unsafe fn f() {}", "/* a */unsafe impl Send for A {}", "let c = '\"'; unsafe { } // \"", "'a: unsafe"] {
        assert!(found(code), "{code}");
    }
    for talk in ["// unsafe", "/* /* */ unsafe */", "\"unsafe\"", "r#\"a\" unsafe\"#", "unsafe_code", "\"\\\" unsafe\"", "b\"unsafe\""] {
        assert!(!found(talk), "{talk}");
    }
    assert_eq!(unsafe_outside(&source("src/hardening/memory.rs", "unsafe { f() }")), NONE);
    assert_eq!(unsafe_outside(&source("tests/support/lib.rs", "unsafe { f() }")), ["tests/support/lib.rs"]);
}

#[test]
fn a_planted_clock_is_found() {
    // a check that cannot fail is none
    let asking = "#[expect(clippy::disallowed_methods, reason = \"x\")] fn f() { SystemTime::now(); }";
    assert_eq!(reads_the_clock(&source("src/policy/lib.rs", asking)), ["src/policy/lib.rs"]);
    assert_eq!(reads_the_clock(&source("src/policy/lib.rs", "use std::time::UNIX_EPOCH;")), ["src/policy/lib.rs"]);
    assert_eq!(reads_the_clock(&source("src/identity/clock.rs", asking)), NONE);
    let lax = "[[disallowed-methods]]\npath = 'std::time::SystemTime::now'".parse().unwrap();
    assert_eq!(clocks_not_banned(&lax), ["jiff::Timestamp::now", "jiff::Zoned::now"]);
}

#[test]
fn planted_writing_and_connecting_are_found_and_tests_may_do_either() {
    // a check that cannot fail is none
    let connects = |path: &str, text: &str| does_without_leave(&source(path, text), "src/", SOCKETS, CONNECTS);
    assert_eq!(connects("src/edge/call.rs", "fn f() { TcpStream::connect(a) }"), ["src/edge/call.rs"]);
    assert_eq!(connects("src/edge/call.rs", "#[cfg(test)]\nmod tests { fn f() { TcpStream::connect(a) } }"), NONE);
    assert_eq!(connects("src/edge/call.rs", "#[cfg(test)]\nmod door;\nfn f() { TcpStream::connect(a) }"), ["src/edge/call.rs"]);
    assert_eq!(connects("src/client/connection.rs", "TcpStream::connect(a)"), NONE);
    let writes = does_without_leave(&source("src/client/view.rs", "std::fs::write(p, b)"), "src/client/", WRITING, CLIENT_WRITES);
    assert_eq!(writes, ["src/client/view.rs"]);
    let tests = [
        ("src/edge/lib.rs", "#[cfg(test)]\nmod door;"),
        ("src/edge/door/tls.rs", "TcpListener::bind(a)"),
        ("src/edge/doors.rs", "UdpSocket"),
    ];
    let tests = tests.map(|(path, text)| (path.to_owned(), text.to_owned()));
    assert_eq!(does_without_leave(&tests, "src/", SOCKETS, CONNECTS), ["src/edge/doors.rs"]);
}

#[test]
fn a_planted_monster_is_found() {
    // a check that cannot fail is none
    assert_eq!(too_long(&source("src/edge/lib.rs", &"\n".repeat(501))), ["src/edge/lib.rs: 501 lines"]);
    assert_eq!(too_long(&source("src/edge/lib.rs", &"\n".repeat(500))), NONE);
}

#[test]
fn a_planted_issue_is_found_and_the_word_is_not() {
    // a check that cannot fail is none
    for talk in ["// issue 7: x", "# see issue #12"] {
        assert_eq!(names_an_issue(&source("src/edge/lib.rs", talk)), ["src/edge/lib.rs"], "{talk}");
    }
    assert_eq!(names_an_issue(&source("src/edge/lib.rs", "// who issues a certificate; an issue of trust")), NONE);
}
