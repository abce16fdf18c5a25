//! Reading Rust just far enough to tell code from talk about code, and what is shipped from what is for tests.

use std::collections::BTreeSet;

/// The sources that a build for use contains: path, code. Without the modules that are `#[cfg(test)]`, in files of their own or at the end.
pub(crate) fn shipped(sources: &[(String, String)]) -> Vec<(String, String)> {
    let tests: BTreeSet<String> = sources.iter().flat_map(|(path, text)| modules_of_tests(path, &code_of(text))).collect();
    let is_test =
        |path: &str| tests.iter().any(|module| path.strip_prefix(module.as_str()).is_some_and(|rest| rest.starts_with(['.', '/'])));
    let built = sources.iter().filter(|(path, _)| path.starts_with("src/") && path.ends_with(".rs") && !is_test(path));
    built.map(|(path, text)| (path.clone(), without_tests_at_the_end(&code_of(text)))).collect()
}

/// The modules that a file declares for tests alone and keeps in files of their own: paths without `.rs`.
fn modules_of_tests(path: &str, code: &str) -> Vec<String> {
    let beside = match path.rsplit_once('/') {
        Some((folder, "lib.rs" | "main.rs" | "mod.rs")) => folder,
        _ => path.strip_suffix(".rs").unwrap_or(path),
    };
    let after = code.split("#[cfg(test)]").skip(1);
    let declared =
        after.filter_map(|rest| rest.trim_start().trim_start_matches("pub(crate) ").strip_prefix("mod ")?.split_once([';', '{']));
    let names = declared.map(|(name, _)| name.trim().to_owned());
    names.map(|name| format!("{beside}/{name}")).collect()
}

fn without_tests_at_the_end(code: &str) -> String {
    let tests = code.match_indices("#[cfg(test)]").find(|(at, _)| {
        let rest = code[at + 12..].trim_start().trim_start_matches("pub(crate) ");
        rest.strip_prefix("mod ").and_then(|module| module.find([';', '{']).map(|end| module[end..].starts_with('{'))) == Some(true)
    });
    code[..tests.map_or(code.len(), |(at, _)| at)].to_owned()
}

/// Rust source without comments, strings and characters. Knows raw strings and nested comments; a lifetime is no character.
pub(crate) fn code_of(source: &str) -> String {
    let mut code = String::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let skipped = not_code(rest, code.chars().next_back());
        if skipped == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            code.push(' ');
            rest = &rest[skipped..];
        }
    }
    code
}

/// Bytes of the comment, string or character that `rest` begins with; 0 where it begins with code.
fn not_code(rest: &str, before: Option<char>) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return nested_comment(rest);
    }
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let hashes = rest.trim_start_matches(['b', 'c']).strip_prefix('r').map(|raw| raw.len() - raw.trim_start_matches('#').len());
    if let (Some(hashes), false) = (hashes, in_word) {
        let open = rest.find('"').filter(|at| rest[..*at].chars().all(|c| matches!(c, 'b' | 'c' | 'r' | '#')));
        if let Some(open) = open {
            let close = format!("\"{}", "#".repeat(hashes));
            return rest[open + 1..].find(&close).map_or(rest.len(), |at| open + 1 + at + close.len());
        }
    }
    if let Some(text) = rest.strip_prefix('"') {
        return quoted(text, '"').map_or(rest.len(), |length| length + 1);
    }
    let character = rest.strip_prefix('\'').filter(|text| text.starts_with('\\') || text.chars().nth(1) == Some('\''));
    character.map_or(0, |text| quoted(text, '\'').map_or(rest.len(), |length| length + 1))
}

/// Bytes up to and with the closing quote; `None` where there is none.
fn quoted(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if !escaped && c == quote {
            return Some(at + c.len_utf8());
        }
        escaped = !escaped && c == '\\';
    }
    None
}

fn nested_comment(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

/// The words of it.
pub(crate) fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !(c.is_alphanumeric() || c == '_'))
}
