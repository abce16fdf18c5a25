//! The policy as it would be on an appliance: our module built by Debian's rules, linked with Debian's own modules, expanded to what a
//! kernel loads, and asked by setools. Built once for all tests of this program. Judging the answers is the tests' matter.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, OnceLock};

/// What a fresh machine may lack, and how to see that it is there.
const TOOLS: &[(&str, &str)] = &[
    ("/usr/share/selinux/devel/Makefile", "selinux-policy-dev"),
    ("/usr/share/selinux/default/base.pp.bz2", "selinux-policy-default"),
    ("/usr/bin/checkmodule", "checkpolicy"),
    ("/usr/bin/m4", "m4"),
    ("/usr/bin/make", "make"),
    ("/usr/bin/bunzip2", "bzip2"),
    ("/usr/bin/semodule_link", "semodule-utils"),
    ("/usr/bin/semodule_expand", "semodule-utils"),
    ("/usr/bin/semodule_package", "semodule-utils"),
    ("/usr/lib/python3/dist-packages/setools/__init__.py", "python3-setools"),
];

/// What can be asked: `tests/selinux/ask.py` says what the answers are.
#[derive(Clone, Copy)]
pub(crate) enum Question {
    Claims,
    Reach,
    Others,
    Flows,
}

/// A linked policy that can be asked.
pub(crate) struct Policy(PathBuf);

impl Policy {
    /// The answer's lines.
    pub(crate) fn ask(&self, question: Question) -> Vec<String> {
        let word = match question {
            Question::Claims => "claims",
            Question::Reach => "reach",
            Question::Others => "others",
            Question::Flows => "flows",
        };
        let output = Command::new("/usr/bin/python3").arg(ours("tests/selinux/ask.py")).arg(word).arg(&self.0).output().unwrap();
        assert!(output.status.success(), "ask.py {word}: {}", said(&output));
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    /// The rules that break a claim.
    pub(crate) fn breaks(&self, claim: &str) -> Vec<String> {
        let lines = self.ask(Question::Claims);
        lines
            .iter()
            .filter_map(|line| line.split_once('\t'))
            .filter(|(named, _)| *named == claim)
            .map(|(_, rule)| rule.to_owned())
            .collect()
    }
}

/// All of Debian's modules and ours. Assertions held, or this fails.
pub(crate) fn whole() -> &'static Policy {
    static WHOLE: OnceLock<Policy> = OnceLock::new();
    WHOLE.get_or_init(|| {
        let folder = fresh("whole");
        linked("whole", &folder, &[]).unwrap_or_else(|why| panic!("the module does not link with Debian's policy: {why}"))
    })
}

/// What breaks a claim of the whole policy: asked once.
pub(crate) fn broken() -> &'static [String] {
    static BROKEN: OnceLock<Vec<String>> = OnceLock::new();
    BROKEN.get_or_init(|| whole().ask(Question::Claims))
}

/// A copy of the module with more lines, linked with Debian's base policy.
pub(crate) struct Copy {
    /// As a kernel would load it, since `semodule` on Debian does not look at assertions.
    pub(crate) policy: Policy,
    /// What the assertions say to it, where they refuse it.
    pub(crate) refusal: Option<String>,
}

/// The copy of this name, with these lines added to the module.
pub(crate) fn with(name: &str, lines: &[&str]) -> Copy {
    let folder = fresh(name);
    match linked("base", &folder, lines) {
        Ok(policy) => Copy { policy, refusal: None },
        Err(refusal) => {
            succeed(Command::new(ours("selinux/link.sh")).arg("expand").arg(folder.join("linked")));
            Copy { policy: Policy(folder.join("linked/unchecked")), refusal: Some(refusal) }
        }
    }
}

/// The module's bytes, built in this folder.
pub(crate) fn built(folder: &Path, lines: &[&str]) -> PathBuf {
    demand_tools();
    std::fs::create_dir_all(folder).unwrap();
    let more = folder.join("more");
    std::fs::write(&more, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    succeed(Command::new(ours("selinux/build.sh")).arg(folder.join("module")).arg(&more));
    folder.join("module/contactpointd.pp")
}

fn linked(extent: &str, folder: &Path, lines: &[&str]) -> Result<Policy, String> {
    let module = built(folder, lines);
    let target = folder.join("linked");
    let output = Command::new(ours("selinux/link.sh")).arg(extent).arg(&target).arg(&module).env("LC_ALL", "C").output().unwrap();
    if !output.status.success() {
        return Err(said(&output));
    }
    Ok(Policy(target.join("policy")))
}

/// A folder of this name, empty, below cargo's own for tests.
pub(crate) fn fresh(name: &str) -> PathBuf {
    static MAKING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = MAKING.lock();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("selinux").join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

pub(crate) fn ours(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn demand_tools() {
    let missing: Vec<&str> = TOOLS.iter().filter(|(file, _)| !Path::new(file).exists()).map(|(_, package)| *package).collect();
    assert!(missing.is_empty(), "SELinux's tools are missing ({}): run `make deps`", missing.join(" "));
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", said(&output));
}

fn said(output: &Output) -> String {
    format!("{}\n{}{}", output.status, String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
