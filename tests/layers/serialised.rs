//! Which types can be written out that hold what a child's record holds (rule E7). The compiler refuses the record; this finds who copies its
//! fields into a type of their own.

use crate::source::words;

/// What a child's record is made of. Names and addresses are those of people who work here, too.
const OF_A_RECORD: &[&str] = &[
    "Address",
    "Audience",
    "Carer",
    "ChildRecord",
    "DateOfBirth",
    "FamilyName",
    "Gender",
    "GivenName",
    "Involvement",
    "Name",
    "NhsNumber",
    "Postcode",
    "Relationship",
    "Shield",
    "Statement",
    "UniquePupilNumber",
];

/// The types that derive `Serialize` and name one of these, as "path: Type", but for those of the list: path, type.
pub(crate) fn written_out(shipped: &[(String, String)], known: &[(&str, &str)]) -> Vec<String> {
    let mut found = Vec::new();
    for (path, code) in shipped {
        for (name, body) in serialised(code) {
            let is_known = known.iter().any(|(file, kind)| *file == path && (*kind == "*" || *kind == name));
            if !is_known && words(body).any(|word| OF_A_RECORD.contains(&word)) {
                found.push(format!("{path}: {name}"));
            }
        }
    }
    found
}

/// Name and body of each type whose derive list has `Serialize`, and of each `impl Serialize for`.
fn serialised(code: &str) -> Vec<(&str, &str)> {
    let derived = code.split("#[derive(").skip(1).filter_map(|rest| {
        let (list, rest) = rest.split_once(")]")?;
        list.split(',').any(|one| one.trim() == "Serialize").then_some(())?;
        let at = ["struct ", "enum "].iter().filter_map(|word| rest.find(word).map(|at| at + word.len())).min()?;
        rest.get(at..)
    });
    let by_hand = code.split("Serialize for ").skip(1);
    derived.chain(by_hand).filter_map(named).collect()
}

fn named(rest: &str) -> Option<(&str, &str)> {
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    let body = rest.get(end..)?;
    let opens = body.find(['{', '(', ';'])?;
    Some((&rest[..end], &body[..closing(body, opens)]))
}

/// Where what opens there closes; the end where it does not.
fn closing(body: &str, opens: usize) -> usize {
    let mut depth = 0;
    for (at, c) in body.char_indices().skip_while(|(at, _)| *at < opens) {
        match c {
            '{' | '(' => depth += 1,
            '}' | ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    body.len()
}
