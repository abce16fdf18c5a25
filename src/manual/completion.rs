//! What a shell offers at the Tab key.

/// A shell that there are completions for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Shell {
    /// GNU Bash; goes to /usr/share/bash-completion/completions/PROGRAM
    Bash,
    /// zsh; goes to /usr/share/zsh/vendor-completions/_PROGRAM
    Zsh,
    /// fish; goes to /usr/share/fish/vendor_completions.d/PROGRAM.fish
    Fish,
}

/// Arguments of the verb `completions`.
#[derive(Debug, clap::Args)]
pub struct CompletionsWanted {
    /// The shell
    pub shell: Shell,
}

/// The script that teaches `shell` the verbs and flags of `command`.
#[must_use]
pub fn completions(mut command: clap::Command, shell: Shell) -> String {
    let name = command.get_name().to_owned();
    let shell = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    String::from_utf8_lossy(&script).trim_end().to_owned()
}
