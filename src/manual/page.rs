//! One page: what clap knows of a verb, then the sections it does not know of.

use clap_mangen::roff::{bold, roman, Roff};
use clap_mangen::Man;
use std::io;

/// A word or line, and what it means.
pub type Row = (&'static str, &'static str);

/// What a page says beyond the command line.
#[derive(Debug, Clone, Copy, Default)]
pub struct Notes {
    /// Status and what it means.
    pub exit_status: &'static [Row],
    /// Path and what it holds.
    pub files: &'static [Row],
    /// Variable and what it does; those of flags are at the flag.
    pub environment: &'static [Row],
    /// Command line and what it is for.
    pub examples: &'static [Row],
    /// Other pages: "contactpointd(8)".
    pub see_also: &'static [&'static str],
    /// A file that is shown as it stands, under a heading of its own.
    pub shown: Option<Row>,
}

/// Arguments of the verb `manual`.
#[derive(Debug, clap::Args)]
pub struct ManualWanted {
    /// A verb (log-in) or a page by its name, with its section or without; the program's own page where absent
    #[arg(value_name = "VERB")]
    pub page: Option<String>,
    /// Print the names of all pages instead, one a line, as files are named
    #[arg(long, conflicts_with = "page")]
    pub list: bool,
}

/// There is no such page; `manual --list` has those there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoSuchPage(pub String);

/// The pages of a program, and what else is documented beside it.
pub struct Manual {
    program: String,
    pages: Vec<Page>,
}

struct Page {
    name: String,
    section: &'static str,
    command: clap::Command,
    notes: Notes,
}

impl Manual {
    /// A page for the program and one for each verb, verbs of verbs included; `notes` is asked with "" for the program, else with the verb
    /// ("log-fetch" for `log fetch`).
    #[must_use]
    pub fn of(command: clap::Command, section: &'static str, notes: impl Fn(&str) -> Notes) -> Self {
        let program = command.get_name().to_owned();
        let mut command = command.disable_help_subcommand(true);
        command.build();
        let mut manual = Self { program, pages: Vec::new() };
        manual.add_below(command, section, &notes);
        manual
    }

    /// One page more, of something that is no verb: a daemon, a file.
    #[must_use]
    pub fn and(mut self, command: clap::Command, section: &'static str, notes: Notes) -> Self {
        let name = command.get_name().to_owned();
        self.pages.push(Page { name, section, command, notes });
        self
    }

    fn add_below(&mut self, command: clap::Command, section: &'static str, notes: &impl Fn(&str) -> Notes) {
        let name = command.get_display_name().unwrap_or(&self.program).to_owned();
        let verb = name.strip_prefix(&self.program).unwrap_or_default().trim_start_matches('-');
        let below: Vec<_> = command.get_subcommands().filter(|verb| !verb.is_hide_set()).cloned().collect();
        self.pages.push(Page { notes: notes(verb), name, section, command });
        for verb in below {
            self.add_below(verb, section, notes);
        }
    }

    /// What the verb `manual` prints.
    ///
    /// # Errors
    /// [`NoSuchPage`] where nothing has the name.
    pub fn print(&self, wanted: &ManualWanted) -> Result<String, NoSuchPage> {
        if wanted.list {
            return Ok(self.names().join("\n"));
        }
        self.page(wanted.page.as_deref().unwrap_or(&self.program))
    }

    /// The names of all pages as files are named: "contactpointctl-ceremony.8".
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.pages.iter().map(Page::file_name).collect()
    }

    /// A page in the language of man(7).
    ///
    /// # Errors
    /// [`NoSuchPage`] where nothing has the name.
    pub fn page(&self, asked: &str) -> Result<String, NoSuchPage> {
        let of_verb = format!("{}-{asked}", self.program);
        let page = self.pages.iter().find(|page| page.name == of_verb || page.name == asked || page.file_name() == asked);
        let page = page.ok_or_else(|| NoSuchPage(asked.to_owned()))?;
        page.rendered(&self.program).map_err(|_| NoSuchPage(asked.to_owned()))
    }
}

impl Page {
    fn file_name(&self) -> String {
        format!("{}.{}", self.name, self.section)
    }

    fn rendered(&self, program: &str) -> io::Result<String> {
        let source = format!("contactpoint {}", env!("CARGO_PKG_VERSION"));
        let manual = if self.name.starts_with(program) { format!("{program} manual") } else { "contactpoint manual".to_owned() };
        let man = Man::new(self.command.clone()).title(self.name.to_uppercase()).section(self.section).source(source).manual(manual);
        let mut roff = Vec::new();
        man.render_title(&mut roff)?;
        man.render_name_section(&mut roff)?;
        if self.section != "5" {
            man.render_synopsis_section(&mut roff)?;
        }
        man.render_description_section(&mut roff)?;
        if self.command.has_subcommands() {
            man.render_subcommands_section(&mut roff)?;
        }
        if self.section != "5" && self.command.get_arguments().any(|argument| !argument.is_hide_set()) {
            man.render_options_section(&mut roff)?;
        }
        self.notes.rendered().to_writer(&mut roff)?;
        Ok(once_prefaced(&String::from_utf8_lossy(&roff)))
    }
}

impl Notes {
    fn rendered(&self) -> Roff {
        let mut roff = Roff::new();
        for (heading, rows) in [("EXIT STATUS", self.exit_status), ("FILES", self.files), ("ENVIRONMENT", self.environment)] {
            table(&mut roff, heading, rows);
        }
        if let Some((heading, text)) = self.shown {
            roff.control("SH", [heading]);
            literal(&mut roff, text.lines());
        }
        examples(&mut roff, self.examples);
        if !self.see_also.is_empty() {
            roff.control("SH", ["SEE ALSO"]);
            roff.text([roman(self.see_also.join(", "))]);
        }
        roff
    }
}

fn table(roff: &mut Roff, heading: &str, rows: &[Row]) {
    if !rows.is_empty() {
        roff.control("SH", [heading]);
    }
    for (word, meaning) in rows {
        roff.control("TP", []);
        roff.text([bold(*word)]);
        roff.text([roman(*meaning)]);
    }
}

fn examples(roff: &mut Roff, rows: &[Row]) {
    if !rows.is_empty() {
        roff.control("SH", ["EXAMPLES"]);
    }
    for (command, purpose) in rows {
        roff.control("PP", []);
        roff.text([roman(*purpose)]);
        literal(roff, command.lines());
    }
}

/// Lines as they stand, indented.
fn literal<'a>(roff: &mut Roff, lines: impl Iterator<Item = &'a str>) {
    roff.control("PP", []);
    roff.control("RS", ["4"]);
    roff.control("nf", []);
    for line in lines {
        roff.text([roman(line)]);
    }
    roff.control("fi", []);
    roff.control("RE", []);
}

/// roff prefaces each piece with how an apostrophe is set; a page needs it once.
fn once_prefaced(page: &str) -> String {
    let preface = |line: &&str| line.starts_with(".ie \\n(.g .ds Aq") || line.starts_with(".el .ds Aq");
    let (mut first, body): (Vec<&str>, Vec<&str>) = page.lines().partition(preface);
    first.truncate(2);
    first.extend(body);
    first.join("\n")
}
