//! What each answer of the interface looks like: an example for each in the description, out of answers.json, which its test holds against the
//! schemas. The requests' examples stand at their types.

use std::collections::BTreeMap;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{OpenApi as Description, RefOr};
use utoipa::Modify;

const ANSWERS: &str = include_str!("answers.json");

/// Puts the examples into the description.
pub(crate) struct Answers;

impl Modify for Answers {
    fn modify(&self, description: &mut Description) {
        // what is compiled in and cannot be read leaves answers without examples, which the test notices
        let examples: BTreeMap<String, serde_json::Value> = serde_json::from_str(ANSWERS).unwrap_or_default();
        for (path, item) in &mut description.paths.paths {
            for (method, operation) in [("GET", &mut item.get), ("POST", &mut item.post)] {
                if let Some((operation, example)) = operation.as_mut().zip(examples.get(&format!("{method} {path}"))) {
                    exemplify(operation, example);
                }
            }
        }
    }
}

fn exemplify(operation: &mut Operation, example: &serde_json::Value) {
    for (status, answer) in &mut operation.responses.responses {
        if let (true, RefOr::T(answer)) = (status.starts_with('2'), answer) {
            if let Some(RefOr::T(content)) = answer.content.get_mut("application/json") {
                content.example.get_or_insert_with(|| example.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value};

    /// The schema that is meant, and what it is put together from.
    fn parts<'a>(description: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
        if let Some(reference) = schema["$ref"].as_str() {
            return parts(description, description.pointer(&reference[1..]).unwrap());
        }
        let several = ["allOf", "oneOf"].iter().filter_map(|word| schema[*word].as_array()).flatten();
        std::iter::once(schema).chain(several.flat_map(|part| parts(description, part))).collect()
    }

    /// What is wrong with an example: a member that the schema does not have, or one that is not there and must be.
    fn faults(description: &Value, schema: &Value, example: &Value, at: &str) -> Vec<String> {
        let parts = parts(description, schema);
        match example {
            Value::Object(members) => {
                let known: Map<String, Value> =
                    parts.iter().filter_map(|part| part["properties"].as_object()).flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
                let needed = parts.iter().filter_map(|part| part["required"].as_array()).flatten().filter_map(Value::as_str);
                let missing = needed.filter(|member| !members.contains_key(*member)).map(|member| format!("{at}.{member} is missing"));
                let own = members.iter().flat_map(|(member, value)| match known.get(member) {
                    Some(schema) => faults(description, schema, value, &format!("{at}.{member}")),
                    None => vec![format!("{at}.{member} is unknown")],
                });
                missing.chain(own).collect()
            }
            Value::Array(values) => {
                let items = parts.iter().find(|part| part["items"].is_object()).map(|part| &part["items"]);
                let Some(items) = items else { return vec![format!("{at} is no list")] };
                values.iter().flat_map(|value| faults(description, items, value, at)).collect()
            }
            Value::String(text) => {
                let listed = parts.iter().find_map(|part| part["enum"].as_array());
                let is_one = listed.is_none_or(|listed| listed.iter().any(|one| one == text));
                if is_one {
                    Vec::new()
                } else {
                    vec![format!("{at} is none of the list")]
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
        }
    }

    #[test]
    fn every_answer_has_an_example_with_the_members_that_it_has() {
        // architecture, interfaces: whoever writes a client sees what comes back
        let description: Value = serde_json::from_slice(&crate::document::generated()).unwrap();
        let mut seen = 0;
        for (path, methods) in description["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                for (_, answer) in operation["responses"].as_object().unwrap().iter().filter(|(status, _)| status.starts_with('2')) {
                    let content = &answer["content"]["application/json"];
                    if content.is_object() && path != "/openapi.json" {
                        let example = if content["example"].is_null() {
                            parts(&description, &content["schema"])
                                .into_iter()
                                .map(|part| &part["example"])
                                .find(|one| one.is_object())
                                .unwrap_or(&Value::Null)
                        } else {
                            &content["example"]
                        };
                        assert!(example.is_object(), "{method} {path} has no example");
                        assert_eq!(faults(&description, &content["schema"], example, path), Vec::<String>::new());
                        seen += 1;
                    }
                }
            }
        }
        assert!(seen >= 30, "{seen}");
    }

    #[test]
    fn an_example_that_the_schema_does_not_have_is_found() {
        // a check that cannot fail is none
        let schema = serde_json::json!({"required": ["a"], "properties": {"a": {"enum": ["x"]}, "b": {"items": {"properties": {}}}}});
        let of = |example: Value| faults(&Value::Null, &schema, &example, "");
        assert!(of(serde_json::json!({"a": "x", "b": [{}]})).is_empty());
        assert_eq!(of(serde_json::json!({})), [".a is missing"]);
        assert_eq!(
            of(serde_json::json!({"a": "y", "c": 1, "b": [{"d": 1}]})),
            [".a is none of the list", ".b.d is unknown", ".c is unknown"]
        );
    }
}
