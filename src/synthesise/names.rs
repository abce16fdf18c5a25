//! The lists of names (lists/, with their licences) and what people do to names: short forms, capitals, lost accents, slips of the keyboard.

use crate::random::Random;
use crate::SynthesisError;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Names by origin.
pub(crate) struct Names {
    origins: Vec<Origin>,
    weights: u64,
    nicknames: BTreeMap<String, String>,
}

/// The names of one origin, commonest first; no list is empty.
pub(crate) struct Origin {
    pub(crate) female: Vec<String>,
    pub(crate) male: Vec<String>,
    pub(crate) family: Vec<String>,
    weight: u64,
}

#[derive(Deserialize)]
struct Lists {
    nicknames: BTreeMap<String, String>,
    #[serde(flatten)]
    origins: BTreeMap<String, List>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    weight: u64,
    #[serde(default)]
    census: bool,
    female: String,
    male: String,
    family: String,
}

impl Names {
    pub(crate) fn load() -> Result<Self, SynthesisError> {
        let lists: Lists = toml::from_str(include_str!("lists/names.toml"))?;
        let origins: Vec<Origin> = lists.origins.into_values().map(Origin::of).collect();
        let weights = origins.iter().map(|origin| origin.weight).sum();
        Ok(Self { origins, weights, nicknames: lists.nicknames })
    }

    /// An origin, by its share of households.
    pub(crate) fn origin(&self, random: &mut Random) -> &Origin {
        let mut left = random.below(self.weights);
        for origin in &self.origins {
            if left < origin.weight {
                return origin;
            }
            left -= origin.weight;
        }
        &self.origins[0]
    }

    /// The short form that a given name has, if any.
    pub(crate) fn nickname(&self, given: &str) -> Option<&str> {
        self.nicknames.get(given).map(String::as_str)
    }
}

impl Origin {
    fn of(list: List) -> Self {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let mut family = words(&list.family);
        if list.census {
            family.extend(words(include_str!("lists/census-family.txt")));
        }
        Self { female: words(&list.female), male: words(&list.male), family, weight: list.weight }
    }
}

/// The name without its accents, as many systems print it.
pub(crate) fn without_accents(name: &str) -> String {
    name.chars().map(plain).collect()
}

fn plain(letter: char) -> char {
    const TABLE: &[(&str, char)] = &[
        ("áàâãăąạảấầẩẫậắằẳẵặ", 'a'),
        ("ÁÀÂÃĂÅ", 'A'),
        ("çćč", 'c'),
        ("ÇĆČ", 'C'),
        ("đ", 'd'),
        ("Đ", 'D'),
        ("éèêęëẽếềểễệ", 'e'),
        ("ÉÈÊĘË", 'E'),
        ("ğ", 'g'),
        ("íìîïıĩị", 'i'),
        ("ÍÌÎİ", 'I'),
        ("ł", 'l'),
        ("Ł", 'L'),
        ("ñńň", 'n'),
        ("Ñ", 'N'),
        ("óòôõöọơốồổỗộớờởỡợ", 'o'),
        ("ÓÒÔÕÖ", 'O'),
        ("řŕ", 'r'),
        ("śşșš", 's'),
        ("ŚŞȘŠ", 'S'),
        ("țťţ", 't'),
        ("ȚŢ", 'T'),
        ("úùûüưũứừửữựụủ", 'u'),
        ("ÚÙÛÜ", 'U'),
        ("ýỳỹỷỵ", 'y'),
        ("Ý", 'Y'),
        ("źżž", 'z'),
        ("ŹŻŽ", 'Z'),
    ];
    TABLE.iter().find(|(accented, _)| accented.contains(letter)).map_or(letter, |(_, plain)| *plain)
}

/// A slip of the keyboard: two neighbours swapped, a letter lost, or a letter doubled. The first letter stays.
pub(crate) fn mistyped(name: &str, random: &mut Random) -> String {
    let mut letters: Vec<char> = name.chars().collect();
    let inner: Vec<usize> = (1..letters.len()).filter(|at| letters[*at].is_alphabetic()).collect();
    if inner.len() < 3 {
        return format!("{name}e");
    }
    let at = *random.any(&inner);
    match random.below(3) {
        0 if at + 1 < letters.len() && letters[at] != letters[at + 1] => letters.swap(at, at + 1),
        1 => {
            letters.remove(at);
        }
        _ => letters.insert(at, letters[at]),
    }
    letters.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_the_lists_is_a_name_and_has_a_plain_form() {
        let names = Names::load().unwrap();
        for origin in &names.origins {
            for name in origin.female.iter().chain(&origin.male).chain(&origin.family) {
                assert!(contactpoint_domain::FamilyName::try_from(name.as_str()).is_ok(), "{name}");
                assert!(without_accents(name).is_ascii(), "{name}");
            }
        }
    }
}
