//! The interface's own description at `/openapi.json`: OpenAPI 3.1, generated from the handlers' own types.
//!
//! For: the network's routes. The control socket's are the operator tool's affair and stay out (rule J3).

use crate::call::Call;
use crate::handlers::{audit, children, feeds, people, session, tiles, Handled, Handlers};
use bytes::Bytes;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::OpenApi as Description;
use utoipa::{Modify, OpenApi};

#[derive(OpenApi)]
#[openapi(
    info(title = "Directory of who works with a child", description = "Mutual TLS 1.3; errors are RFC 9457 problems with a code from the closed list."),
    paths(children::search, children::view, audit::who_saw, feeds::begin, feeds::lines, feeds::report, feeds::finish, people::enrol,
        session::log_in, session::log_out, tiles::checkpoint, tiles::tile, document),
    modifiers(&Schemes)
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

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "description", security(("certificate" = [])), responses((status = 200, content_type = "application/json")))]
pub(crate) async fn document(desk: &Handlers, _: Call<'_>) -> Handled {
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
    use crate::route::{Route, Side};
    use std::collections::BTreeSet;

    fn description() -> serde_json::Value {
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
        // issue 2, edge: OpenAPI 3.1 generated from the handlers' types; a code from a closed list
        let description = description();
        assert!(description["openapi"].as_str().unwrap().starts_with("3.1"));
        assert_eq!(description["components"]["securitySchemes"]["certificate"]["type"], "mutualTLS");
        assert_eq!(description["components"]["securitySchemes"]["session"]["scheme"], "bearer");
        let codes = description["components"]["schemas"]["ProblemCode"]["enum"].as_array().unwrap();
        let expected: Vec<&str> = ProblemCode::ALL.iter().map(|code| code.code()).collect();
        assert_eq!(codes.iter().map(|code| code.as_str().unwrap()).collect::<Vec<_>>(), expected);
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
