//! JSON bodies in: parsed once, strictly, into a route's own type.
//!
//! For: refusing what serde_json would let pass - a member named twice (it keeps the last one in silence), nesting and member counts
//! that no route needs - and telling the three faults apart that a caller can mend: shape, unknown member, value.
//! Leaves to others: the body's size and media type (`request`); which members exist (each type's `deny_unknown_fields`, rule A3).
//! Does not say: what was wrong in the caller's own words; serde's messages quote the input and stop here (rules G1, J3).

use crate::problem::ProblemCode;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// Levels of arrays and objects; the deepest documented body has three.
const DEEPEST: u8 = 8;
/// Members of one object; the widest documented body has nine.
const MOST_MEMBERS: usize = 32;

/// Reads a whole body (UTF-8 JSON, RFC 8259) as a `T`. Refused: what is not JSON, trailing data, a member named twice, more than 8
/// levels or 32 members (all [`ProblemCode::MalformedRequest`]); a member that `T` does not know ([`ProblemCode::UnknownMember`]); a
/// value that its type refuses ([`ProblemCode::InvalidValue`]).
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ProblemCode> {
    refuse_doubles(body)?;
    serde_json::from_slice(body).map_err(|error| fault_of(&error))
}

/// serde_json knows kinds of error no finer than "data"; its message begins with the kind.
fn fault_of(error: &serde_json::Error) -> ProblemCode {
    if !error.is_data() {
        return ProblemCode::MalformedRequest;
    }
    let message = error.to_string();
    let shape = ["missing field", "invalid type", "invalid length", "duplicate field", "data did not match"];
    if message.starts_with("unknown field") {
        ProblemCode::UnknownMember
    } else if shape.iter().any(|start| message.starts_with(start)) {
        ProblemCode::MalformedRequest
    } else {
        ProblemCode::InvalidValue
    }
}

fn refuse_doubles(body: &[u8]) -> Result<(), ProblemCode> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    Level(DEEPEST).deserialize(&mut reader).and_then(|()| reader.end()).map_err(|_| ProblemCode::MalformedRequest)
}

/// Walks one value, `0` levels of nesting left at the innermost.
#[derive(Clone, Copy)]
struct Level(u8);

impl Level {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        self.0.checked_sub(1).map(Self).ok_or_else(|| E::custom("too deep"))
    }
}

impl<'de> DeserializeSeed<'de> for Level {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let inner = self.deeper()?;
        let mut seen: Vec<Cow<'de, str>> = Vec::with_capacity(8);
        while let Some(MemberName(name)) = map.next_key()? {
            if seen.contains(&name) || seen.len() == MOST_MEMBERS {
                return Err(A::Error::custom("a member twice, or too many"));
            }
            seen.push(name);
            map.next_value_seed(inner)?;
        }
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let inner = self.deeper()?;
        while list.next_element_seed(inner)?.is_some() {}
        Ok(())
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// A member's name, borrowed from the body where it has no escape.
struct MemberName<'de>(Cow<'de, str>);

impl<'de> serde::Deserialize<'de> for MemberName<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NameVisitor).map(Self)
    }
}

struct NameVisitor;

impl<'de> Visitor<'de> for NameVisitor {
    type Value = Cow<'de, str>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }
    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }
    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contactpoint_domain::{ChildNumber, DateOfBirth, Purpose};

    #[derive(serde::Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only parsed")]
    struct Ask {
        child_number: ChildNumber,
        reason: Purpose,
        #[serde(default)]
        date_of_birth: Option<DateOfBirth>,
    }

    fn verdict(body: &str) -> Option<ProblemCode> {
        read::<Ask>(body.as_bytes()).err()
    }

    fn number() -> String {
        ChildNumber::with_body(7).as_str().to_owned()
    }

    #[test]
    fn a_good_body_is_read() {
        // parse at the door
        assert_eq!(verdict(&format!(r#"{{"child_number":"{}","reason":"concern"}}"#, number())), None);
    }

    #[test]
    fn unknown_members_are_refused_never_dropped_in_silence() {
        // A3: unknown JSON members are refused, never dropped in silence
        let body = format!(r#"{{"child_number":"{}","reason":"concern","note":"x"}}"#, number());
        assert_eq!(verdict(&body), Some(ProblemCode::UnknownMember));
    }

    #[test]
    fn a_member_named_twice_is_refused_at_any_depth_and_in_any_spelling() {
        // bad input: duplicate members
        for body in [
            r#"{"reason":"concern","reason":"audit"}"#,
            r#"{"reason":"concern","re\u0061son":"audit"}"#,
            r#"{"a":[{"b":1,"b":2}]}"#,
            r#"{"a":{"b":{"c":1,"c":1}}}"#,
        ] {
            assert_eq!(verdict(body), Some(ProblemCode::MalformedRequest), "{body}");
        }
        // the same name in two objects is no double
        assert!(refuse_doubles(br#"[{"a":1},{"a":1}]"#).is_ok());
    }

    #[test]
    fn what_is_not_json_or_goes_on_after_it_is_refused() {
        // bad input: malformed JSON
        for body in ["", "{", "nul", "{}{}", "{} x", "\u{feff}{}", "[1,]", "{\"a\":\"\u{1}\"}", "[[[[[[[[[[1]]]]]]]]]]"] {
            assert_eq!(verdict(body), Some(ProblemCode::MalformedRequest), "{body}");
        }
        assert_eq!(read::<Ask>(b"{\"reason\":\"\xff\"}").err(), Some(ProblemCode::MalformedRequest));
        let wide: Vec<String> = (0..40).map(|n| format!("\"m{n}\":1")).collect();
        assert_eq!(verdict(&format!("{{{}}}", wide.join(","))), Some(ProblemCode::MalformedRequest));
        assert_eq!(verdict(&"[".repeat(100_000)), Some(ProblemCode::MalformedRequest));
    }

    #[test]
    fn a_missing_or_mistyped_member_is_malformed_and_a_bad_value_is_invalid() {
        // A4, A5: check-digit-validated
        assert_eq!(verdict(r#"{"reason":"concern"}"#), Some(ProblemCode::MalformedRequest));
        assert_eq!(verdict(r#"{"child_number":1,"reason":"concern"}"#), Some(ProblemCode::MalformedRequest));
        assert_eq!(verdict(r#"{"child_number":"1234567890","reason":"concern"}"#), Some(ProblemCode::InvalidValue));
        let body = format!(r#"{{"child_number":"{}","reason":"curiosity"}}"#, number());
        assert_eq!(verdict(&body), Some(ProblemCode::InvalidValue));
        let body = format!(r#"{{"child_number":"{}","reason":"concern","date_of_birth":"2014-02-30"}}"#, number());
        assert_eq!(verdict(&body), Some(ProblemCode::InvalidValue));
    }
}
