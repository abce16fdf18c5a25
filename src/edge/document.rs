//! The interface's own description at `/openapi.json`: OpenAPI 3.1, generated from the handlers' own types.
//!
//! For: the network's routes. The control socket's are the operator tool's affair and stay out (rule J3).

use crate::call::Call;
use crate::examples::Answers;
use crate::handlers::{
    alerts, audit, children, contact, feeds, glass, helpdesk, organisations, people, reviews, session, shielding, statements, tiles,
    witnesses, Handled, Handlers,
};
use crate::problem::ProblemDocument;
use crate::route::Route;
use bytes::Bytes;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{HeaderBuilder, ObjectBuilder, OpenApi as Description, RefOr, Required, Type};
use utoipa::{Modify, OpenApi};

#[derive(OpenApi)]
#[openapi(
    info(title = "Directory of who works with a child", description = "Mutual TLS 1.3; errors are RFC 9457 problems with a code from the closed list."),
    paths(children::search, children::view, audit::who_saw, feeds::begin, feeds::lines, feeds::report, feeds::finish, people::enrol,
        people::amend, people::set_state, people::sign, organisations::accept, organisations::sponsor, organisations::texts_in_force,
        glass::break_glass, glass::leave, glass::override_shield, alerts::queue, alerts::judge, alerts::sample, alerts::review,
        alerts::statistics, alerts::flags, reviews::queue, reviews::settle, reviews::report, statements::statement, statements::request, statements::approve, statements::fetch, contact::ask, helpdesk::begin_reset, helpdesk::complete_reset,
        shielding::shield, shielding::unshield, shielding::audience, shielding::settle, shielding::end_involvement, shielding::hold_new,
        session::log_in, session::log_out, tiles::checkpoint, tiles::tile, tiles::receipt,
        witnesses::asked, witnesses::cosigned, witnesses::bring, document),
    modifiers(&Schemes, &RequestIds, &Entries, &Answers)
)]
struct Network;

/// How one authenticates: the certificate always, the session where a person acts.
struct Schemes;

impl Modify for Schemes {
    fn modify(&self, description: &mut Description) {
        let components = description.components.get_or_insert_default();
        components.add_security_scheme("certificate", SecurityScheme::MutualTls { description: None, deprecated: None, extensions: None });
        let session = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("From POST /v1/session.")).build();
        components.add_security_scheme("session", SecurityScheme::Http(session));
    }
}

/// The header by which a retry is known, on each POST of somebody who is logged in (`call`).
struct RequestIds;

impl Modify for RequestIds {
    fn modify(&self, description: &mut Description) {
        let value =
            ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(64)).pattern(Some("^[A-Za-z0-9-]+$"));
        let header = ParameterBuilder::new()
            .name("X-Request-ID")
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some("Marks a retry: the same id with another request is refused (request_id_reused)."))
            .schema(Some(value))
            .build();
        let of_nobody = [Route::LogIn.template(), Route::Cosign.template()];
        let posts = description.paths.paths.iter_mut().filter(|(path, _)| !of_nobody.contains(&path.as_str()));
        for operation in posts.filter_map(|(_, item)| item.post.as_mut()) {
            operation.parameters.get_or_insert_default().push(header.clone().into());
        }
    }
}

/// The headers that name an answer's entry, on each answer to somebody who logs in or is logged in: refusals have them too, unless nothing
/// was written (a body that is not of its form, a directory that is away).
struct Entries;

