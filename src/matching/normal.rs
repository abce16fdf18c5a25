//! Normal forms of names: folded for equality, phonetic for sound.

use rphonetic::{DoubleMetaphone, Encoder};
use unicode_normalization::UnicodeNormalization;

/// Lower case, without diacritics, blanks or punctuation: "O'Brien-Łukasz" becomes "obrienlukasz".
#[must_use]
pub fn folded(name: &str) -> String {
    if name.is_ascii() {
        return name.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| char::from(byte.to_ascii_lowercase())).collect();
    }
    name.nfd().flat_map(char::to_lowercase).filter(|c| c.is_alphanumeric()).map(without_stroke).collect()
}

/// Letters whose stroke or ligature is no combining mark and so survives decomposition.
fn without_stroke(letter: char) -> char {
    match letter {
        'ł' => 'l',
        'đ' | 'ð' => 'd',
        'ø' => 'o',
        'ı' => 'i',
        other => other,
    }
}

/// The Double Metaphone code of a name's folded form (primary code); the folded form itself where the code is empty, as for names
/// outside the Latin script. The code is whole: cut to the usual four letters, the start of a name would find all that begin with it
/// (rule D3: no wildcards).
#[must_use]
pub fn phonetic(name: &str) -> String {
    let folded = folded(name);
    let code = DoubleMetaphone::new(None).encode(&folded);
    if code.is_empty() {
        folded
    } else {
        code
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_drops_case_diacritics_and_punctuation() {
        assert_eq!(folded("O'Brien-Łukasz"), "obrienlukasz");
        assert_eq!(folded("Nguyễn Thị"), folded("NGUYEN THI"));
    }

    #[test]
    fn names_that_sound_alike_share_a_code_and_foreign_scripts_keep_their_own() {
        assert_eq!(phonetic("Smith"), phonetic("Smyth"));
        assert_ne!(phonetic("Smith"), phonetic("Patel"));
        assert_eq!(phonetic("王"), "王");
    }

    #[test]
    fn the_start_of_a_name_does_not_sound_like_the_name() {
        // D3: no wildcards
        for (start, name) in [("Thornb", "Thornbury"), ("Abercr", "Abercrombie"), ("Wintert", "Winterton")] {
            assert_ne!(phonetic(start), phonetic(name));
        }
        assert_eq!(phonetic("Thornberry"), phonetic("Thornbury"));
    }
}