impl Modify for Entries {
    fn modify(&self, description: &mut Description) {
        let header = |kind, said| HeaderBuilder::new().schema(Some(ObjectBuilder::new().schema_type(kind))).description(Some(said)).build();
        let index = header(Type::Integer, "Index of this answer's entry in the log (RFC 6962 leaf index).");
        let leaf = header(Type::String, "SHA-256 leaf hash of that entry (RFC 6962), base64.");
        for (path, item) in &mut description.paths.paths {
            let operations = [&mut item.get, &mut item.post, &mut item.delete].into_iter().flatten();
            for operation in operations.filter(|operation| path == Route::LogIn.template() || asks_for_a_session(operation)) {
                for answer in operation.responses.responses.values_mut() {
                    if let RefOr::T(answer) = answer {
                        answer.headers.insert("Log-Index".to_owned(), RefOr::T(index.clone()));
                        answer.headers.insert("Log-Leaf".to_owned(), RefOr::T(leaf.clone()));
                    }
                }
            }
        }
    }
}

fn asks_for_a_session(operation: &Operation) -> bool {
    let requirements = operation.security.iter().flatten();
    requirements.filter_map(|requirement| serde_json::to_value(requirement).ok()).any(|written| !written["session"].is_null())
}

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "description", security(("certificate" = [])),
    responses((status = 200, description = "The description.", body = inline(serde_json::Value), content_type = "application/json"),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn document(desk: &Handlers, call: Call<'_>) -> Handled {
    call.let_in(&desk.identity)?;
    Ok(desk.description())
}

/// The description's bytes, made once.
pub(crate) fn generated() -> Bytes {
    serde_json::to_vec(&Network::openapi()).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::ProblemCode;
    use crate::route::Side;
    use serde_json::Value;
    use std::collections::BTreeSet;

    fn description() -> Value {
        serde_json::from_slice(&generated()).unwrap()
    }

    #[test]
    fn each_route_of_the_network_is_described_and_nothing_else_is() {
        // architecture, interfaces: OpenAPI 3.1 at /openapi.json is generated from the handlers' own types
        let described: BTreeSet<String> = description()["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, methods)| methods.as_object().unwrap().keys().map(move |method| format!("{} {path}", method.to_uppercase())))
            .collect();
        let routes: BTreeSet<String> = Route::ALL
            .iter()
            .filter(|route| route.is_on(Side::Network))
            .map(|route| format!("{} {}", route.method(), route.template().replace("{*", "{")))
            .collect();
        assert_eq!(described, routes);
    }

    #[test]
    fn the_description_is_3_1_and_lists_schemes_and_every_problem_code() {
        // the edge: OpenAPI 3.1 generated from the handlers' types; a code from a closed list
        let description = description();
        assert!(description["openapi"].as_str().unwrap().starts_with("3.1"));
        assert_eq!(description["components"]["securitySchemes"]["certificate"]["type"], "mutualTLS");
        assert_eq!(description["components"]["securitySchemes"]["session"]["scheme"], "bearer");
        let codes = description["components"]["schemas"]["ProblemCode"]["enum"].as_array().unwrap();
        let expected: Vec<&str> = ProblemCode::ALL.iter().map(|code| code.code()).collect();
        assert_eq!(codes.iter().map(|code| code.as_str().unwrap()).collect::<Vec<_>>(), expected);
    }

    /// Each operation of the description, by method and path.
    fn operations(description: &Value) -> Vec<(String, Value)> {
        let paths = description["paths"].as_object().unwrap().iter();
        let each = |(path, methods): (&String, &Value)| {
            let methods = methods.as_object().unwrap().clone();
            let path = path.clone();
            methods.into_iter().map(move |(method, operation)| (format!("{method} {path}"), operation))
        };
        paths.flat_map(each).collect()
    }

    #[test]
    fn every_response_has_its_description_and_every_route_its_refusal() {
        // OpenAPI 3.1, response object: description is required
        for (name, operation) in operations(&description()) {
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.values().all(|response| response["description"].as_str().is_some_and(|said| !said.is_empty())), "{name}");
            assert!(responses.contains_key("default"), "{name}");
        }
    }

    #[test]
    fn a_tile_is_bytes_and_a_retry_is_marked_on_each_post_of_a_session() {
        // architecture, interfaces: X-Request-ID makes a retry the same request
        let description = description();
        let tile = &description["paths"]["/log/tile/{path}"]["get"]["responses"]["200"]["content"]["application/octet-stream"]["schema"];
        assert_eq!((&tile["type"], &tile["format"]), (&"string".into(), &"binary".into()));
        for (name, operation) in operations(&description) {
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let has_it = parameters.iter().any(|parameter| parameter["name"] == "X-Request-ID" && parameter["in"] == "header");
            let of_nobody = ["post /v1/session", "post /log/cosignatures"];
            assert_eq!(has_it, name.starts_with("post ") && !of_nobody.contains(&name.as_str()), "{name}");
        }
    }

    #[test]
    fn the_headers_of_an_entry_are_on_each_answer_to_somebody_who_acts() {
        // F1: every access and every attempt is written before any answer leaves; the answer says where
        for (name, operation) in operations(&description()) {
            let acts = operation["security"].to_string().contains("session") || name == "post /v1/session";
            for (status, answer) in operation["responses"].as_object().unwrap() {
                let headers = &answer["headers"];
                assert_eq!(headers["Log-Index"].is_object() && headers["Log-Leaf"].is_object(), acts, "{name} {status}");
            }
            assert_eq!(name.contains(" /log/"), !acts && name != "get /v1/texts" && name != "get /openapi.json", "{name}");
        }
    }

    #[test]
    fn every_request_has_an_example() {
        // architecture, interfaces: whoever writes a client copies one; tests/flow/examples.rs sends each
        let description = description();
        for (name, operation) in operations(&description) {
            for (media, content) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
                let named = content["schema"]["$ref"].as_str().map_or("", |reference| reference.trim_start_matches('#'));
                let of_type = description.pointer(named).filter(|_| !named.is_empty()).map_or(&Value::Null, |schema| &schema["example"]);
                assert!(!content["example"].is_null() || !of_type.is_null(), "{name} {media}");
            }
            assert_eq!(name.starts_with("post "), operation["requestBody"].is_object(), "{name}");
        }
    }

    #[test]
    fn no_question_asks_for_shielded_children_and_no_list_but_a_search_s_hits_says_who_is_one() {
        // E5: no query of any kind lists shielded children
        let description = description();
        let schemas = description["components"]["schemas"].as_object().unwrap();
        let says = |schema: &Value| schema.to_string().contains("\"shielded\":{");
        let told: Vec<&str> = schemas.iter().filter(|(_, schema)| says(schema)).map(|(name, _)| name.as_str()).collect();
        // what is shown of one child of the own scope, and what the authority's officer is told of the one child that they shielded
        assert_eq!(told, ["ChildHit", "ChildView", "Entered_ShieldStanding", "ShieldStanding"]);
        let reference = |name: &str| format!("#/components/schemas/{name}");
        let lists: Vec<String> = schemas
            .iter()
            .flat_map(|(name, schema)| schema["properties"].as_object().into_iter().flatten().map(move |(member, of)| (name, member, of)))
            .filter(|(_, _, of)| told.iter().any(|one| of["items"]["$ref"] == reference(one)))
            .map(|(name, member, _)| format!("{name}.{member}"))
            .collect();
        assert_eq!(lists, ["SearchAnswer.hits"]);
        for (name, operation) in operations(&description) {
            let asked = &operation["requestBody"]["content"]["application/json"]["schema"];
            let body = asked["$ref"].as_str().and_then(|reference| description.pointer(&reference[1..])).unwrap_or(asked);
            assert!(body["properties"]["shielded"].is_null() && !operation["parameters"].to_string().contains("shielded"), "{name}");
        }
    }

    #[test]
    fn no_schema_is_named_and_not_described() {
        // architecture, interfaces: generated from the handlers' own types
        let text = String::from_utf8(generated().to_vec()).unwrap();
        let description = description();
        for reference in text.split("#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(description["components"]["schemas"][name].is_object(), "{name}");
        }
    }
}
